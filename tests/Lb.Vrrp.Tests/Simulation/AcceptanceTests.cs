using Lb.Testing;

namespace Lb.Vrrp.Tests;

/// <summary>The labs that users of such routers set up by hand, in virtual time.</summary>
public sealed class AcceptanceTests
{
    private static readonly Dictionary<string, (Action<RouterOptions>? Other, Action<VrrpSimulation, VrrpNode, VrrpNode>? Break, MismatchKind Kind)> Splits = new(StringComparer.Ordinal)
    {
        ["different passwords"] = (static o => o.Authentication.Password = "other", null, MismatchKind.Authentication),
        ["different intervals"] = (static o => o.AdvertisementInterval = TimeSpan.FromSeconds(2), null, MismatchKind.Interval),
        ["different lists of addresses"] = (static o => { o.Addresses.Add(new VirtualAddressOptions { Address = "192.0.2.100/24" }); o.Addresses.Add(new VirtualAddressOptions { Address = "192.0.2.150/24" }); }, null, MismatchKind.Addresses),
        ["different versions"] = (static o => { o.Version = 3; o.Authentication.Type = "none"; }, null, MismatchKind.Version),
        ["firewall on one node's way out"] = (null, static (_, a, _) => a.RefusesAdverts = true, MismatchKind.Refused),
        ["firewall on one node's way in"] = (null, static (lan, a, b) => lan.CutOneWay(a, b), MismatchKind.OneWayLink),
    };

    public static TheoryData<string> Causes => [.. Splits.Keys];

    [Fact]
    [Trait("Row", "V2")]
    [Trait("Row", "V25")]
    public void Lab_002_LVS_HA()
    {
        (VrrpSimulation lan, VrrpNode lvs1, _) = Lan.Pair(both: static o => o.Version = 2);
        lvs1.PowerOff();
        TimeSpan at = lan.Now;
        lan.Run(Lan.Seconds(10));
        Assert.Equal(["b"], lan.ActiveNodes);
        Assert.True(Assert.Single(lan.Outages).To - at <= Lan.Down(2, 100, Lan.Seconds(1)) + TimeSpan.FromMilliseconds(1));

        lvs1.Start();
        lan.Run(Lan.Seconds(10));
        Assert.Equal(["a"], lan.ActiveNodes);
        Assert.Equal("a", lan.Address(1).Believed);
        Assert.True(lan.Outages.Skip(1).Longest() <= TimeSpan.FromMicroseconds(100));
    }

    [Fact]
    [Trait("Row", "V6")]
    [Trait("Row", "X4")]
    public void Lab_002_web_HA_a_check_that_fails_moves_the_address_and_it_returns_with_the_service()
    {
        VrrpSimulation lan = new();
        VrrpNode web1 = lan.AddNode("a", "192.0.2.1", static o => { o.Priority = 150; o.Track.Add(new RouterTrackOptions { Pool = "web" }); });
        lan.AddNode("b", "192.0.2.2");
        web1.Report(0, isWell: true);
        lan.Run(Lan.Seconds(5));
        web1.Report(0, isWell: false);
        TimeSpan at = lan.Now;
        lan.Run(Lan.Seconds(5));
        Assert.Equal(["b"], lan.ActiveNodes);
        Assert.True(Assert.Single(lan.Outages).To - at <= Lan.Skew(3, 100, Lan.Seconds(1)) + TimeSpan.FromMilliseconds(1));
        web1.Report(0, isWell: true);
        lan.Run(Lan.Seconds(5));
        Assert.Equal(["a"], lan.ActiveNodes);
    }

    [Fact]
    [Trait("Row", "V6")]
    [Trait("Point", "53")]
    public void Lab_000_a_weight_of_minus_10_takes_100_below_95()
    {
        VrrpSimulation lan = new();
        VrrpNode a = lan.AddNode("a", "192.0.2.1", static o => o.Track.Add(new RouterTrackOptions { Command = { "/bin/check" }, Weight = -10 }));
        lan.AddNode("b", "192.0.2.2", static o => o.Priority = 95);
        a.Report(0, isWell: true);
        lan.Run(Lan.Seconds(10));
        Assert.Equal(["a"], lan.ActiveNodes);
        a.Report(0, isWell: false);
        lan.Run(Lan.Seconds(5));
        Assert.Equal(90, a.Router().EffectivePriority);
        Assert.Equal(["b"], lan.ActiveNodes);
        a.Report(0, isWell: true);
        lan.Run(Lan.Seconds(5));
        Assert.Equal(["a"], lan.ActiveNodes);

        // No hand-over by weight leaves the client without an answer.
        Assert.True(lan.Outages.Longest() <= TimeSpan.FromMicroseconds(100));
    }

