using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Lb.Tool.Tests;

/// <summary>Processes that hand their listening sockets on: <c>lb run</c> beside <c>lb run</c>, and systemd's way of starting it.</summary>
[Trait("Row", "T16")]
public sealed partial class HandOverRunTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public HandOverRunTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Sockets are handed over on Linux only.");

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 120_000)]
    public async Task A_second_lb_run_takes_over_while_clients_come_and_none_is_refused()
    {
        using Socket server = Listening();
        int port = FreePort();
        string file = Write(port, $"127.0.0.1:{port}", server);
        using CancellationTokenSource stop = new();
        Task answering = AnswerAsync(server);
        await using LbProcess old = new("run", "-c", file);
        await old.LineWithAsync("Running ");
        Task<int> asking = AskAsync(port, stop.Token);

        await using LbProcess young = new("run", "-c", file);
        await young.LineWithAsync("have come from the process that ran before");
        await young.LineWithAsync("Running ");
        await old.LineWithAsync("have gone to another process");
        Assert.Equal(0, await old.ExitCodeAsync());
        await Task.Delay(100, TestContext.Current.CancellationToken); // and a few more
        await stop.CancelAsync();
        Assert.True(await asking > 0);

        await young.SignalAsync("TERM");
        Assert.Equal(0, await young.ExitCodeAsync());
        server.Dispose();
        await answering;
    }

    [Fact(Timeout = 120_000)]
    public async Task A_socket_from_systemd_is_served_by_its_name()
    {
        using Socket server = Listening(), given = Listening();
        int port = ((IPEndPoint)given.LocalEndPoint!).Port;
        string file = Write(0, "fd:web", server);
        Task answering = AnswerAsync(server);

        // As systemd does: descriptor 3 and three variables, one of them with the id of the process that execs. /proc finds the test's own socket.
        string socket = string.Create(CultureInfo.InvariantCulture, $"exec 3<&{Inheritable(given)} && export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web && exec \"$@\"");
        await using LbProcess lb = new(["bash", "-c", socket, "bash"], ["run", "-c", file]);
        await lb.LineWithAsync("Running ");
        using CancellationTokenSource stop = new();
        Task<int> asking = AskAsync(port, stop.Token);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        Assert.True(await asking > 0);
        await lb.SignalAsync("TERM");
        Assert.Equal(0, await lb.ExitCodeAsync());
        server.Dispose();
        await answering;
    }

    private string Write(int port, string listen, Socket server) => _folder.Write("lb.json", $$"""
        { "Lb": {
          "Transport": { "HandOver": "unix:{{Path.Combine(Path.GetTempPath(), $"lb-run-{Environment.ProcessId}-{port}.sock")}}", "Loops": 2 },
          "Pools": { "web": { "Servers": [ { "Name": "a", "Address": "{{server.LocalEndPoint}}" } ] } },
          "Gateways": { "front": { "Listen": "{{listen}}", "Pool": "web" } } } }
        """);

    private static Socket Listening()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(512);
        return socket;
    }

    private static int FreePort()
    {
        using Socket socket = Listening();
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    // A copy that a program started from here keeps.
    private static int Inheritable(Socket socket) => Native.Duplicate((int)socket.Handle);

    private static async Task AnswerAsync(Socket server)
    {
        try
        {
            while (true)
            {
                using Socket accepted = await server.AcceptAsync();
                byte[] block = new byte[16];
                int got = await accepted.ReceiveAsync(block);
                await accepted.SendAsync(block.AsMemory(0, got));
                accepted.Shutdown(SocketShutdown.Both);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    /// <summary>Asks until stopped; any fault of any connection is the test's.</summary>
    private static async Task<int> AskAsync(int port, CancellationToken stop)
    {
        int served = 0;
        byte[] block = new byte[16];
        for (; !stop.IsCancellationRequested; served++)
        {
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(IPAddress.Loopback, port, CancellationToken.None);
            await client.SendAsync("ping"u8.ToArray());
            Assert.Equal(4, await client.ReceiveAsync(block));
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, await client.ReceiveAsync(block));
        }

        return served;
    }

    private static partial class Native
    {
        [System.Runtime.InteropServices.LibraryImport("libc", EntryPoint = "dup")]
        public static partial int Duplicate(int descriptor);
    }
}
