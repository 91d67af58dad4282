using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Transport.Tests.Operations;

/// <summary>Listening sockets that go from one host to the next, and those that systemd has made.</summary>
[Trait("Row", "T16")]
[Collection(Alone.Name)]
public sealed partial class HandOverTests : GatewayTests
{
    private const int Timeout = 60_000;

    private readonly string _path = $"/tmp/lb-handover-{Guid.NewGuid():N}.sock";

    [Theory(Timeout = Timeout)]
    [InlineData("epoll", 3, 3)]
    [InlineData("epoll", 4, 2)]
    [InlineData("epoll", 1, 3)]
    [InlineData("managed", 3, 3)]
    [InlineData("managed", 2, 1)]
    public async Task No_client_is_refused_or_reset_while_a_new_host_takes_over(string driver, int before, int after)
    {
        int port = ListenTests.FreeRange(1);
        using TestServer server = new();
        using CancellationTokenSource stop = new(), stopServer = new();
        Task echo = EchoAsync(server, stopServer.Token);
        GatewayLab old = await StartAsync(driver, l => Configure(l, server, before, $"127.0.0.1:{port}"));

        int served = 0;
        List<Exception> failures = [];
        Task[] clients = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await AskAsync(port);
                    Interlocked.Increment(ref served);
                }
                catch (Exception error) when (error is SocketException or Xunit.Sdk.XunitException)
                {
                    lock (failures) failures.Add(error);
                    return;
                }
            }
        }))];
        await ServedAsync(200);
        GatewayLab young = await StartAsync(driver, l => Configure(l, server, after, $"127.0.0.1:{port}"));
        IHostApplicationLifetime lifetime = old.Host.Services.GetRequiredService<IHostApplicationLifetime>();
        await Wait.UntilAsync(() => lifetime.ApplicationStopping.IsCancellationRequested, "the old host is asked to stop");
        Assert.Empty(old.Gateway.EndPoints);
        Gateway gateway = old.Gateway;
        await Wait.UntilAsync(() => gateway.OpenConnections == 0, "the old host's clients have ended by themselves");
        await old.StopSoonAsync();
        await ServedAsync(served + 200);
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        await stopServer.CancelAsync();
        await echo;
        Assert.Empty(failures);
        Assert.Equal((1, 1, 0), (old.Logged.Count(4601), young.Logged.Count(4602), old.Logged.Count(4604)));
        Assert.True(young.Gateway.TotalConnections >= 200);

        Task ServedAsync(int count) => Wait.UntilAsync(() => Volatile.Read(ref served) >= count || failures.Count > 0, $"{count} served");
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Clients_that_wait_in_the_queues_of_a_full_host_are_served_by_the_next(string driver)
    {
        int port = ListenTests.FreeRange(1);
        using TestServer server = new();
        GatewayLab old = await StartAsync(driver, l =>
        {
            Configure(l, server, 2, $"127.0.0.1:{port}");
            l.SetGateway(static g => g.MaxConnections = 1);
        });
        Socket first = await old.ClientAsync();
        Socket firstServer = await server.AcceptAsync();
        List<Socket> waiting = [];
        for (int i = 0; i < 20; i++) waiting.Add(await old.ClientAsync(new IPEndPoint(IPAddress.Loopback, port)));
        await old.TurnsAsync();

        // The managed driver has taken in one more a loop before it could know that it is full.
        Assert.InRange(old.Gateway.TotalConnections, 1, driver == "managed" ? 3 : 2);
        Gateway full = old.Gateway;
        GatewayLab young = await StartAsync(driver, l => Configure(l, server, 1, $"127.0.0.1:{port}"));
        await Wait.UntilAsync(() => full.OpenConnections + young.Gateway.OpenConnections == 21, "all are served");
        Assert.InRange(young.Gateway.OpenConnections, 18, 20);
        await first.SendAllAsync("still"u8.ToArray());
        Assert.Equal("still"u8.ToArray(), await firstServer.ReadAsync(5));
        foreach (Socket client in waiting) Assert.True(client.IsQuiet());
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_host_that_fails_to_start_leaves_everything_with_the_one_that_runs(string driver)
    {
        int port = ListenTests.FreeRange(2);
        using TestServer server = new();
        using TestServer squatter = new(at: new IPEndPoint(IPAddress.Loopback, port + 1));
        string file = $"/tmp/lb-{Guid.NewGuid():N}.sock";
        GatewayLab old = await StartAsync(driver, l => Configure(l, server, 2, $"127.0.0.1:{port}", $"unix:{file}"));
        GatewayLab young = Make(driver, l =>
        {
            // One loop: a port that is shared is not refused to one that shares it.
            Configure(l, server, 1, $"127.0.0.1:{port}", $"unix:{file}", $"127.0.0.1:{port + 1}");
            l.Configure.Add(static o => o.SkipPortChecks = true); // found only while starting
        });
        await Assert.ThrowsAsync<LbConfigurationException>(young.StartAsync);
        await Wait.UntilAsync(() => old.Logged.Count(4604) == 1, "the old host has seen it fail");
        Assert.Equal(0, old.Logged.Count(4601));
        Assert.True(File.Exists(file));
        foreach (EndPoint at in old.Gateway.EndPoints) await ListenTests.ServesAsync(old, server, at);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_unix_socket_keeps_its_file_over_two_generations_and_loses_it_with_the_last(string driver)
    {
        using TestServer server = new();
        string file = $"/tmp/lb-{Guid.NewGuid():N}.sock";
        GatewayLab[] hosts = new GatewayLab[3];
        for (int i = 0; i < hosts.Length; i++)
        {
            hosts[i] = await StartAsync(driver, l => Configure(l, server, 1, $"unix:{file}"));
            if (i > 0) await hosts[i - 1].StopSoonAsync();
            Assert.True(File.Exists(file));
            await ListenTests.ServesAsync(hosts[i], server, hosts[i].EndPoint);
            hosts[i].DropClients();
        }

        await hosts[^1].StopSoonAsync();
        Assert.False(File.Exists(file));
        Assert.False(File.Exists(_path));
    }

    [Fact(Timeout = Timeout)]
    public async Task A_second_host_without_hand_over_is_told_who_has_the_port()
    {
        int port = ListenTests.FreeRange(1);
        using TestServer server = new();
        await StartAsync("managed", l => Configure(l, server, 1, $"127.0.0.1:{port}"));
        GatewayLab young = Make("managed", l =>
        {
            Configure(l, server, 1, $"127.0.0.1:{port}");
            l.Configure.Add(static o => o.Transport.HandOver = null);
        });
        LbConfigurationException error = await Assert.ThrowsAsync<LbConfigurationException>(young.StartAsync);
        Assert.Contains("is in use by", error.Message, StringComparison.Ordinal);
    }

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    [Fact(Timeout = Timeout)]
    public async Task A_process_of_another_user_gets_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root can be another user.");
        using TestServer server = new();
        GatewayLab old = await StartAsync("managed", l => Configure(l, server, 1, "127.0.0.1:0"));
        UnixDomainSocketEndPoint at = new(_path);
        Assert.Single(HandOverClient.Offers(at));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_path));
        File.SetUnixFileMode(_path, (UnixFileMode)0b110_110_110);
        IReadOnlyList<string>? offered = null;
        bool connected = false;
        Thread stranger = new(() =>
        {
            // The bare system call changes this one thread, which nobody else uses; root at the other end would be trusted by the client.
            Assert.Equal(0, Syscall(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 147 : 117, -1, 65534, -1));
            offered = HandOverClient.Offers(at);
            connected = true;
        });
        stranger.Start();
        stranger.Join();
        Assert.True(connected);
        Assert.Empty(offered!);
        await Wait.UntilAsync(() => old.Logged.Count(4604) == 1, "the old host has refused it");
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Sockets_of_systemd_are_taken_by_name_and_by_address_and_serve_every_loop(string driver)
    {
        using TestServer server = new();
        using Socket named = Listening(), addressed = Listening();
        InheritedSockets sockets = Activated(("web", named), ("other", addressed));
        GatewayLab lab = Make(driver, l =>
        {
            Configure(l, server, 3, "fd:web", $"{addressed.LocalEndPoint}");
            l.Configure.Add(static o => o.Transport.HandOver = null);
        });
        lab.Build();
        lab.Gateways.Inherited = sockets;
        await lab.StartAsync();
        Assert.Equal([named.LocalEndPoint!, addressed.LocalEndPoint!], lab.Gateway.EndPoints);
        foreach (EndPoint at in lab.Gateway.EndPoints)
        {
            for (int i = 0; i < 6; i++) await ListenTests.ServesAsync(lab, server, at);
        }

        // One socket each, but no loop is idle.
        Assert.Equal(3, lab.LoopsWithConnections());
        await lab.StopSoonAsync();
    }

    [Fact(Timeout = Timeout)]
    public async Task A_name_that_systemd_has_not_given_is_an_error_and_what_nobody_wants_is_closed_with_a_warning()
    {
        using TestServer server = new();
        using Socket unused = Listening();
        EndPoint at = unused.LocalEndPoint!;
        GatewayLab lab = Make("managed", l => Configure(l, server, 1, "fd:nobody"));
        lab.Build();
        ConfigurationError error = Assert.Single(lab.Configuration.Validate());
        Assert.Equal(("Lb:Gateways:gate:Listen:0", "fd:nobody"), (error.Path, error.Value));
        Assert.Contains("FileDescriptorName", error.Message, StringComparison.Ordinal);

        GatewayLab other = Make("managed", l => Configure(l, server, 1, "127.0.0.1:0"));
        other.Build();
        other.Gateways.Inherited = Activated(("x", unused));
        unused.Dispose();
        await other.StartAsync();
        Assert.Equal(1, other.Logged.Count(4603));
        await Assert.ThrowsAsync<SocketException>(() => other.ClientAsync(at));
    }

    [Fact]
    public void Sockets_meant_for_another_process_and_what_is_no_listening_socket_are_left_alone()
    {
        using Socket listening = Listening(), plain = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        InheritedSockets sockets = new();
        sockets.AddActivated(n => n switch { "LISTEN_PID" => "1", "LISTEN_FDS" => "1", _ => null }, (int)listening.Handle);
        Assert.Equal("none", sockets.Names());
        sockets.AddActivated(n => n switch { "LISTEN_PID" => $"{Environment.ProcessId}", "LISTEN_FDS" => "1", _ => null }, (int)plain.Handle);
        Assert.Equal("none", sockets.Names());
    }

    [Theory]
    [InlineData("tcp:127.0.0.1:80")]
    [InlineData("127.0.0.1:80")]
    [InlineData("")]
    public void Only_a_unix_socket_hands_over(string at)
    {
        GatewayLab lab = Make("managed", l => l.Configure.Add(o => o.Transport.HandOver = at));
        lab.AddServer();
        lab.Build();
        Assert.Equal("Lb:Transport:HandOver", Assert.Single(lab.Configuration.Validate()).Path);
    }

    [Theory]
    [InlineData("unix:/nowhere/lb.sock", "the directory does not exist")]
    [InlineData("unix:/tmp", "is a directory")]
    [InlineData("unix:/etc/passwd", "is a file that is no socket")]
    public void A_place_where_no_socket_can_be_is_told_before_the_start(string at, string why)
    {
        GatewayLab lab = Make("managed", l => l.Configure.Add(o => o.Transport.HandOver = at));
        lab.AddServer();
        lab.Build();
        Assert.Equal([new ConfigurationError("Lb:Transport:HandOver", at, why)], lab.Configuration.Validate());
    }

    private void Configure(GatewayLab lab, TestServer server, int loops, params string[] listen)
    {
        lab.AddServer(server.Address, "s1");
        lab.Loops = loops;
        lab.Listen.Clear();
        lab.Listen.AddRange(listen);
        lab.Configure.Insert(0, o => o.Transport.HandOver = $"unix:{_path}");
    }

    private static Socket Listening()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(16);
        return socket;
    }

    /// <summary>As systemd would give them, by descriptors of their own.</summary>
    private static InheritedSockets Activated(params (string Name, Socket Socket)[] given)
    {
        InheritedSockets sockets = new();
        foreach ((string name, Socket socket) in given)
        {
            int copy = InheritedSocket.Duplicate(socket.Handle);
            sockets.AddActivated(n => n switch { "LISTEN_PID" => $"{Environment.ProcessId}", "LISTEN_FDS" => "1", "LISTEN_FDNAMES" => name, _ => null }, copy);
        }

        return sockets;
    }

    private static async Task AskAsync(int port)
    {
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, port);
        await client.SendAllAsync("ping"u8.ToArray());
        Assert.Equal("ping"u8.ToArray(), await client.ReadAsync(4));
        client.Shutdown(SocketShutdown.Send);
        Assert.Empty(await client.ReadToEndAsync());
    }

    private static async Task EchoAsync(TestServer server, CancellationToken stop)
    {
        List<Task> answers = [];
        while (!stop.IsCancellationRequested)
        {
            if (server.HasWaiting) answers.Add(AnswerAsync(await server.AcceptAsync()));
            else await Task.Delay(1, CancellationToken.None);
        }

        static async Task AnswerAsync(Socket socket)
        {
            byte[] block = new byte[16];
            while (await socket.ReceiveAsync(block) is > 0 and int got) await socket.SendAllAsync(block.AsMemory(0, got));
            socket.Dispose();
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long Syscall(long number, long first, long second, long third);
}
