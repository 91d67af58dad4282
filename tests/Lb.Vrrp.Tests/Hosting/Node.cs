using System.Threading.Channels;
using Lb.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Vrrp.Tests.Hosting;

/// <summary>A host with one router on an address of 127.0.0.0/8, over UDP: the whole of what a program runs, without rights.</summary>
internal sealed class Node : IAsyncDisposable, INotifier
{
    private readonly IHost _host;
    private readonly Channel<LbEvent> _events = Channel.CreateUnbounded<LbEvent>();

    public Node(string address, string peer, int port, int priority, Action<IVirtualRouterBuilder>? more = null, Action<IServiceCollection>? services = null, Action<RouterOptions>? configure = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        services?.Invoke(builder.Services);
        IVirtualRouterBuilder router = builder.Services.AddVirtualRouter("edge", options =>
        {
            options.Interface = "lo";
            options.RouterId = 51;
            options.Priority = Priority ?? priority;
            options.AdvertisementInterval = TimeSpan.FromMilliseconds(100);
            options.Addresses.Add(new VirtualAddressOptions { Address = "192.0.2.100/24", OffLink = true });
            options.Unicast = new RouterUnicastOptions { Source = address, UdpPort = port };
            options.Unicast.Peers.Add(peer);
            configure?.Invoke(options);
        });
        router.UseAddressOwner(_ => Owner);
        more?.Invoke(router);
        builder.Services.AddSingleton<INotifier>(this);
        _host = builder.Build();
    }

    public InMemoryAddressOwner Owner { get; } = new();

    public int? Priority { get; set; }

    public IServiceProvider Services => _host.Services;

    public VirtualRouters Routers => Services.GetRequiredService<VirtualRouters>();

    public RouterSnapshot Snapshot => Routers.Find("EDGE")!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public Task StartAsync() => _host.StartAsync(Ct);

    public Task StopAsync() => _host.StopAsync(Ct);

    public async Task<IReadOnlyList<ConfigurationError>> ReloadAsync() => await Services.GetRequiredService<ILbReloader>().ReloadAsync(Ct);

    public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
    {
        _events.Writer.TryWrite(notice);
        return default;
    }

    /// <summary>Waits for the next event of a kind; others are passed over.</summary>
    public async Task<T> NextAsync<T>(Predicate<T>? match = null)
        where T : LbEvent
    {
        while (true)
        {
            if (await _events.Reader.ReadAsync(Ct) is T wanted && (match is null || match(wanted))) return wanted;
        }
    }

    public Task<RouterStateChanged> BecomesAsync(RouterState state) => NextAsync<RouterStateChanged>(e => e.To == state);

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }
}
