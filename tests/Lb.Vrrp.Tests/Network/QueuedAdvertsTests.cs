using static Lb.Vrrp.Tests.TestNetwork;
using static Lb.Vrrp.Tests.Heard;

namespace Lb.Vrrp.Tests;

/// <summary>Adverts that the kernel sends by itself.</summary>
public sealed class QueuedAdvertsTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);
    private readonly TestNetwork _network = new();
    private readonly RawMulticastTransport _transport = new("eth0", Group4);
    private readonly RawReceiver _receiver = new("eth0", false, Group4);
    private readonly QueuedAdverts _adverts;

    public QueuedAdvertsTests()
    {
        In(_network.A, () => Assert.True(_transport.TryBind(Index(), Address("10.0.0.1"), out string? error), error));
        In(_network.B, () => Assert.True(_receiver.TryBind(Index(), out string? error), error));
        QueuedAdverts? adverts = QueuedAdverts.TryCreate(out string? reason);
        if (adverts is null) Dispose();
        Assert.SkipWhen(adverts is null, reason ?? "");
        _adverts = adverts!;
    }

    public void Dispose()
    {
        _adverts?.Dispose();
        _transport.Dispose();
        _receiver.Dispose();
        _network.Dispose();
    }

    [Fact]
    [Trait("Row", "V31")]
    [Trait("Point", "28")]
    public void Adverts_leave_at_their_moments_while_their_thread_does_nothing()
    {
        const int Count = 10;
        using ManualResetEventSlim received = new();
        long sent = 0;
        TimeSpan first = default;
        Thread thread = new(() =>
        {
            using QueuedAdverts adverts = QueuedAdverts.TryCreate(out _)!;
            first = Clocks.Monotonic() + Interval;
            adverts.Start(_transport, Message(7), first, Interval, Interval * (Count + 0.5));
            received.Wait();
            adverts.Collect();
            sent = adverts.Sent;
        });
        thread.Start();
        Heard[] all = [.. Enumerable.Range(0, Count).Select(_ => Next(_receiver)!)];
        received.Set();
        thread.Join();
        Assert.Equal(Count, sent);
        for (int i = 0; i < Count; i++)
        {
            Assert.Equal(Message(7), all[i].Bytes);
            Assert.True(all[i].Datagram.ArrivedAt >= first + i * Interval, $"The {i}th came {first + i * Interval - all[i].Datagram.ArrivedAt} too early.");
        }
    }

    [Fact]
    [Trait("Row", "V31")]
    [Trait("Point", "41")]
    public void After_cancel_has_returned_no_queued_advert_leaves()
    {
        TimeSpan horizon = Interval * 20;
        Assert.True(_adverts.Start(_transport, Message(7), Clocks.Monotonic(), Interval, horizon));
        TimeSpan end = Clocks.Monotonic() + horizon + Interval * 3;
        for (int i = 0; i < 3; i++) Assert.Equal(7, Next(_receiver)!.Bytes[1]);
        _adverts.Cancel();
        Assert.Equal((0, 0), (_adverts.Pending, _adverts.Failed));
        long sent = _adverts.Sent;
        _transport.Send(Message(8));
        List<byte> heard = [];
        while (heard.LastOrDefault() != 8) heard.Add(Next(_receiver)!.Bytes[1]);
        Assert.Equal(sent - 3, heard.Count - 1);

        using Poller poller = new();
        while (Clocks.Monotonic() < end) poller.Wait(end);
        _transport.Send(Message(9));
        Assert.Equal(9, Next(_receiver)!.Bytes[1]);
    }

    [Fact]
    [Trait("Row", "V31")]
    [Trait("Point", "53")]
    public void A_new_message_replaces_the_queued_one()
    {
        TimeSpan far = Clocks.Monotonic() + TimeSpan.FromHours(1);
        Assert.True(_adverts.Start(_transport, Message(7), far, Interval, TimeSpan.FromHours(1.001)));
        Assert.True(_adverts.Pending > 100);
        Assert.True(_adverts.Start(_transport, Message(8), Clocks.Monotonic(), Interval, Interval));
        Assert.Equal(8, Next(_receiver)!.Bytes[1]);
    }

    [Fact]
    [Trait("Row", "V31")]
    public void The_queue_is_extended_without_allocating_and_missed_moments_are_left_out()
    {
        TimeSpan now = Clocks.Monotonic();
        Assert.True(_adverts.Start(_transport, Message(7), now + TimeSpan.FromHours(1), Interval, TimeSpan.FromHours(1)));
        _adverts.Extend(now + Interval);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 2; i < 300; i++) Assert.True(_adverts.Extend(now + i * Interval));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.InRange(_adverts.Pending, 298, 301);
        _adverts.Cancel();
        Assert.Equal((0L, 0L, 0), (_adverts.Sent, _adverts.Failed, _adverts.Pending));
        Assert.False(_adverts.Extend(now));

        // An hour late: one leaves at once, not three hundred thousand.
        Assert.True(_adverts.Start(_transport, Message(7), Clocks.Monotonic() - TimeSpan.FromHours(1), TimeSpan.FromHours(1), Interval));
        Assert.Equal(7, Next(_receiver)!.Bytes[1]);
        _adverts.Cancel();
        Assert.Equal(1, _adverts.Sent);
    }

    [Fact]
    [Trait("Row", "V12")]
    public void Each_unicast_peer_gets_its_own()
    {
        Ip("-n", _network.B, "addr", "add", "10.0.0.3/24", "dev", "eth0");
        using RawUnicastTransport unicast = new("eth0", new UnicastPeers([Address("10.0.0.2"), Address("10.0.0.3")]));
        In(_network.A, () => Assert.True(unicast.TryBind(Index(), Address("10.0.0.1"), out string? error), error));
        byte[] message = Message(9);
        SetChecksum(message, PseudoHeader("10.0.0.1", "10.0.0.2", message.Length));
        Assert.True(_adverts.Start(unicast, message, Clocks.Monotonic(), TimeSpan.FromHours(1), Interval));
        Heard[] both = [Next(_receiver)!, Next(_receiver)!];
        Assert.Equal([Address("10.0.0.2"), Address("10.0.0.3")], both.Select(static w => w.Datagram.Destination));
        Assert.All(both, w => Assert.Equal(0xFFFF, Total(w.Bytes, PseudoHeader("10.0.0.1", w.Datagram.Destination.ToIPEndPoint().Address.ToString(), message.Length))));
    }

    [Fact]
    [Trait("Row", "V5")]
    public void A_link_that_is_down_is_counted_with_its_error()
    {
        Ip("-n", _network.A, "link", "set", "eth0", "down");
        Assert.True(_adverts.Start(_transport, Message(7), Clocks.Monotonic(), TimeSpan.FromHours(1), Interval));
        using Poller poller = new();
        poller.Add(_adverts.Descriptor);
        for (TimeSpan end = Clocks.Monotonic() + TimeSpan.FromSeconds(10); _adverts.Pending > 0 && Clocks.Monotonic() < end; _adverts.Collect()) poller.Wait(end);
        Assert.Equal((0L, 1L, VrrpSendResult.LinkDown), (_adverts.Sent, _adverts.Failed, Errno.ToSendResult(_adverts.LastError)));
        _transport.Close();
        Assert.False(_adverts.Start(_transport, Message(7), Clocks.Monotonic(), Interval, Interval));
    }
}
