using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Vrrp.Tests.Hosting;

/// <summary>Routers as hosts run them: verbs, thread, reload, events. Two nodes in this process elect over UDP on loopback.</summary>
public sealed class VirtualRoutersTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    [Trait("Row", "V2")]
    [Trait("Row", "V12")]
    [Trait("Row", "V21")]
    [Trait("Row", "V27")]
    public async Task The_better_node_holds_the_address_and_the_other_takes_over()
    {
        int port = FreePort();
        await using Node a = new("127.0.0.1", "127.0.0.2", port, 200), b = new("127.0.0.2", "127.0.0.1", port, 100);
        await ElectAsync(a, b);
        Assert.True(a.Owner.IsHeld);
        Assert.False(b.Owner.IsHeld);

        await a.StopAsync();
        Assert.Equal("the Active node has resigned", (await b.BecomesAsync(RouterState.Active)).Cause);
        Assert.True(b.Owner.IsHeld);
        Assert.False(a.Owner.IsHeld);
        Assert.Equal((RouterState.Active, 100, "127.0.0.2"), (b.Snapshot.State, b.Snapshot.EffectivePriority, b.Snapshot.ActiveNode.ToIPEndPoint().Address.ToString()));
        Assert.True(b.Snapshot.Statistics.AdvertisementsReceived > 0);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "X4")]
    [Trait("Row", "V7")]
    public async Task The_priority_follows_a_pool_of_the_same_process()
    {
        int port = FreePort();
        await using Node a = new("127.0.0.1", "127.0.0.2", port, 200, r => r.TrackPool("web", weight: -150), s => s.AddServerPool("web").AddServer("127.0.0.1:9"));
        await using Node b = new("127.0.0.2", "127.0.0.1", port, 100);
        await ElectAsync(a, b);

        ServerPool pool = a.Services.GetRequiredService<ServerPools>()["web"];
        pool.SetHealth(pool.Servers[0], ServerHealth.Down);
        RouterPriorityChanged changed = await a.NextAsync<RouterPriorityChanged>();
        Assert.Equal((200, 50), (changed.From, changed.To));
        await b.BecomesAsync(RouterState.Active);
        await a.BecomesAsync(RouterState.Backup);
        pool.SetHealth(pool.Servers[0], ServerHealth.Up);
        await a.BecomesAsync(RouterState.Active);
        await b.BecomesAsync(RouterState.Backup);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "V22")]
    [Trait("Row", "V6")]
    public async Task Nothing_is_claimed_before_what_is_tracked_was_looked_at()
    {
        TaskCompletionSource<bool> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using Node a = new("127.0.0.1", "127.0.0.2", FreePort(), 255, r => r.Track(
            ct =>
            {
                asked.TrySetResult();
                return new ValueTask<bool>(answer.Task.WaitAsync(ct));
            },
            configure: o => o.Timeout = TimeSpan.FromSeconds(30)));
        await a.StartAsync();
        await asked.Task;
        Assert.Equal(RouterState.Backup, a.Snapshot.State);
        answer.SetResult(true);
        await a.BecomesAsync(RouterState.Active);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "V24")]
    [Trait("Row", "X16")]
    public async Task A_Backup_that_was_busy_declares_nobody_dead_whose_adverts_lie_unread()
    {
        int port = FreePort();
        await using Node a = new("127.0.0.1", "127.0.0.2", port, 200), b = new("127.0.0.2", "127.0.0.1", port, 100);
        await ElectAsync(a, b);
        using ManualResetEventSlim gate = new();
        b.Routers.Loop!.Post(_ => gate.Wait(TestContext.Current.CancellationToken));

        // Twice as many adverts as make a node dead, and not one of them read.
        long sent = a.Snapshot.Statistics.AdvertisementsSent + 8;
        while (a.Snapshot.Statistics.AdvertisementsSent < sent) await a.Routers.Loop!.RunAsync(static _ => { });
        gate.Set();
        for (int turn = 0; turn < 3; turn++) await b.Routers.Loop!.RunAsync(static _ => { });
        Assert.Equal((RouterState.Backup, 0L), (b.Snapshot.State, b.Snapshot.Statistics.BecameActive));
        Assert.True((await b.NextAsync<RouterPaused>()).Late > TimeSpan.FromMilliseconds(100));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "V22")]
    public async Task A_unicast_router_takes_part_as_soon_as_its_address_can_be_used()
    {
        // The port is taken: it can't be heard, and says so, until it is free.
        int port = FreePort();
        Socket taken = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ExclusiveAddressUse = true };
        taken.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.1"), port));
        await using Node a = new("127.0.0.1", "127.0.0.2", port, 255);
        await a.StartAsync();
        RouterStateChanged fault = await a.BecomesAsync(RouterState.Fault);
        Assert.StartsWith("the link can't be used: UDP port", fault.Cause, StringComparison.Ordinal);
        taken.Dispose();
        await a.BecomesAsync(RouterState.Active);
    }

    [Fact(Timeout = Limit)]
    [Trait("Point", "57")]
    public async Task A_reload_keeps_the_mastership()
    {
        int port = FreePort();
        await using Node a = new("127.0.0.1", "127.0.0.2", port, 200), b = new("127.0.0.2", "127.0.0.1", port, 100);
        await ElectAsync(a, b);
        a.Priority = 150;
        Assert.Empty(await a.ReloadAsync());
        Assert.Equal((RouterState.Active, 150, 1L), (a.Snapshot.State, a.Snapshot.EffectivePriority, a.Snapshot.Statistics.BecameActive));
        a.Priority = 50;
        Assert.Empty(await a.ReloadAsync());
        await b.BecomesAsync(RouterState.Active);
        await a.BecomesAsync(RouterState.Backup);
    }

    [Fact(Timeout = Limit)]
    public async Task A_router_that_can_not_be_made_leaves_the_running_ones_alone()
    {
        bool breaks = false;
        int port = FreePort();
        await using Node a = new("127.0.0.1", "127.0.0.2", port, 255, services: s => s.AddVirtualRouter("second", o =>
        {
            o.Interface = "lo";
            o.RouterId = 52;
            o.Priority = 255;
            o.Addresses.Add(new VirtualAddressOptions { Address = breaks ? "192.0.2.102/24" : "192.0.2.101/24", OffLink = true });
            o.Unicast = new RouterUnicastOptions { Source = "127.0.0.1", UdpPort = port };
            o.Unicast.Peers.Add("127.0.0.2");
        }).UseAddressOwner(_ => breaks ? throw new InvalidOperationException("the cloud is gone") : new Testing.InMemoryAddressOwner()));
        await a.StartAsync();
        await a.NextAsync<RouterStateChanged>(static e => e is { Router: "second", To: RouterState.Active });
        breaks = true;
        Assert.Equal("Lb:Routers: a router can't be made: the cloud is gone", Assert.Single(await a.ReloadAsync()).ToString());
        Assert.Equal(["192.0.2.101/24"], a.Routers.Find("second")!.Addresses);
        Assert.Equal((RouterState.Active, RouterState.Active), (a.Snapshot.State, a.Routers.Find("second")!.State));
        breaks = false;
        Assert.Empty(await a.ReloadAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task What_needs_a_new_thread_is_refused_while_routers_run()
    {
        TimeSpan ahead = TimeSpan.Zero;
        await using Node a = new("127.0.0.1", "127.0.0.2", FreePort(), 255, services: s => s.AddSingleton<Microsoft.Extensions.Options.IConfigureOptions<LbOptions>>(
            new Microsoft.Extensions.Options.ConfigureOptions<LbOptions>(o => o.Vrrp.QueueAhead = ahead)));
        await a.StartAsync();
        Assert.Empty(await a.ReloadAsync());
        ahead = TimeSpan.FromMilliseconds(100);
        Assert.Equal("Lb:Vrrp: can't be changed while the routers run; start anew", Assert.Single(await a.ReloadAsync()).ToString());
    }

    [Fact(Timeout = Limit)]
    public async Task What_a_configuration_no_longer_has_is_stopped()
    {
        ConfigurationManager configuration = new();
        const string Router = "Lb:Routers:edge";
        foreach ((string key, string value) in new[]
        {
            ("Interface", "lo"), ("RouterId", "51"), ("Priority", "255"), ("Addresses:0:Address", "192.0.2.100/24"), ("Addresses:0:OffLink", "true"), ("AssignAddresses", "false"),
            ("Unicast:Source", "127.0.0.1"), ("Unicast:Peers:0", "127.0.0.2"), ("Unicast:UdpPort", FreePort().ToString(System.Globalization.CultureInfo.InvariantCulture)),
        }) configuration[$"{Router}:{key}"] = value;
        ServiceCollection services = new();
        services.AddLogging();
        services.AddLb(configuration.GetSection("Lb")).AddRouters();
        await using ServiceProvider provider = services.BuildServiceProvider();
        VirtualRouters routers = provider.GetRequiredService<VirtualRouters>();
        LbConfiguration whole = provider.GetRequiredService<LbConfiguration>();
        Assert.Empty(whole.Validate());
        await routers.ApplyAsync(whole.Read(), TestContext.Current.CancellationToken);
        Assert.Equal("edge", Assert.Single(routers.Snapshots).Name);
        await routers.ApplyAsync(new LbOptions(), TestContext.Current.CancellationToken);
        Assert.Empty(routers.Snapshots);
        await routers.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "V32")]
    public async Task Metrics_tell_state_and_priority()
    {
        await using Node a = new("127.0.0.1", "127.0.0.2", FreePort(), 255);
        await a.StartAsync();
        await a.BecomesAsync(RouterState.Active);
        Dictionary<string, long> read = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == "Lb.Vrrp" && ReferenceEquals(instrument.Meter.Scope, a.Services.GetRequiredService<IMeterFactory>())) l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => read[instrument.Name] = value);
        listener.Start();
        long announced = a.Snapshot.Statistics.Announcements;
        listener.RecordObservableInstruments();
        Assert.InRange(read["lb.router.announcements"], announced, a.Snapshot.Statistics.Announcements);
        Assert.Equal((2, 255, 1), (read["lb.router.state"], read["lb.router.priority"], read["lb.router.became_active"]));
        Assert.True(read["lb.router.adverts_sent"] > 0);
        Assert.Equal((0, 0), (read["lb.router.lower_priority_received"], read["lb.router.addresses_restored"]));
    }

    [Fact]
    [Trait("Row", "B7")]
    public void An_address_that_nobody_on_the_link_would_find_is_named()
    {
        ServiceCollection services = new();
        services.AddVirtualRouter("edge", options =>
        {
            options.Interface = "lo";
            options.RouterId = 51;
            options.Addresses.Add(new VirtualAddressOptions { Address = "192.0.2.100/24" });
        });
        bool examines = false;
        services.AddSingleton<Microsoft.Extensions.Options.IConfigureOptions<LbOptions>>(new Microsoft.Extensions.Options.ConfigureOptions<LbOptions>(o => o.ExaminesMachine = examines));
        using ServiceProvider provider = services.BuildServiceProvider();

        // What an interface has may change from one moment to the next: it keeps nothing from running.
        Assert.Empty(provider.GetRequiredService<LbConfiguration>().Validate());
        examines = true;
        ConfigurationError error = Assert.Single(provider.GetRequiredService<LbConfiguration>().Validate());
        Assert.Equal(("Lb:Routers:edge:Addresses:0:Address", "192.0.2.100/24"), (error.Path, error.Value));
        Assert.StartsWith("is in none of the networks of lo: 127.0.0.1/8", error.Message, StringComparison.Ordinal);
    }

    internal static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    // The better one first, so that there is one order of events.
    private static async Task ElectAsync(Node better, Node other)
    {
        await better.StartAsync();
        await better.BecomesAsync(RouterState.Active);
        await other.StartAsync();
        await other.BecomesAsync(RouterState.Backup);
    }
}