    [Fact]
    [Trait("Row", "V14")]
    public void Lab_003_active_active_one_address_each_and_the_survivor_has_both()
    {
        VrrpSimulation lan = new();
        VrrpNode a = lan.AddNode("a", "192.0.2.1", static o => o.Priority = 150), b = lan.AddNode("b", "192.0.2.2");
        a.AddRouter(static o => o.RouterId = 2);
        b.AddRouter(static o => (o.RouterId, o.Priority) = (2, 150));
        lan.Run(Lan.Seconds(10));
        Assert.Equal(["a"], lan.Address(1).Holders);
        Assert.Equal(["b"], lan.Address(2).Holders);
        a.Kill();
        lan.Run(Lan.Seconds(10));
        Assert.Equal(["b"], lan.Address(1).Holders);
        Assert.Equal(["b"], lan.Address(2).Holders);
        Assert.Empty(lan.Address(2).Outages);
        a.Start();
        lan.Run(Lan.Seconds(10));
        Assert.Equal(["a"], lan.ActiveOf(1));
        Assert.Equal(["b"], lan.ActiveOf(2));
    }

    [Fact]
    [Trait("Row", "V15")]
    public void Any_of_four_directors_may_die_and_the_next_in_order_takes_its_address()
    {
        const int n = 4;
        VrrpSimulation lan = new();
        for (int i = 0; i < n; i++)
        {
            int node = i;
            VrrpNode added = lan.AddNode($"n{i}", $"192.0.2.{i + 1}", o => Router(o, 0));
            for (int r = 1; r < n; r++)
            {
                int router = r;
                added.AddRouter(o => Router(o, router));
            }

            // Router r belongs to node r; then r + 1, r + 2...
            void Router(RouterOptions o, int r) => (o.RouterId, o.Priority) = (r + 1, 254 - (10 * ((node - r + n) % n)));
        }

        lan.Run(Lan.Seconds(10));
        bool[] dead = new bool[n];
        foreach (int next in (int[])[1, 2, 0])
        {
            Check();
            lan.Nodes[next].PowerOff();
            dead[next] = true;
            lan.Run(Lan.Seconds(4));
        }

        Check();

        void Check()
        {
            for (int r = 0; r < n; r++)
            {
                int owner = Enumerable.Range(0, n).Select(k => (r + k) % n).First(i => !dead[i]);
                Assert.Equal([$"n{owner}"], lan.Address(r + 1).Holders);
                Assert.True(lan.Address(r + 1).IsAnswered);
            }
        }
    }

    [Theory]
    [Trait("Row", "B7")]
    [MemberData(nameof(Causes))]
    public void Lab_004_every_cause_of_a_split_is_named(string cause)
    {
        (Action<RouterOptions>? other, Action<VrrpSimulation, VrrpNode, VrrpNode>? breaks, MismatchKind kind) = Splits[cause];
        VrrpSimulation lan = new();
        VrrpNode a = lan.AddNode("a", "192.0.2.1", static o => Make(o, 150));
        VrrpNode b = lan.AddNode("b", "192.0.2.2", o =>
        {
            Make(o, 100);
            other?.Invoke(o);
        });
        if (breaks is not null) lan.Run(Lan.Seconds(10));
        breaks?.Invoke(lan, a, b);
        lan.Run(Lan.Seconds(20));
        Assert.Equal(["a", "b"], lan.ActiveNodes);
        RouterMismatch[] findings = [.. a.Findings(), .. b.Findings()];
        Assert.Equal(kind, findings[0].Kind);

        // What follows from the cause may be told too: who is not heard sees that.
        Assert.All(findings, f => Assert.True(f.Kind == kind || f.Kind == MismatchKind.OneWayLink, $"{f.Kind}: {f.Text}"));

        static void Make(RouterOptions o, int priority)
        {
            (o.Version, o.Priority) = (2, priority);
            (o.Authentication.Type, o.Authentication.Password) = ("pass", "secret");
        }
    }

    [Fact]
    [Trait("Row", "B7")]
    [Trait("Row", "V18")]
    public void Lab_004_two_routers_with_one_number_are_named()
    {
        VrrpSimulation lan = new();
        VrrpNode a = lan.AddNode("a", "192.0.2.1", static o => o.Priority = 150);
        VrrpNode b = lan.AddNode("b", "192.0.2.2", static o => o.Addresses.Add(new VirtualAddressOptions { Address = "192.0.2.50/24" }));
        lan.Run(Lan.Seconds(10));
        Assert.Equal(MismatchKind.RouterId, Assert.Single(b.Findings()).Kind);
        Assert.Empty(a.Findings());
    }

