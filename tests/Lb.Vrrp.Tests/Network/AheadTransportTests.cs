using static Lb.Vrrp.Tests.Heard;
using static Lb.Vrrp.Tests.TestNetwork;

namespace Lb.Vrrp.Tests;

/// <summary>A whole router whose next adverts wait in the kernel.</summary>
[Trait("Row", "V31")]
[Trait("Row", "X16")]
public sealed class AheadTransportTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);
    private readonly TestNetwork _network = new();
    private readonly RawReceiver _receiver = new("eth0", false, Group4);
    private readonly AheadTransport _transport;
    private readonly QueuedAdverts _queue;
    private readonly VirtualRouter _router;
    private TimeSpan _now;

    public AheadTransportTests()
    {
        RawMulticastTransport raw = new("eth0", Group4);
        In(_network.A, () => Assert.True(raw.TryBind(Index(), Address("10.0.0.1"), out string? error), error));
        In(_network.B, () => Assert.True(_receiver.TryBind(Index(), out string? error), error));
        QueuedAdverts? queue = QueuedAdverts.TryCreate(out string? reason);
        if (queue is null) _network.Dispose();
        Assert.SkipWhen(queue is null, reason ?? "");
        _queue = queue!;
        _transport = new AheadTransport(raw, _queue, TimeSpan.FromMilliseconds(200));
        RouterOptions options = new() { Interface = "eth0", RouterId = 7, Priority = 254, AdvertisementInterval = Interval, Handover = false };
        options.Addresses.Add(new VirtualAddressOptions { Address = "10.0.0.100/24" });
        options.Track.Add(new RouterTrackOptions { Pool = "web", Weight = -4 });
        _router = new VirtualRouter("edge", options, new RouterLinks { Transport = _transport });
        _router.Start(_now = Clocks.Monotonic());
        _router.Report(0, isWell: true, 0, "well", _now);
        _router.Advance(_now = _router.Deadline);
        Assert.Equal(RouterState.Active, _router.State);
    }

    public void Dispose()
    {
        _router.Dispose();
        _receiver.Dispose();
        _network.Dispose();
    }

    [Fact]
    [Trait("Point", "28")]
    public void Its_adverts_leave_while_nobody_drives_it()
    {
        Assert.True(_transport.IsRunning);
        for (int i = 0; i < 12; i++) Assert.Equal(254, Next(_receiver)!.Bytes[2]);
    }

    [Fact]
    public void What_the_kernel_has_sent_the_router_does_not_send_again()
    {
        for (int i = 0; i < 5; i++) _router.Advance(_now = _router.Deadline);
        int heard = 0;
        while (heard < 4 && Next(_receiver)!.Bytes[2] == 254) heard++;
        _transport.Quiet();
        _transport.Send(Message(99));
        while (Next(_receiver)!.Bytes[1] != 99) heard++;

        // The first one went out as it became Active; all others are the kernel's.
        Assert.Equal(1 + _queue.Sent, heard);
        Assert.Equal(6, _router.Statistics.AdvertisementsSent);
    }

    [Fact]
    [Trait("Point", "53")]
    public void A_changed_priority_is_in_every_advert_from_then_on()
    {
        Assert.Equal(254, Next(_receiver)!.Bytes[2]);
        _router.Report(0, isWell: false, 0, "no quorum", Clocks.Monotonic());
        _transport.Send(Message(99));
        while (Next(_receiver)!.Bytes[1] != 99)
        {
            // Adverts that had left before.
        }

        for (int i = 0; i < 5; i++) Assert.Equal(250, Next(_receiver)!.Bytes[2]);
    }

    [Fact]
    [Trait("Point", "39")]
    public void After_resigning_nothing_leaves_any_more()
    {
        Assert.Equal(254, Next(_receiver)!.Bytes[2]);
        _router.Stop(Clocks.Monotonic());
        Assert.False(_transport.IsRunning);
        byte last;
        do last = Next(_receiver)!.Bytes[2]; while (last == 254);
        Assert.Equal(0, last);

        // As long again as they were queued ahead.
        TimeSpan end = Clocks.Monotonic() + TimeSpan.FromMilliseconds(250);
        using Poller poller = new();
        while (Clocks.Monotonic() < end) poller.Wait(end);
        _transport.Send(Message(99));
        Assert.Equal(99, Next(_receiver)!.Bytes[1]);
    }

    [Fact]
    [Trait("Row", "V5")]
    public void What_became_of_queued_adverts_is_told_once()
    {
        Next(_receiver);
        Assert.Equal(VrrpSendResult.Sent, _transport.TakeResult());
        Ip("-n", _network.A, "link", "set", "eth0", "down");
        _transport.TakeResult();
        long failed = _queue.Failed;
        Until(() => _queue.Failed > failed);
        _transport.Quiet();
        Assert.Equal(VrrpSendResult.LinkDown, _transport.TakeResult());
        Assert.Equal(VrrpSendResult.Sent, _transport.TakeResult());
    }

    [Fact]
    [Trait("Row", "V28")]
    public void A_firewall_that_refuses_queued_adverts_is_told_of()
    {
        Assert.SkipUnless(AcceptFilter.IsSupported, "The program nft (nftables) is not installed.");
        Next(_receiver);
        Run("ip", "netns", "exec", _network.A, "nft", "add table ip t; add chain ip t o { type filter hook output priority 0; }; add rule ip t o ip protocol 112 drop");
        _transport.TakeResult();
        long failed = _queue.Failed;
        Until(() => _queue.Failed > failed);
        Assert.Equal(VrrpSendResult.Refused, _transport.TakeResult());
    }

    private void Until(Func<bool> condition)
    {
        using Poller poller = new();
        poller.Add(_queue.Descriptor);
        for (TimeSpan end = Clocks.Monotonic() + TimeSpan.FromSeconds(10); !condition() && Clocks.Monotonic() < end; _queue.Extend(Clocks.Monotonic())) poller.Wait(end);
        Assert.True(condition());
    }
}
