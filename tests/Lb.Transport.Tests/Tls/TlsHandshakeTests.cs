using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Lb.Contracts.Drivers;
using Lb.Testing;

namespace Lb.Transport.Tests.Tls;

/// <summary>Handshakes that succeed, fail, hang and are cut off, on every driver.</summary>
[Trait("Row", "C1")]
[Trait("Row", "C2")]
public sealed class TlsHandshakeTests
{
    private const int Limit = 60_000;
    private const byte AlertRecord = 21;

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task Who_does_not_speak_TLS_is_closed_and_named_so(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (TlsConnection connection, Socket peer) = await lab.AcceptAsync(recorder, lab.Server());

        await peer.SendAllAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());

        Assert.Equal(CloseReason.HandshakeFailed, await recorder.Closed.Task);
        Assert.Equal("not TLS", connection.Fault);
        Assert.Empty(await peer.ReadToEndAsync());
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task Garbage_in_a_handshake_record_is_answered_with_an_alert(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (TlsConnection connection, Socket peer) = await lab.AcceptAsync(recorder, lab.Server());

        await peer.SendAllAsync((byte[])[22, 3, 1, 0, 32, .. new byte[32]]);

        Assert.Equal(CloseReason.HandshakeFailed, await recorder.Closed.Task);
        Assert.Equal("no ClientHello", connection.Fault);
        Assert.Equal("closed", recorder.Calls);
        Assert.Equal((byte[])[AlertRecord, 3, 3, 0, 2, 2, 50], await peer.ReadToEndAsync());
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task A_client_without_a_common_version_hears_protocol_version(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        (_, Socket socket) = await lab.AcceptAsync(recorder, lab.Server(o => o.MinVersion = "1.3"));
        SslStream peer = lab.Client(socket);

        AuthenticationException error = await Assert.ThrowsAsync<AuthenticationException>(
            () => peer.AuthenticateAsClientAsync(TlsLab.ClientOptions("www.example.com", SslProtocols.Tls12)));

        Assert.Contains("protocol version", error.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(CloseReason.HandshakeFailed, await recorder.Closed.Task);
    }

    [Theory(Timeout = Limit)]
    [InlineData("epoll", SslProtocols.Tls12)]
    [InlineData("epoll", SslProtocols.Tls13)]
    [InlineData("managed", SslProtocols.Tls12)]
    public async Task Version_protocol_and_cipher_are_those_of_the_options(string driver, SslProtocols version)
    {
        const TlsCipherSuite Old = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, New = TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256;
        await using TlsLab lab = new(driver);
        Recorder recorder = new();
        TlsServer role = lab.Server(o =>
        {
            o.MaxVersion = version == SslProtocols.Tls12 ? "1.2" : "1.3";
            o.Ciphers.Add(nameof(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384));
            o.Ciphers.Add(nameof(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256));
            o.Alpn.Add("h2");
            o.Alpn.Add("http/1.1");
        });
        (TlsConnection connection, Socket socket) = await lab.AcceptAsync(recorder, role);
        SslClientAuthenticationOptions options = TlsLab.ClientOptions("www.example.com");
        options.ApplicationProtocols = [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2];
        SslStream peer = lab.Client(socket);
        await peer.AuthenticateAsClientAsync(options);
        await recorder.Connected.Task;

        Assert.Equal(version, peer.SslProtocol);
        Assert.Equal(version == SslProtocols.Tls12 ? Old : New, peer.NegotiatedCipherSuite);

        // The server's order counts, not the client's.
        Assert.Equal(SslApplicationProtocol.Http2, peer.NegotiatedApplicationProtocol);
        await lab.Host.On(() =>
        {
            Assert.Equal(peer.SslProtocol, connection.Protocol);
            Assert.Equal(peer.NegotiatedCipherSuite, connection.CipherSuite);
            Assert.Equal(SslApplicationProtocol.Http2, connection.Alpn);
        });
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task A_client_that_says_nothing_is_closed_when_its_time_is_over(string driver)
    {
        ManualTimeProvider time = new();
        await using TlsLab lab = new(driver, time);
        Recorder silent = new(), slow = new(), done = new();
        TlsServer role = lab.Server(o => o.HandshakeTimeout = TimeSpan.FromSeconds(3));
        (TlsConnection connection, Socket peer) = await lab.AcceptAsync(silent, role);
        (_, Socket half) = await lab.AcceptAsync(slow, role);
        (TlsConnection open, _, _) = await lab.PairAsync(done, role);
        await half.SendAllAsync(new byte[] { 22, 3, 1 });
        await lab.Host.TurnsAsync();

        time.Advance(TimeSpan.FromMilliseconds(2_900));
        await lab.Host.TurnsAsync();
        Assert.False(silent.Closed.Task.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(200));

        Assert.Equal(CloseReason.HandshakeTimeout, await silent.Closed.Task);
        Assert.Equal(CloseReason.HandshakeTimeout, await slow.Closed.Task);
        Assert.Equal("no handshake in time", connection.Fault);
        Assert.Empty(await peer.ReadToEndAsync());
        Assert.True(await lab.Host.On(() => open.IsOpen));
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task A_client_that_leaves_in_the_handshake_is_no_more_than_that(string driver)
    {
        await using TlsLab lab = new(driver);
        TlsServer role = lab.Server();
        Recorder reset = new(), ended = new(), mute = new();
        (_, Socket first) = await lab.AcceptAsync(reset, role);
        (_, Socket second) = await lab.AcceptAsync(ended, role);
        (TlsConnection third, Socket scanner) = await lab.AcceptAsync(mute, role);
        await first.SendAllAsync(new byte[] { 22, 3, 1, 2 });
        await second.SendAllAsync(new byte[] { 22, 3, 1, 2 });
        await lab.Host.TurnsAsync();

        first.Reset();
        second.Dispose();
        scanner.Dispose();

        Assert.Equal(CloseReason.HandshakeFailed, await reset.Closed.Task);
        Assert.Equal(CloseReason.HandshakeFailed, await ended.Closed.Task);
        Assert.Equal(CloseReason.HandshakeFailed, await mute.Closed.Task);
        Assert.Equal("closed before a word was said", third.Fault);
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task It_may_be_closed_at_any_point_of_the_handshake(string driver)
    {
        await using TlsLab lab = new(driver);
        TlsServer role = lab.Server();
        byte[] hello = await HelloAsync(lab);
        for (int length = 0; length < hello.Length; length += 50)
        {
            Recorder recorder = new();
            (TlsConnection connection, Socket peer) = await lab.AcceptAsync(recorder, role);
            await peer.SendAllAsync(hello.AsMemory(0, length));
            await lab.Host.TurnsAsync();
            bool aborts = length % 100 == 0;
            await lab.Host.On(aborts ? connection.Abort : connection.Close);

            if (aborts) Assert.Equal(SocketError.ConnectionReset, (await Assert.ThrowsAsync<SocketException>(() => peer.ReadToEndAsync())).SocketErrorCode);
            else Assert.Empty(await peer.ReadToEndAsync());
            Assert.Equal("", recorder.Calls);
        }
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task A_handler_that_throws_loses_its_connection_only(string driver)
    {
        await using TlsLab lab = new(driver);
        TlsServer role = lab.Server();
        Recorder bad = new() { AfterData = static _ => throw new InvalidDataException("on purpose") }, good = new();
        (_, SslStream first, _) = await lab.PairAsync(bad, role);
        (_, SslStream second, _) = await lab.PairAsync(good, role);

        await first.WriteAsync(new byte[10]);
        Assert.Equal(CloseReason.LocalError, await bad.Closed.Task);
        await second.WriteAsync(new byte[10]);

        Assert.Equal(10, (await good.ReceiveAsync(10)).Length);
        Assert.Equal("on purpose", (await lab.Host.Errors.Reader.ReadAsync()).Message);
    }

    [Theory(Timeout = Limit)]
    [ClassData(typeof(Drivers))]
    public async Task First_bytes_that_were_read_before_count(string driver)
    {
        await using TlsLab lab = new(driver);
        Recorder recorder = new(), before = new();
        (Connection raw, Socket socket) = await lab.Host.PairAsync(before);
        SslStream peer = lab.Client(socket);
        Task handshake = peer.AuthenticateAsClientAsync(TlsLab.ClientOptions("www.example.com"));
        await before.ReceiveAsync(100);
        TlsServer role = lab.Server();
        await lab.Host.TurnsAsync();
        await lab.Host.On(() => TlsConnection.Begin(raw, recorder, role, before.Received));
        await handshake;
        await peer.WriteAsync("hello"u8.ToArray());

        Assert.Equal("hello"u8.ToArray(), await recorder.ReceiveAsync(5));
    }

    /// <summary>What a client says first.</summary>
    private static async Task<byte[]> HelloAsync(TlsLab lab)
    {
        using Socket listener = lab.Host.Server();
        using Socket socket = await lab.Host.ClientAsync(listener.LocalEndPoint!);
        using Socket accepted = await listener.AcceptAsync();
        using SslStream client = new(new NetworkStream(socket));
        Task handshake = client.AuthenticateAsClientAsync(TlsLab.ClientOptions("www.example.com"));
        byte[] data = new byte[4096];
        int length = await accepted.ReceiveAsync(data);
        accepted.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => handshake);
        return data[..length];
    }
}
