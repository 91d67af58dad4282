using Lb.Testing;

namespace Lb.Vrrp.Tests;

/// <summary>A network that was split comes together again: one Active, and the client is answered.</summary>
[Trait("Row", "B6")]
[Trait("Point", "55")]
public sealed class HealingTests
{
    [Theory]
    [InlineData(false, false, 1, false)]
    [InlineData(false, true, 1, false)]
    [InlineData(true, false, 0.1, false)]
    [InlineData(false, false, 0.1, false)]
    [InlineData(false, true, 0.1, false)]
    [InlineData(false, false, 1, true)]
    public void After_any_heal_the_client_is_answered_within_a_second_in_100_of_100_seeds(bool plainA, bool plainB, double interval, bool isSilent)
    {
        for (int seed = 0; seed < 100; seed++)
        {
            (VrrpSimulation lan, VrrpNode a, VrrpNode b) = Lan.Pair(interval, seed, plainA: plainA, plainB: plainB);
            lan.Jitter = TimeSpan.FromMilliseconds(1);
            lan.Run(Lan.Seconds(9) + (Lan.Seconds(interval) * (seed % 10) / 10));
            if (isSilent) a.Isolate();
            else lan.Partition(a, b);
            lan.Run(Lan.Seconds(7 + (seed * interval / 100)));
            Assert.Equal(["a", "b"], lan.ActiveNodes);
            TimeSpan healed = lan.Now;
            if (isSilent) a.Rejoin();
            lan.Heal();
            lan.Run(Lan.Seconds(20));

            Assert.Equal(["a"], lan.ActiveNodes);
            VrrpSimulationSpan dual = lan.Address(1).DualActive[^1];
            Assert.True(dual.To - healed <= Lan.Seconds(interval) + Lan.Skew(3, 100, Lan.Seconds(interval)), $"seed {seed}: two Active until {dual.To - healed} after the heal");

            // Winner keepalived: it announces again because our last advert tells it that there were two.
            Assert.All(lan.Outages.Where(o => o.To > healed), o => Assert.True(o.To - healed <= Lan.Seconds(1), $"seed {seed}: no answer until {o.To - healed} after the heal"));
            Assert.Equal("a", lan.Address(1).Believed);
        }
    }

    [Fact]
    public void Two_active_nodes_are_told_by_the_one_that_stays()
    {
        (VrrpSimulation lan, VrrpNode a, VrrpNode b) = Lan.Pair();
        lan.Partition(a, b);
        lan.Run(Lan.Seconds(10));
        lan.Heal();
        lan.Run(Lan.Seconds(10));
        DualActiveDetected told = Assert.Single(a.Events.OfType<DualActiveDetected>());
        Assert.Equal(("192.0.2.2", 100), (told.Other, told.OtherPriority));
        Assert.Empty(a.Findings());
        Assert.Empty(b.Findings());
    }

    [Fact]
    [Trait("Row", "B9")]
    public void Where_only_one_direction_is_broken_both_are_Active_and_the_better_one_says_why()
    {
        // b does not hear a.
        (VrrpSimulation lan, VrrpNode a, VrrpNode b) = Lan.Pair();
        lan.CutOneWay(a, b);
        lan.Run(Lan.Seconds(20));
        Assert.Equal(["a", "b"], lan.ActiveNodes);
        RouterMismatch finding = Assert.Single(a.Findings());
        Assert.Equal((MismatchKind.OneWayLink, "192.0.2.2"), (finding.Kind, finding.Peer));

        // The better one goes on calling the client back.
        Assert.Equal("a", lan.Address(1).Believed);
        lan.Heal();
        TimeSpan healed = lan.Now;
        lan.Run(Lan.Seconds(5));
        Assert.Equal(["a"], lan.ActiveNodes);
        Assert.True(lan.Address(1).DualActive[^1].To - healed <= Lan.Seconds(1.61));
    }

