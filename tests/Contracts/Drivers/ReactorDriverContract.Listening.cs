using System.Net;
using System.Net.Sockets;
using Lb.Transport;

namespace Lb.Contracts.Drivers;

public abstract partial class ReactorDriverContract
{
    [Theory(Timeout = Limit)]
    [InlineData("127.0.0.1", "127.0.0.1", "127.0.0.1")]
    [InlineData("::1", "::1", "::1")]
    [InlineData("0.0.0.0", "127.0.0.1", "127.0.0.1")]
    [InlineData("::", "::1", "::1")]
    [InlineData("::", "127.0.0.1", "127.0.0.1")]
    public async Task Listens_and_knows_both_addresses(string listen, string connect, string seen)
    {
        await using LoopHost host = Host();
        Acceptor acceptor = new(_ => Echo.Instance);
        Listener listener = await host.ListenAsync(acceptor, new IPEndPoint(IPAddress.Parse(listen), 0));
        IPEndPoint local = Assert.IsType<IPEndPoint>(listener.LocalEndPoint);
        Assert.NotEqual(0, local.Port);
        Assert.Equal(listen, local.Address.ToString());

        Recorder recorder = new();
        Connection outgoing = await host.ConnectAsync(new IPEndPoint(IPAddress.Parse(connect), local.Port), recorder);
        await recorder.Connected.Task;
        Connection incoming = await acceptor.NextAsync();

        await host.On(() =>
        {
            outgoing.GetPeer(out PeerAddress outgoingPeer);
            outgoing.GetLocal(out PeerAddress outgoingLocal);
            incoming.GetPeer(out PeerAddress incomingPeer);
            incoming.GetLocal(out PeerAddress incomingLocal);
            Assert.Equal(PeerAddress.From(new IPEndPoint(IPAddress.Parse(seen), local.Port)), outgoingPeer);
            Assert.Equal(outgoingPeer, incomingLocal);
            Assert.Equal(outgoingLocal, incomingPeer);
            Assert.NotEqual(0, outgoingLocal.Port);
            outgoing.Send("hello"u8);
        });
        Assert.Equal("hello"u8.ToArray(), await recorder.ReceiveAsync(5));
        await host.On(() =>
        {
            incoming.GetPeer(out PeerAddress before);
            incoming.Close();
            incoming.GetPeer(out PeerAddress after);
            incoming.GetLocal(out PeerAddress none);
            Assert.Equal(before, after);
            Assert.True(none.IsEmpty);
        });
    }

    [Fact(Timeout = Limit)]
    public async Task Without_dual_mode_an_ipv6_listener_leaves_ipv4_alone()
    {
        await using LoopHost host = Host();
        Listener listener = await host.ListenAsync(
            new Acceptor(_ => Echo.Instance), new IPEndPoint(IPAddress.IPv6Any, 0), new ListenOptions { DualMode = false });
        int port = ((IPEndPoint)listener.LocalEndPoint).Port;

        SocketException exception = await Assert.ThrowsAsync<SocketException>(
            () => host.ClientAsync(new IPEndPoint(IPAddress.Loopback, port)));
        Assert.Equal(SocketError.ConnectionRefused, exception.SocketErrorCode);
        await host.ClientAsync(new IPEndPoint(IPAddress.IPv6Loopback, port));
    }

    [Fact(Timeout = Limit)]
    public async Task An_address_in_use_is_an_exception()
    {
        await using LoopHost host = Host();
        Listener listener = await host.ServeAsync(Echo.Instance);

        SocketException exception = await Assert.ThrowsAsync<SocketException>(
            () => host.ListenAsync(new Acceptor(_ => Echo.Instance), listener.LocalEndPoint));
        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);

