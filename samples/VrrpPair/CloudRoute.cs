using Lb.Vrrp;

namespace Samples.VrrpPair;

#region owner
/// <summary>Leads the address to this node where no node may put one on itself: a cloud's route table, a floating IP, a DNS record.</summary>
internal sealed class CloudRoute(string node, TimeProvider time) : IAddressOwner
{
    public TimeSpan RenewEvery => TimeSpan.Zero;

    public async ValueTask AcquireAsync(CancellationToken ct)
    {
        // Stands for the call of the cloud's API. The router does not wait: it goes on sending and hearing adverts.
        await Task.Delay(TimeSpan.FromMilliseconds(20), time, ct);
        Console.WriteLine($"{node}: the route leads here");
    }

    // The successor moves the route. Taking it away before would leave clients without any.
    public ValueTask ReleaseAsync(CancellationToken ct) => default;

    public bool Renew() => false;

    public void Dispose()
    {
    }
}
#endregion