    [Fact]
    [Trait("Row", "B9")]
    public void The_other_direction_broken_changes_nothing()
    {
        // a does not hear b, which says nothing as Backup anyway.
        (VrrpSimulation lan, VrrpNode a, VrrpNode b) = Lan.Pair();
        lan.CutOneWay(b, a);
        lan.Run(Lan.Seconds(20));
        Assert.Equal(["a"], lan.ActiveNodes);
        Assert.Empty(lan.Outages);

        // Nor does a handover: it ends with the time of a dead node, as the successor is not heard.
        a.Stop();
        lan.Run(Lan.Seconds(10));
        Assert.Equal(["b"], lan.ActiveNodes);
        Assert.Equal(["b"], lan.Holders);
        Assert.Empty(lan.Outages);
    }

    [Fact]
    [Trait("Row", "B1")]
    public void With_a_second_heartbeat_a_peer_is_dead_only_when_both_are_silent()
    {
        (VrrpSimulation lan, VrrpNode a, VrrpNode b) = Lan.Pair(both: static o => o.HeartbeatInterface = "second");
        lan.Partition(a, b);
        lan.Run(Lan.Seconds(60));
        Assert.Equal(["a"], lan.ActiveNodes);
        lan.Heal();
        lan.Partition(a, b, link: 1);
        lan.Run(Lan.Seconds(60));
        Assert.Equal(["a"], lan.ActiveNodes);
        lan.Partition(a, b);
        lan.Run(Lan.Seconds(4));
        Assert.Equal(["a", "b"], lan.ActiveNodes);
        lan.Heal();
        lan.Run(Lan.Seconds(4));
        a.PowerOff();
        lan.Run(Lan.Seconds(4));
        Assert.Equal(["b"], lan.ActiveNodes);
    }

    [Fact]
    [Trait("Row", "B1")]
    [Trait("Point", "42")]
    public void Two_links_on_which_another_node_has_the_higher_address_make_no_tie_that_both_lose()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            // The heartbeat address of a is the lower one.
            VrrpSimulation lan = new(seed) { Jitter = TimeSpan.FromMilliseconds(1) };
            VrrpNode a = lan.AddNode("a", "192.0.2.2", static o => o.HeartbeatInterface = "second");
            VrrpNode b = lan.AddNode("b", "192.0.2.1", static o => o.HeartbeatInterface = "second");
            lan.Run(Lan.Seconds(60));
            Assert.Single(lan.ActiveNodes);
            Assert.InRange(a.Router().Statistics.BecameActive + b.Router().Statistics.BecameActive, 1, 2);

            // Where only the second link is left, it decides.
            lan.Partition(a, b, link: 0);
            lan.Partition(a, b, link: 1);
            lan.Run(Lan.Seconds(10));
            Assert.Equal(2, lan.ActiveNodes.Count);
            lan.Heal();
            lan.Partition(a, b, link: 0);
            lan.Run(Lan.Seconds(10));
            Assert.Equal(["b"], lan.ActiveNodes);
        }
    }

    [Theory]
    [Trait("Row", "V25")]
    [InlineData(1, 2)]
    [InlineData(0.1, 3)]
    public void A_handover_to_keepalived_leaves_no_gap(double interval, int version)
    {
        (VrrpSimulation lan, VrrpNode a, _) = Lan.Pair(interval, both: o => o.Version = version, plainB: true);
        a.Stop();
        lan.Run(Lan.Seconds(10));
        Assert.Equal(["b"], lan.Holders);
        Assert.True(lan.Outages.Longest() <= TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    [Trait("Row", "B1")]
    [Trait("Row", "V4")]
    public void A_peer_on_two_links_is_one_peer_to_the_preemption_delay()
    {
        (VrrpSimulation lan, VrrpNode a, _) = Lan.Pair(both: static o => { o.HeartbeatInterface = "second"; o.PreemptDelay = TimeSpan.FromSeconds(20); });
        a.PowerOff();
        lan.Run(Lan.Seconds(10));
        a.Start();
        lan.Run(Lan.Seconds(30));
        Assert.Equal(["a"], lan.ActiveNodes);
    }
}
