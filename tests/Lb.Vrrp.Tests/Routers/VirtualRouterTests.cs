namespace Lb.Vrrp.Tests;

public sealed class VirtualRouterTests
{
    // RFC 9568 6.1 with priority 150: 3 s and (256 - 150) / 256 s of skew.
    private const double Down = 3 + (106 / 256.0);

    [Fact]
    [Trait("Row", "V2")]
    [Trait("Point", "32")]
    public void It_takes_over_after_the_time_of_the_RFC_with_the_address_first_then_the_neighbours_then_the_advert()
    {
        RouterBench bench = new();
        bench.Run(Down - 0.000001);
        Assert.Equal(RouterState.Backup, bench.Router.State);
        bench.Run(0.000001);
        Assert.Equal(RouterState.Active, bench.Router.State);
        Assert.Equal(["acquire", "announce", "announce", "announce", "announce", "announce", "send 150"], bench.Order);
        RouterStateChanged told = Assert.IsType<RouterStateChanged>(bench.Events[^1]);
        Assert.Equal((RouterState.Backup, RouterState.Active, 150), (told.From, told.To, told.Priority));
    }

    [Fact]
    [Trait("Row", "V2")]
    [Trait("Point", "41")]
    public void Who_gives_way_says_one_last_advert_before_it_lets_go()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        bench.Hear(200);
        Assert.Equal(["send 150", "release"], bench.Order);
        Assert.Equal(RouterState.Backup, bench.Router.State);
    }

    [Theory]
    [Trait("Row", "V25")]
    [Trait("Point", "39")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_stop_resigns_and_hands_over(bool handover)
    {
        RouterBench bench = new(o => o.Handover = handover);
        bench.BecomeActive();
        bench.Router.Stop(bench.Now);
        if (handover)
        {
            Assert.Equal((RouterState.Resigning, true), (bench.Router.State, bench.Owner.IsHeld));
            int announced = bench.Announcer.Sent;
            bench.Run(0.9);
            Assert.Equal(announced, bench.Announcer.Sent);
            bench.Hear(100);
        }

        Assert.Equal(["send 0", "release"], bench.Order);
        Assert.Equal((RouterState.Initialize, false), (bench.Router.State, bench.Owner.IsHeld));
        Assert.Equal(TimeSpan.MaxValue, bench.Router.Deadline);

        bench.Router.Start(bench.Now);
        Assert.Equal(RouterState.Backup, bench.Router.State);
    }

    [Fact]
    [Trait("Row", "V25")]
    public void A_handover_without_a_successor_ends_by_itself_and_a_second_stop_ends_it_at_once()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        bench.Router.Stop(bench.Now);
        bench.Run(Down);
        Assert.Equal((RouterState.Initialize, false), (bench.Router.State, bench.Owner.IsHeld));

        bench = new RouterBench();
        bench.BecomeActive();
        bench.Router.Stop(bench.Now);
        bench.Router.Stop(bench.Now);
        Assert.Equal((RouterState.Initialize, false), (bench.Router.State, bench.Owner.IsHeld));
    }

    [Fact]
    [Trait("Row", "V5")]
    [Trait("Point", "51")]
    public void It_is_in_fault_until_the_last_reason_is_gone()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        bench.Router.SetFault("a", bench.Now);
        bench.Router.SetFault("b", bench.Now);
        bench.Router.SetFault("a", bench.Now);
        Assert.Equal(["send 0", "release"], bench.Order);
        Assert.Equal(["a", "b"], bench.Router.Snapshot().Faults);
        bench.Router.ClearFault("a", bench.Now);
        Assert.Equal(RouterState.Fault, bench.Router.State);
        bench.Router.ClearFault("b", bench.Now);
        Assert.Equal(RouterState.Backup, bench.Router.State);
        Assert.Empty(bench.Router.Snapshot().Faults);
    }

    [Fact]
    [Trait("Row", "V5")]
    [Trait("Point", "51")]
    public void A_send_that_finds_the_link_gone_is_a_fault_and_the_link_ends_it()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        bench.Transport.Result = VrrpSendResult.LinkDown;
        bench.Run(1);
        Assert.Equal((RouterState.Fault, false), (bench.Router.State, bench.Owner.IsHeld));
        Assert.Equal(0, bench.Router.Statistics.ResignationsSent);
        bench.Transport.Result = VrrpSendResult.Sent;
        bench.Router.LinkChanged(bench.Now);
        Assert.Equal(RouterState.Backup, bench.Router.State);
    }

    [Fact]
    [Trait("Row", "V22")]
    public void Even_the_owner_claims_nothing_when_it_starts_with_a_fault()
    {
        RouterBench bench = new(o => o.Priority = 255, start: false);
        bench.Transport.Source = default;
        bench.Router.Start(bench.Now);
        Assert.Equal(RouterState.Fault, bench.Router.State);
        Assert.Empty(bench.Order);
    }

    [Fact]
    [Trait("Row", "V22")]
    [Trait("Point", "54")]
    public void Nothing_is_claimed_before_everything_tracked_was_looked_at()
    {
        RouterBench bench = new(static o => o.Track.Add(new RouterTrackOptions { Pool = "web", Weight = -10 }));
        bench.Run(60);
        Assert.Equal(RouterState.Backup, bench.Router.State);
        Assert.Empty(bench.Order);
        bench.Router.Report(0, isWell: true, 0, "quorum", bench.Now);
        Assert.Equal(RouterState.Active, bench.Router.State);
    }

    [Fact]
    [Trait("Row", "V6")]
    [Trait("Row", "X4")]
    [Trait("Point", "53")]
    public void A_weight_is_in_the_next_advert_and_no_weight_is_a_fault()
    {
        RouterBench bench = new(static o =>
        {
            o.Track.Add(new RouterTrackOptions { Pool = "web", Weight = -10 });
            o.Track.Add(new RouterTrackOptions { Interface = "eth1" });
        });
        bench.Router.Report(0, isWell: true, 0, "well", bench.Now);
        bench.Router.Report(1, isWell: true, 0, "up", bench.Now);
        bench.BecomeActive();
        bench.Router.Report(0, isWell: false, 0, "no quorum", bench.Now);
        Assert.Equal(140, bench.Router.EffectivePriority);
        bench.Run(1);
        Assert.Equal("send 140", bench.Order[^1]);
        RouterPriorityChanged told = Assert.Single(bench.Events.OfType<RouterPriorityChanged>());
        Assert.Equal((150, 140, "no quorum"), (told.From, told.To, told.Cause));

        bench.Router.Report(1, isWell: false, 0, "down", bench.Now);
        Assert.Equal(["tracked: interface eth1"], bench.Router.Snapshot().Faults);
        bench.Router.Report(1, isWell: true, 0, "up", bench.Now);
        Assert.Equal(RouterState.Backup, bench.Router.State);
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.Router.Report(2, isWell: true, 0, "", bench.Now));
    }

    [Fact]
    [Trait("Row", "X16")]
    [Trait("Row", "V24")]
    public void A_pause_of_its_own_is_told_and_nobody_is_dead_for_it()
    {
        RouterBench bench = new();
        bench.Hear(200);
        bench.Sleep(10);
        TimeSpan late = bench.Router.Late(bench.Now);
        Assert.Equal(10 - Down, late.TotalSeconds, 6);
        bench.Router.Paused(late, bench.Now);
        bench.Router.Advance(bench.Now);
        Assert.Equal(RouterState.Backup, bench.Router.State);
        Assert.Equal(late, Assert.Single(bench.Events.OfType<RouterPaused>()).Late);
        bench.Run(Down);
        Assert.Equal((RouterState.Active, 1), (bench.Router.State, bench.Router.Statistics.Pauses));
    }

    [Fact]
    [Trait("Row", "V32")]
    public void It_counts_as_keepalived_does()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        bench.Hear(100);
        bench.Hear(0);
        bench.Hear(100, ttl: 254);
        bench.Hear(200);
        RouterStatistics counted = bench.Router.Statistics;
        Assert.Equal((3, 1, 1, 1), (counted.AdvertisementsReceived, counted.ResignationsReceived, counted.LowerPriorityReceived, counted.Discarded(ReceiveFault.TimeToLive)));
        Assert.Equal((1, 1, 1), (counted.DiscardedTotal, counted.BecameActive, counted.ReleasedActive));
        Assert.Equal(bench.Transport.Count, counted.AdvertisementsSent);
        Assert.Equal(bench.Announcer.Sent, counted.Announcements);
    }

    [Fact]
    [Trait("Row", "V32")]
    public void The_snapshot_follows_the_node_that_is_Active()
    {
        RouterBench bench = new();
        bench.Hear(200);
        RouterSnapshot first = bench.Router.Snapshot();
        Assert.Equal((RouterState.Backup, "192.0.2.2:0", 200), (first.State, first.ActiveNode.ToString(), first.ActivePriority));
        bench.Hear(200);
        Assert.Same(first, bench.Router.Snapshot());
        bench.Hear(210, "192.0.2.3");
        Assert.Equal(("192.0.2.3:0", 210), (bench.Router.Snapshot().ActiveNode.ToString(), bench.Router.Snapshot().ActivePriority));
        bench.Run(4);
        Assert.Equal((RouterState.Active, "192.0.2.1:0", 150), (bench.Router.Snapshot().State, bench.Router.Snapshot().ActiveNode.ToString(), bench.Router.Snapshot().ActivePriority));
        Assert.Equal(["192.0.2.100/24"], bench.Router.Snapshot().Addresses);
    }

    [Fact]
    [Trait("Row", "V31")]
    public void Adverts_are_sent_and_received_without_allocating()
    {
        RouterBench active = new(), backup = new();
        active.Transport.Sent = null;
        active.BecomeActive();
        active.Announcer.Announced = null;
        byte[] advert = active.Transport.Last.ToArray();
        VrrpDatagram datagram = new() { Source = active.Transport.Source, Destination = active.Transport.Destination, TimeToLive = 255 };
        backup.Transport.Source = Peer();
        backup.Router.LinkChanged(backup.Now);
        TimeSpan now = TimeSpan.FromSeconds(10);
        long sent = active.Transport.Count;
        for (int warm = 0; warm < 2; warm++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
            {
                now += TimeSpan.FromSeconds(1);
                active.Router.Advance(now);
                backup.Router.Receive(advert, datagram with { ArrivedAt = now }, now);
            }

            if (warm == 1) Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(2000, active.Transport.Count - sent);
        Assert.Equal(2000, backup.Router.Statistics.AdvertisementsReceived);

        static PeerAddress Peer() => PeerAddress.TryParse(RouterBench.Peer, out PeerAddress peer) ? peer : default;
    }

    [Fact]
    [Trait("Row", "V2")]
    [Trait("Point", "59")]
    public void Ten_thousand_random_packets_change_nothing()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        using Testing.InMemoryVrrpTransport peer = new(RouterBench.Peer);
        byte[] good = new RouterMessages(bench.Options, new RouterLinks { Transport = peer }, TimeProvider.System).Write(200).ToArray();
        Random random = new(59);
        byte[] bytes = new byte[64];
        for (int i = 0; i < 10_000; i++)
        {
            random.NextBytes(bytes);
            int length = random.Next(bytes.Length);

            // Every other one is a good advert with some bytes changed, so that more than the first check is reached.
            if (i % 2 == 0)
            {
                good.CopyTo(bytes, 0);
                length = good.Length;
                bytes[random.Next(length)] ^= (byte)random.Next(1, 256);
            }

            bench.Hear(bytes.AsSpan(0, length));
        }

        Assert.Equal(RouterState.Active, bench.Router.State);
        Assert.Equal((0, 10_000), (bench.Router.Statistics.AdvertisementsReceived, bench.Router.Statistics.DiscardedTotal));
        Assert.InRange(bench.Findings.Count(), 1, Enum.GetValues<MismatchKind>().Length);
    }
}
