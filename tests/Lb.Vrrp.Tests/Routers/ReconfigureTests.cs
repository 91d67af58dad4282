namespace Lb.Vrrp.Tests;

[Trait("Point", "57")]
public sealed class ReconfigureTests
{
    private static readonly Dictionary<string, Action<RouterOptions>> Rebuilding = new(StringComparer.Ordinal)
    {
        ["interface"] = static o => o.Interface = "eth1",
        ["number"] = static o => o.RouterId = 52,
        ["version"] = static o => o.Version = 2,
        ["address"] = static o => o.Addresses.Add(new VirtualAddressOptions { Address = "192.0.2.101/24" }),
        ["excluded address"] = static o => o.ExcludedAddresses.Add(new VirtualAddressOptions { Address = "192.0.2.102/24" }),
        ["authentication"] = static o => o.Authentication.Type = "hmac",
        ["key"] = static o => o.Authentication.Keys["1"] = "0123456789abcdef",
        ["peers"] = static o => o.Unicast = new RouterUnicastOptions { Peers = { "192.0.2.2" } },
        ["second link"] = static o => o.HeartbeatInterface = "eth2",
        ["virtual MAC"] = static o => o.VirtualMac.Enabled = true,
        ["lifetime"] = static o => o.AddressLifetime = TimeSpan.FromSeconds(5),
        ["group"] = static o => o.SyncGroup = "g",
    };

    public static TheoryData<string> Names => [.. Rebuilding.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_a_router_is_made_of_is_not_changed_in_place(string name)
    {
        RouterBench bench = new();
        bench.BecomeActive();
        Assert.False(bench.Router.Reconfigure(RouterBench.Make(Rebuilding[name]), bench.Now));
        Assert.Empty(bench.Order);
        Assert.Same(bench.Options, bench.Router.Options);
    }

    [Fact]
    public void Everything_else_is_changed_without_a_change_of_hands()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        Assert.True(bench.Router.Reconfigure(RouterBench.Make(static o => { o.Priority = 120; o.AdvertisementInterval = TimeSpan.FromSeconds(0.1); }), bench.Now));
        bench.Run(1);
        Assert.Equal(RouterState.Active, bench.Router.State);
        Assert.DoesNotContain("release", bench.Order);
        Assert.InRange(bench.Order.Count(static c => c == "send 120"), 10, 11);
        Assert.Equal(10, bench.Transport.Last.Span[5]); // 0.1 s in 1/100 s.
        Assert.Equal((120, 120), (bench.Router.Snapshot().Priority, bench.Router.Snapshot().EffectivePriority));
        RouterPriorityChanged told = Assert.Single(bench.Events.OfType<RouterPriorityChanged>());
        Assert.Equal((150, 120), (told.From, told.To));
    }

    [Fact]
    public void What_was_tracked_before_stays_known()
    {
        static void Track(RouterOptions o, int weight)
        {
            o.Track.Add(new RouterTrackOptions { Interface = "eth9", Weight = -5 });
            o.Track.Add(new RouterTrackOptions { Pool = "web", Weight = weight });
        }

        RouterBench bench = new(static o => Track(o, -10));
        bench.Router.Report(0, isWell: true, 0, "up", bench.Now);
        bench.Router.Report(1, isWell: false, 0, "no quorum", bench.Now);
        bench.BecomeActive();
        Assert.True(bench.Router.Reconfigure(RouterBench.Make(static o => o.Track.Add(new RouterTrackOptions { Pool = "web", Weight = -20 })), bench.Now));
        Assert.Equal(130, bench.Router.EffectivePriority);
        Assert.True(bench.Router.Reconfigure(RouterBench.Make(static o => Track(o, 0)), bench.Now));
        Assert.Equal((RouterState.Fault, 150), (bench.Router.State, bench.Router.EffectivePriority));
        Assert.True(bench.Router.Reconfigure(RouterBench.Make(null), bench.Now));
        Assert.Equal(RouterState.Backup, bench.Router.State);
    }

    [Fact]
    public void Other_announcements_begin_at_once()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        bench.Run(10);
        int announced = bench.Announcer.Sent;
        Assert.True(bench.Router.Reconfigure(RouterBench.Make(static o => o.Announce = new RouterAnnounceOptions { Repeat = 2, Refresh = TimeSpan.Zero, Delay = TimeSpan.Zero }), bench.Now));
        Assert.Equal(announced + 2, bench.Announcer.Sent);
        bench.Run(10);
        Assert.Equal(announced + 2, bench.Announcer.Sent);
    }
}