        // And it is free again at once after closing, although connections of it still live.
        Socket client = await host.ClientAsync(listener.LocalEndPoint);
        await client.SendAsync("x"u8.ToArray());
        await client.ReadAsync(1);
        await host.On(listener.Close);
        await host.ListenAsync(new Acceptor(_ => Echo.Instance), listener.LocalEndPoint);
    }

    [Fact(Timeout = Limit)]
    public async Task A_foreign_address_is_an_exception()
    {
        await using LoopHost host = Host();
        SocketException exception = await Assert.ThrowsAsync<SocketException>(
            () => host.ListenAsync(new Acceptor(_ => Echo.Instance), new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0)));
        Assert.Equal(SocketError.AddressNotAvailable, exception.SocketErrorCode);
        await Assert.ThrowsAsync<ArgumentException>(
            () => host.ListenAsync(new Acceptor(_ => Echo.Instance), new DnsEndPoint("localhost", 0)));
        await Assert.ThrowsAsync<ArgumentException>(() => host.ConnectAsync(new DnsEndPoint("localhost", 1), new Recorder()));
    }

    [Fact(Timeout = Limit)]
    public async Task Several_loops_share_a_port()
    {
        Assert.SkipUnless(EventLoops.SupportsReusePort, "This system can't share a port between loops.");
        await using LoopHost first = Host();
        await using LoopHost second = Host();
        Acceptor one = new(_ => Echo.Instance);
        Acceptor two = new(_ => Echo.Instance);
        Listener listener = await first.ListenAsync(one, options: new ListenOptions { ReusePort = true });
        await second.ListenAsync(two, listener.LocalEndPoint, new ListenOptions { ReusePort = true });

        // The kernel spreads them by a hash: 64 connections on one side only would be a chance of 2^-63.
        for (int i = 0; i < 64; i++)
        {
            Socket client = await first.ClientAsync(listener.LocalEndPoint);
            await client.SendAsync("x"u8.ToArray());
            await client.ReadAsync(1);
        }

        Assert.Equal(64, one.Count + two.Count);
        Assert.NotEqual(0, one.Count);
        Assert.NotEqual(0, two.Count);
        await first.On(listener.Close);
        await first.ClientAsync(listener.LocalEndPoint);
        await two.NextAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task A_paused_listener_leaves_connections_waiting()
    {
        await using LoopHost host = Host();
        Acceptor acceptor = new(_ => Echo.Instance);
        Listener listener = await host.ListenAsync(acceptor);
        await host.ClientAsync(listener.LocalEndPoint);
        await acceptor.NextAsync();
        await host.On(() =>
        {
            listener.Pause();
            listener.Pause();
        });

        List<Socket> clients = [];
        for (int i = 0; i < 5; i++)
        {
            clients.Add(await host.ClientAsync(listener.LocalEndPoint));
            await clients[i].SendAsync("x"u8.ToArray());
        }

        await host.TurnsAsync();
        Assert.Equal(1, acceptor.Count);

        await host.On(() =>
        {
            listener.Resume();
            listener.Resume();
        });
        foreach (Socket client in clients) Assert.Equal("x"u8.ToArray(), await client.ReadAsync(1));
        Assert.Equal(6, acceptor.Count);
    }

    [Fact(Timeout = Limit)]
    public async Task A_listener_paused_by_its_handler_takes_no_more()
    {
        await using LoopHost host = Host();
        Acceptor? acceptor = null;
        Listener? listener = null;
        acceptor = new Acceptor(_ =>
        {
            listener!.Pause();
            return Echo.Instance;
        });
        TaskCompletionSource queued = new();
        Task<Listener> listening = host.On(() =>
        {
            listener = host.Loop.Listen(new IPEndPoint(IPAddress.Loopback, 0), new ListenOptions(), acceptor);
            return listener;
        });
        await listening;
        Assert.True(host.Loop.Post(_ => queued.Task.Wait(), null));
        for (int i = 0; i < 3; i++) await host.ClientAsync(listener!.LocalEndPoint);
        queued.SetResult();

        for (int expected = 1; expected <= 3; expected++)
        {
            await acceptor.NextAsync();
            await host.TurnsAsync();
            Assert.Equal(expected, acceptor.Count);
            await host.On(listener!.Resume);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_closed_listener_refuses_and_keeps_its_connections()
    {
        await using LoopHost host = Host();
        Listener listener = await host.ServeAsync(Echo.Instance);
        Socket client = await host.ClientAsync(listener.LocalEndPoint);
        await client.SendAsync("1"u8.ToArray());
        await client.ReadAsync(1);

        await host.On(() =>
        {
            listener.Close();
            listener.Close();
            listener.Pause();
            listener.Resume();
        });

        SocketException exception = await Assert.ThrowsAsync<SocketException>(() => host.ClientAsync(listener.LocalEndPoint));
        Assert.Equal(SocketError.ConnectionRefused, exception.SocketErrorCode);
        await client.SendAsync("2"u8.ToArray());
        Assert.Equal("2"u8.ToArray(), await client.ReadAsync(1));
    }

    [Fact(Timeout = Limit)]
    public async Task A_connection_nobody_handles_is_closed()
    {
        await using LoopHost host = Host();
        Listener listener = await host.ListenAsync(new Careless());
        Socket client = await host.ClientAsync(listener.LocalEndPoint);

        Assert.Empty(await client.ReadToEndAsync());
        Assert.False(host.Errors.Reader.TryRead(out _));
    }

    [Fact(Timeout = Limit)]
    public async Task An_accept_handler_that_throws_loses_that_connection_only()
    {
        await using LoopHost host = Host();
        int count = 0;
        Listener listener = await host.ListenAsync(new Acceptor(_ => ++count == 1 ? throw new InvalidOperationException("first") : Echo.Instance));
        // The reset may come before the client has noticed that it was connected.
        await Assert.ThrowsAsync<SocketException>(async () => await (await host.ClientAsync(listener.LocalEndPoint)).ReadToEndAsync());
        Assert.Equal("first", (await host.Errors.Reader.ReadAsync()).Message);

        Socket second = await host.ClientAsync(listener.LocalEndPoint);
        await second.SendAsync("x"u8.ToArray());
        Assert.Equal("x"u8.ToArray(), await second.ReadAsync(1));
    }

    [Fact(Timeout = Limit)]
    public async Task Unix_sockets_carry_streams()
    {
        await using LoopHost host = Host();
        UnixDomainSocketEndPoint address = TemporarySocket(out string path);
        Acceptor acceptor = new(_ => Echo.Instance);
        Listener listener = await host.ListenAsync(acceptor, address);
        Assert.True(File.Exists(path));

        Recorder recorder = new();
        Connection connection = await host.ConnectAsync(address, recorder);
        await recorder.Connected.Task;
        byte[] data = Pattern(2_000_000);
        await host.On(() =>
        {
            connection.Send(data);
            connection.ShutdownSend();
        });
        await recorder.EndOfStream.Task;
        AssertSame(data, recorder.Received);
        await host.On(() =>
        {
            connection.GetPeer(out PeerAddress peer);
            connection.GetLocal(out PeerAddress local);
            Assert.True(peer.IsEmpty && local.IsEmpty);
        });

        Socket plain = await host.ClientAsync(address);
        await plain.SendAsync("x"u8.ToArray());
        Assert.Equal("x"u8.ToArray(), await plain.ReadAsync(1));
        await host.On(listener.Close);
        Assert.False(File.Exists(path));
    }

    [Fact(Timeout = Limit)]
    public async Task A_stale_unix_socket_is_replaced_and_a_live_one_is_not()
    {
        await using LoopHost host = Host();
        UnixDomainSocketEndPoint address = TemporarySocket(out string path);
        string moved = path + ".old";
        using (Socket dead = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // Renamed away and back, so that closing the socket does not remove it: what a crash leaves behind.
            dead.Bind(address);
            File.Move(path, moved);
        }

        File.Move(moved, path);
        Listener listener = await host.ListenAsync(new Acceptor(_ => Echo.Instance), address);
        SocketException exception = await Assert.ThrowsAsync<SocketException>(
            () => host.ListenAsync(new Acceptor(_ => Echo.Instance), address));
        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);
        Socket client = await host.ClientAsync(address);
        await client.SendAsync("x"u8.ToArray());
        Assert.Equal("x"u8.ToArray(), await client.ReadAsync(1));
        await host.On(listener.Close);
    }

    [Fact(Timeout = Limit)]
    public async Task A_file_that_is_no_socket_is_never_removed()
    {
        await using LoopHost host = Host();
        UnixDomainSocketEndPoint address = TemporarySocket(out string path);
        await File.WriteAllTextAsync(path, "precious");

        SocketException exception = await Assert.ThrowsAsync<SocketException>(
            () => host.ListenAsync(new Acceptor(_ => Echo.Instance), address));

        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);
        Assert.Equal("precious", await File.ReadAllTextAsync(path));
        File.Delete(path);
    }

    private static UnixDomainSocketEndPoint TemporarySocket(out string path)
    {
        path = Path.Combine(Path.GetTempPath(), $"lb-{Path.GetRandomFileName()}.sock");
        return new UnixDomainSocketEndPoint(path);
    }

    private sealed class Careless : IAcceptHandler
    {
        public void OnAccepted(Listener listener, Connection connection)
        {
        }
    }
}
