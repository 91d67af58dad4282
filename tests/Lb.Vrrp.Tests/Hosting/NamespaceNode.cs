using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lb.Vrrp.Tests.Hosting;

/// <summary>The virtual routers of a host that lives in a network namespace: loop, sockets, addresses as in a program.</summary>
internal sealed class NamespaceNode : IAsyncDisposable
{
    private readonly ServiceProvider _provider;
    private readonly string _space;

    public NamespaceNode(string space, RouterOptions router, Action<VrrpOptions>? global = null, IAddressOwner? owner = null)
    {
        ServiceCollection services = new();
        services.AddLogging(static l => l.SetMinimumLevel(LogLevel.None));
        services.AddLb().AddRouters();
        if (owner is not null) services.AddVirtualRouter("edge", static _ => { }).UseAddressOwner(_ => owner);
        _provider = services.BuildServiceProvider();
        Routers = _provider.GetRequiredService<VirtualRouters>();
        LbOptions options = new();
        options.Routers["edge"] = router;
        global?.Invoke(options.Vrrp);

        // The loop's thread inherits the namespace of the one that makes it.
        _space = space;
        Apply(options);
    }

    /// <summary>Takes another configuration over, as a reload does.</summary>
    public void Apply(LbOptions options) => TestNetwork.In(_space, () => Routers.ApplyAsync(options, CancellationToken.None).GetAwaiter().GetResult());

    public VirtualRouters Routers { get; }

    public RouterSnapshot Snapshot => Routers.Find("edge")!;

    /// <summary>A router on <c>eth0</c>.</summary>
    public static RouterOptions Router(int priority, string address = "10.0.0.100/24")
    {
        RouterOptions options = new() { Interface = "eth0", RouterId = 7, Priority = priority, AdvertisementInterval = TimeSpan.FromMilliseconds(200), Handover = false };
        options.Addresses.Add(new VirtualAddressOptions { Address = address });
        return options;
    }

    public void Becomes(RouterState state) => Until(s => s.State == state);

    public void Until(Predicate<RouterSnapshot> condition) =>
        Assert.True(SpinWait.SpinUntil(() => condition(Snapshot), TimeSpan.FromSeconds(60)), $"Still {Snapshot.State}, priority {Snapshot.EffectivePriority}, {string.Join(", ", Snapshot.Faults)}.");

    public async ValueTask DisposeAsync()
    {
        await Routers.StopAsync(CancellationToken.None);
        await _provider.DisposeAsync();
    }
}
