using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Lb.Contracts.Drivers;

namespace Lb.Transport.Tests.Tls;

/// <summary>Bytes, ends and back-pressure of an established TLS connection, on every driver.</summary>
[Trait("Row", "C1")]
public sealed class TlsStreamTests
{
    private const int Limit = 60_000;

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task Bytes_arrive_both_ways_as_they_were_sent(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (TlsConnection connection, SslStream peer, _) = await lab.PairAsync(recorder);
        byte[] question = TlsLab.Pattern(1_000_003), answer = TlsLab.Pattern(3_000_001);

        await peer.WriteAsync(question);
        PlainSockets.ShouldBeSame(question, await recorder.ReceiveAsync(question.Length));
        await lab.Host.On(() => connection.Send(answer));
        byte[] got = new byte[answer.Length];
        await peer.ReadExactlyAsync(got);

        PlainSockets.ShouldBeSame(answer, got);
        Assert.StartsWith("connected data", recorder.Calls, StringComparison.Ordinal);
        Assert.Equal("www.example.com", connection.ServerName);
        Assert.Equal(SslProtocols.Tls13, await lab.Host.On(() => connection.Protocol));
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task The_handshake_survives_a_client_that_sends_one_byte_at_a_time(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (_, Socket socket) = await lab.AcceptAsync(recorder, lab.Server());
        SslStream peer = lab.Own(new SslStream(new Trickle(new NetworkStream(socket, ownsSocket: true))));
        socket.NoDelay = true;

        await peer.AuthenticateAsClientAsync(TlsLab.ClientOptions("www.example.com"));
        await peer.WriteAsync("hello"u8.ToArray());

        Assert.Equal("hello"u8.ToArray(), await recorder.ReceiveAsync(5));
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task The_peers_close_notify_is_its_end_and_leaves_the_other_direction_open(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (TlsConnection connection, SslStream peer, _) = await lab.PairAsync(recorder);

        await peer.WriteAsync("last"u8.ToArray());
        await peer.ShutdownAsync();
        await recorder.EndOfStream.Task;
        Assert.Equal("last"u8.ToArray(), recorder.Received);
        Assert.Equal("connected data end", recorder.Calls);

        await lab.Host.On(() => connection.Send("still here"u8));
        byte[] got = new byte[10];
        await peer.ReadExactlyAsync(got);
        Assert.Equal("still here"u8.ToArray(), got);
        await lab.Host.On(connection.ShutdownSend);
        Assert.Equal(0, await peer.ReadAsync(got));
        Assert.True(await lab.Host.On(() => connection.IsOpen));
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task Our_end_comes_after_the_pending_bytes_as_close_notify_and_FIN(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (TlsConnection connection, SslStream peer, Socket socket) = await lab.PairAsync(recorder);
        byte[] data = TlsLab.Pattern(12_000_000);

        await lab.Host.On(() =>
        {
            Assert.Equal(SendResult.Pending, connection.Send(data));
            connection.ShutdownSend();
            connection.ShutdownSend();
            Assert.Throws<InvalidOperationException>(() => connection.Send([1]));
        });
        using MemoryStream all = new();
        await peer.CopyToAsync(all);

        PlainSockets.ShouldBeSame(data, all.ToArray());
        await recorder.Drained.Task;
        Assert.Equal(0, await socket.ReceiveAsync(new byte[1]));
        await peer.WriteAsync("heard"u8.ToArray());
        Assert.Equal("heard"u8.ToArray(), await recorder.ReceiveAsync(5));
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task A_FIN_without_close_notify_is_no_end_but_a_break(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (_, SslStream peer, Socket socket) = await lab.PairAsync(recorder);

        await peer.WriteAsync("half of it"u8.ToArray());
        socket.Shutdown(SocketShutdown.Send);

        Assert.Equal(CloseReason.Reset, await recorder.Closed.Task);
        Assert.Equal("connected data closed", recorder.Calls);
        Assert.Equal("half of it"u8.ToArray(), recorder.Received);
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task A_peer_that_was_told_the_end_may_leave_without_close_notify(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (TlsConnection connection, _, Socket socket) = await lab.PairAsync(recorder);

        await lab.Host.On(connection.ShutdownSend);
        socket.Shutdown(SocketShutdown.Send);

        await recorder.EndOfStream.Task;
        Assert.Equal("connected end", recorder.Calls);
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task A_cut_in_the_middle_of_a_record_is_a_break(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (_, _, Socket socket) = await lab.PairAsync(recorder);

        await socket.SendAllAsync(new byte[] { 23, 3, 3, 1, 0, 1, 2, 3 });
        socket.Shutdown(SocketShutdown.Send);

        Assert.Equal(CloseReason.Reset, await recorder.Closed.Task);
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task A_forged_record_is_a_break(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (_, _, Socket socket) = await lab.PairAsync(recorder);

        await socket.SendAllAsync((byte[])[23, 3, 3, 0, 32, .. new byte[32]]);

        Assert.Equal(CloseReason.Reset, await recorder.Closed.Task);
        Assert.Empty(recorder.Received);
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task A_reset_is_a_reset(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (_, _, Socket socket) = await lab.PairAsync(recorder);

        socket.Reset();

        Assert.Equal(CloseReason.Reset, await recorder.Closed.Task);
        Assert.Equal("connected closed", recorder.Calls);
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task A_paused_connection_delivers_nothing_and_loses_nothing(string driver)
    {
        await using TlsLab lab = new(driver);

        // Pauses after every piece: each one must wait for its resume.
        Recorder recorder = new() { AfterData = static c => c.PauseReading() };
        (TlsConnection connection, SslStream peer, _) = await lab.PairAsync(recorder);
        byte[] data = TlsLab.Pattern(2_000_000);
        Task sending = peer.WriteAsync(data).AsTask();
        int resumed = 0;
        while (recorder.Received.Length < data.Length)
        {
            int before = recorder.Received.Length;
            await lab.Host.TurnsAsync();
            if (recorder.Received.Length == before && resumed > 0) Assert.Equal(before, recorder.Received.Length);
            await lab.Host.On(connection.ResumeReading);
            resumed++;
        }

        await sending;
        PlainSockets.ShouldBeSame(data, recorder.Received);
        Assert.True(resumed > data.Length / (2 * TlsScratch.PlainSize), $"{resumed} pieces");
        await lab.Host.On(connection.ResumeReading);
        await peer.ShutdownAsync();
        await recorder.EndOfStream.Task;
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task A_resume_never_delivers_from_within_the_call(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new() { AfterConnected = static c => c.PauseReading() };
        (TlsConnection connection, SslStream peer, _) = await lab.PairAsync(recorder);
        await peer.WriteAsync("waits"u8.ToArray());
        await lab.Host.TurnsAsync();
        Assert.Equal("connected", recorder.Calls);

        await lab.Host.On(() =>
        {
            connection.ResumeReading();
            Assert.Equal("connected", recorder.Calls);
        });

        Assert.Equal("waits"u8.ToArray(), await recorder.ReceiveAsync(5));
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task A_slow_reader_is_told_of_and_drains(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (TlsConnection connection, SslStream peer, _) = await lab.PairAsync(recorder);
        byte[] data = TlsLab.Pattern(8_000_000);

        Assert.Equal(SendResult.Pending, await lab.Host.On(() => connection.Send(data)));
        Assert.True(await lab.Host.On(() => connection.PendingBytes) > 0);
        Assert.False(recorder.Drained.Task.IsCompleted);
        byte[] got = new byte[data.Length];
        await peer.ReadExactlyAsync(got);

        await recorder.Drained.Task;
        PlainSockets.ShouldBeSame(data, got);
        Assert.Equal(0, await lab.Host.On(() => connection.PendingBytes));
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task What_is_sent_before_the_handshake_goes_out_after_it(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (TlsConnection connection, Socket socket) = await lab.AcceptAsync(recorder, lab.Server());
        await lab.Host.On(() =>
        {
            Assert.Equal(SendResult.Pending, connection.Send("early "u8));
            Assert.Equal(SendResult.Pending, connection.Send("bird"u8));
            connection.ShutdownSend();
            Assert.False(connection.IsOpen);
        });
        SslStream peer = lab.Client(socket);
        await peer.AuthenticateAsClientAsync(TlsLab.ClientOptions("www.example.com"));
        using MemoryStream all = new();
        await peer.CopyToAsync(all);

        Assert.Equal("early bird"u8.ToArray(), all.ToArray());
        await recorder.Drained.Task;
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task Close_says_goodbye_and_abort_does_not(string driver)
    {
        await using TlsLab lab = new(driver);
        TlsServer role = lab.Server();
        Recorder first = new(), second = new();
        (TlsConnection closed, SslStream closedPeer, _) = await lab.PairAsync(first, role);
        (TlsConnection aborted, SslStream abortedPeer, _) = await lab.PairAsync(second, role);

        await lab.Host.On(() =>
        {
            closed.Close();
            closed.Close();
            aborted.Abort();
            aborted.Abort();
            Assert.False(closed.IsOpen);
            Assert.Equal(SendResult.Closed, closed.Send([1]));
            Assert.Equal(SendResult.Closed, aborted.Send([1]));
            Assert.Equal(SslProtocols.None, closed.Protocol);
        });

        Assert.Equal(0, await closedPeer.ReadAsync(new byte[1]));
        IOException error = await Assert.ThrowsAnyAsync<IOException>(async () => Assert.Equal(0, await abortedPeer.ReadAsync(new byte[1])));
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
        Assert.Equal("connected", first.Calls);
        Assert.Equal("connected", second.Calls);
    }
}
