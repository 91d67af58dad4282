namespace Lb.Interop.Tests.Vrrp;

/// <summary>Two hosts with <c>lb run</c> on each, and the first one Active for everything that it has the higher priority for.</summary>
internal sealed class Pair : IAsyncDisposable
{
    public Pair()
    {
        Network = new HostNetwork(2);
        First = new LbNode(Network, 1);
        Second = new LbNode(Network, 2);
    }

    public HostNetwork Network { get; }

    public LbNode First { get; }

    public LbNode Second { get; }

    /// <summary>Two nodes with one virtual router, priorities 200 and 100, that the first one is Active for.</summary>
    /// <param name="router">The router.</param>
    /// <param name="ofBoth">Further members of the router on both.</param>
    public static async Task<Pair> StartAsync(RouterSpec router, params string[] ofBoth)
    {
        Pair pair = new();
        try
        {
            pair.First.With([router.ForLb(1, 200, ofBoth)]);
            pair.Second.With([router.ForLb(2, 100, ofBoth)]);
            await pair.StartAsync(router);
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts both, and waits until the first one is Active and the second one not.</summary>
    public async Task StartAsync(RouterSpec router)
    {
        First.Start();
        Second.Start();
        await First.WhenAnswersAsync(router);
        await Second.WhenIsAsync(router, "Backup");
        await Network.Addresses.WhenHeldByAsync(router.Address, 1);
    }

    public async ValueTask DisposeAsync()
    {
        await First.DisposeAsync();
        await Second.DisposeAsync();
        await Network.DisposeAsync();
    }
}
