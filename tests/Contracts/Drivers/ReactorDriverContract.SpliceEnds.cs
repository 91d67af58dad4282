using System.Net.Sockets;
using Lb.Transport;

namespace Lb.Contracts.Drivers;

/// <content>How transfers by splice(2) end.</content>
public abstract partial class ReactorDriverContract
{
    [Theory(Timeout = Limit)]
    [Trait("Row", "T4")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_source_that_closes_leaves_its_spliced_bytes_to_the_reader(bool isBroken)
    {
        await using LoopHost host = Host();
        (Relay relay, Socket source, Socket sink) = await SplicingAsync(host);
        byte[] data = Pattern(BulkLength);
        long before = await StallAsync(host, relay, source, sink, data);

        long sent = await host.On(() =>
        {
            if (isBroken) relay.Client!.Abort();
            else relay.Client!.Close();
            Assert.InRange(relay.Server!.PendingBytes, 1, 256 * 1024);
            relay.Server.ShutdownSend();
            return relay.Copied + relay.Spliced - before;
        });

        AssertSame(Repeat(data, sent), await sink.ReadToEndAsync());
        await EndedAsync(host);
    }

    [Theory(Timeout = Limit)]
    [Trait("Row", "T4")]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_reset_in_the_middle_reaches_the_other_side(bool bySource, bool isStalled)
    {
        await using LoopHost host = Host();
        (Relay relay, Socket source, Socket sink) = await SplicingAsync(host);
        byte[] data = Pattern(1 << 20);
        using CancellationTokenSource enough = new();
        if (isStalled) await StallAsync(host, relay, source, sink, data);

        // Whoever resets does so between two operations of its own: a socket disposed of in the middle of one says more than a reset.
        Task sending = Task.Run(async () =>
        {
            while (!bySource || !(isStalled || enough.IsCancellationRequested)) await source.SendAllAsync(data);
            source.Reset();
        });
        Task reading = Task.Run(async () =>
        {
            byte[] block = new byte[100_000];
            if (isStalled && bySource) await sending;
            while (bySource || !(isStalled || enough.IsCancellationRequested)) Assert.NotEqual(0, await sink.ReceiveAsync(block));
            sink.Reset();
        });
        if (!isStalled) await UntilSplicedAsync(host, relay);
        await enough.CancelAsync();

        // The other side hears a reset, and not an end: it must not take what it has for everything.
        SocketException heard = await Assert.ThrowsAsync<SocketException>(() => bySource ? reading : sending);
        Assert.True(
            heard.SocketErrorCode == SocketError.ConnectionReset || (!bySource && heard.SocketErrorCode == SocketError.Shutdown), // EPIPE
            $"{heard.SocketErrorCode}");
        await (bySource ? sending : reading);
        Assert.Equal(CloseReason.Reset, await relay.Closed.Task);
        await EndedAsync(host);
    }
}