    [Fact]
    [Trait("Row", "V13")]
    [Trait("Point", "52")]
    public void A_group_moves_together()
    {
        VrrpSimulation lan = new();
        VrrpNode a = lan.AddNode("a", "192.0.2.1", static o => o.Priority = 150), b = lan.AddNode("b", "192.0.2.2");
        a.AddRouter(static o => (o.RouterId, o.Priority) = (2, 150));
        b.AddRouter(static o => o.RouterId = 2);
        foreach (VrrpNode node in (VrrpNode[])[a, b]) _ = new SyncGroup("g", [node.Router(1), node.Router(2)]);
        lan.Run(Lan.Seconds(10));
        Assert.Equal(["a"], lan.ActiveOf(1));
        Assert.Equal(["a"], lan.ActiveOf(2));

        a.Drive(static (r, now) => r.SetFault("test", now));
        Assert.Equal((RouterState.Fault, RouterState.Fault), (a.State(1), a.State(2)));
        lan.Run(Lan.Seconds(5));
        Assert.Equal(["b"], lan.Address(1).Holders);
        Assert.Equal(["b"], lan.Address(2).Holders);

        a.Drive(static (r, now) => r.ClearFault("test", now));
        lan.Run(Lan.Seconds(10));
        Assert.Equal(["a"], lan.Address(1).Holders);
        Assert.Equal(["a"], lan.Address(2).Holders);
    }

    [Fact]
    [Trait("Row", "V13")]
    public void One_broken_link_of_a_group_moves_nothing_and_two_move_all()
    {
        // Two networks with the same two nodes: each group has a member in both.
        VrrpSimulation outside = new(), inside = new();
        VrrpNode a = outside.AddNode("a", "192.0.2.1", static o => o.Priority = 150), b = outside.AddNode("b", "192.0.2.2");
        VrrpNode c = inside.AddNode("a", "198.51.100.1", static o => o.Priority = 150), d = inside.AddNode("b", "198.51.100.2");
        _ = new SyncGroup("g", [a.Router(1), c.Router(1)]);
        _ = new SyncGroup("g", [b.Router(1), d.Router(1)]);
        Run(10);
        Assert.Equal((RouterState.Active, RouterState.Active, RouterState.Backup, RouterState.Backup), States());

        inside.Partition(c, d);
        Run(60);
        Assert.Equal((RouterState.Active, RouterState.Active, RouterState.Backup, RouterState.Backup), States());
        Assert.Equal((0, 0), (b.Router(1).Statistics.BecameActive, d.Router(1).Statistics.BecameActive));

        outside.Partition(a, b);
        Run(10);
        Assert.Equal((1, 1), (b.Router(1).Statistics.BecameActive, d.Router(1).Statistics.BecameActive));
        Assert.Equal((RouterState.Active, RouterState.Active), (b.State(1), d.State(1)));

        void Run(int seconds)
        {
            for (int tick = 0; tick < seconds * 100; tick++)
            {
                outside.Run(TimeSpan.FromMilliseconds(10));
                inside.Run(TimeSpan.FromMilliseconds(10));
            }
        }

        (RouterState, RouterState, RouterState, RouterState) States() => (a.State(1), c.State(1), b.State(1), d.State(1));
    }

    [Fact]
    [Trait("Row", "V13")]
    public void A_weight_of_one_member_counts_for_its_group_which_moves_once()
    {
        VrrpSimulation lan = new();
        VrrpNode a = lan.AddNode("a", "192.0.2.1", static o =>
        {
            o.Priority = 150;
            o.Track.Add(new RouterTrackOptions { Pool = "web", Weight = -100 });
        });
        VrrpNode b = lan.AddNode("b", "192.0.2.2");
        a.AddRouter(static o => (o.RouterId, o.Priority) = (2, 150));
        b.AddRouter(static o => o.RouterId = 2);
        foreach (VrrpNode node in (VrrpNode[])[a, b]) _ = new SyncGroup("g", [node.Router(1), node.Router(2)]);
        a.Report(0, isWell: true);
        lan.Run(Lan.Seconds(10));
        Assert.Equal(["a"], lan.ActiveOf(2));
        a.Report(0, isWell: false);
        lan.Run(Lan.Seconds(120));
        Assert.Equal((50, 50), (a.Router(1).EffectivePriority, a.Router(2).EffectivePriority));
        Assert.Equal(["b"], lan.Address(1).Holders);
        Assert.Equal(["b"], lan.Address(2).Holders);
        Assert.Equal((1, 1), (b.Router(1).Statistics.BecameActive, b.Router(2).Statistics.BecameActive));
        a.Report(0, isWell: true);
        lan.Run(Lan.Seconds(120));
        Assert.Equal(["a"], lan.ActiveOf(1));
        Assert.Equal(["a"], lan.ActiveOf(2));
        Assert.Equal((1, 1), (b.Router(1).Statistics.BecameActive, b.Router(2).Statistics.BecameActive));
    }
}
