using System.Net;
using System.Net.Sockets;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H5")]
public sealed class TcpCheckerTests : HealthCheckerContract
{
    protected override IHealthChecker Create(TimeProvider time) => new TcpChecker(time);

    protected override Task ServeWellAsync(Socket socket, CancellationToken ct) => Task.CompletedTask;

    [Fact(Timeout = Limit)]
    public override async Task Leaves_no_connection_open()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(16);
        for (int i = 0; i < 3; i++) Assert.Equal(new ProbeResult(CheckStatus.Layer4Ok), await new TcpChecker().CheckAsync(Target(listener.LocalEndPoint!), Ct));
        ExpectNothingButResets(listener);
    }

    // The handshake is done only if the kernel's delayed acknowledgement came before our reset.
    private static void ExpectNothingButResets(Socket listener)
    {
        while (listener.Poll(0, SelectMode.SelectRead))
        {
            using Socket seen = listener.Accept();
            SocketException error = Assert.Throws<SocketException>(() => seen.Receive(new byte[1]));
            Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        }
    }

    [Theory]
    [InlineData(SocketError.ConnectionRefused, CheckStatus.Layer4Connection)]
    [InlineData(SocketError.HostUnreachable, CheckStatus.Layer4Connection)]
    [InlineData(SocketError.NetworkUnreachable, CheckStatus.Layer4Connection)]
    [InlineData(SocketError.ConnectionReset, CheckStatus.Layer4Connection)]
    [InlineData(SocketError.TimedOut, CheckStatus.Layer4Timeout)]
    [InlineData(SocketError.TooManyOpenSockets, CheckStatus.SocketError)]
    [InlineData(SocketError.AccessDenied, CheckStatus.SocketError)]
    [InlineData(SocketError.AddressNotAvailable, CheckStatus.SocketError)]
    [InlineData(SocketError.HostNotFound, CheckStatus.Layer4Connection)]
    [InlineData(SocketError.ProtocolNotSupported, CheckStatus.SocketError)]
    public void Tells_the_servers_faults_from_our_own(SocketError error, CheckStatus expected)
    {
        ProbeResult result = ProbeSocket.Explain(error, new IPEndPoint(IPAddress.Loopback, 1));
        Assert.Equal(expected, result.Status);
        Assert.NotEmpty(result.Text);
        Assert.False(result.Passed);
    }

    [Theory(Timeout = Limit)]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task The_fast_path_says_what_the_runtimes_sockets_say(string address)
    {
        using Socket listener = new(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        }
        catch (SocketException e)
        {
            Assert.Skip($"{address} is not there: {e.SocketErrorCode}");
        }

        TcpChecker checker = new();
        ProbeTarget target = Target(listener.LocalEndPoint!);
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Connection, 0, "connection refused"), await checker.CheckAsync(target, Ct));
        Assert.Equal(await checker.CheckManagedAsync(target, Ct), await checker.CheckAsync(target, Ct));
        listener.Listen();
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Ok), await checker.CheckAsync(target, Ct));
        Assert.Equal(await checker.CheckManagedAsync(target, Ct), await checker.CheckAsync(target, Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task A_connection_that_takes_time_is_waited_for()
    {
        if (!ConnectWatcher.IsSupported) Assert.Skip("Linux on x64 or arm64 only");
        await using ProbeServer server = ProbeServer.StartUnix(ServeWellAsync);

        // More than one, one after the other and at a time: attempts are used again.
        for (int round = 0; round < 3; round++)
        {
            Task<ProbeResult>[] waiting = [.. Enumerable.Range(0, 8).Select(_ =>
            {
                Assert.Equal(0, ConnectLibc.Begin(server.EndPoint, out int descriptor));
                return ConnectWatcher.Shared!.Rent().WaitAsync(descriptor, Target(server.EndPoint), TimeProvider.System, Ct).AsTask();
            })];
            Assert.All(await Task.WhenAll(waiting), r => Assert.Equal(CheckStatus.Layer4Ok, r.Status));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Connections_and_cancellations_that_race_are_decided_once()
    {
        if (!ConnectWatcher.IsSupported) Assert.Skip("Linux on x64 or arm64 only");

        // Nobody accepts: what waits in the queue takes no descriptors of this process, which other tests count.
        string path = Path.Combine(Path.GetTempPath(), $"lb-race-{Guid.NewGuid():N}");
        UnixDomainSocketEndPoint endPoint = new(path);
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(endPoint);
        listener.Listen(4096);
        ProbeTarget target = Target(endPoint);
        int[] passed = await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => Task.Run(
            async () =>
            {
                Random random = new(seed);
                int ok = 0;
                for (int i = 0; i < 500; i++)
                {
                    using CancellationTokenSource stop = new();

                    // A full listen queue is no matter here.
                    if (ConnectLibc.Begin(endPoint, out int descriptor) != 0)
                    {
                        _ = ConnectLibc.Close(descriptor);
                        continue;
                    }

                    ValueTask<ProbeResult> check = ConnectWatcher.Shared!.Rent().WaitAsync(descriptor, target, TimeProvider.System, stop.Token);
                    Thread.SpinWait(random.Next(200));
                    if (random.Next(2) == 0) await stop.CancelAsync();
                    ProbeResult result = await check;
                    Assert.Contains(result.Status, (CheckStatus[])[CheckStatus.Layer4Ok, CheckStatus.Layer4Timeout]);
                    if (result.Passed) ok++;
                }

                return ok;
            },
            Ct)));
        File.Delete(path);
        Assert.True(passed.Sum() > 0);
    }

    [Fact]
    public void A_check_leaves_no_garbage()
    {
        if (!ConnectWatcher.IsSupported) Assert.Skip("Linux on x64 or arm64 only");
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(512);
        TcpChecker checker = new();
        ProbeTarget target = Target(listener.LocalEndPoint!);
        for (int i = 0; i < 10; i++) Check();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Check();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Check()
        {
            // The kernel answers for the listener, within the call.
            ValueTask<ProbeResult> check = checker.CheckAsync(target, CancellationToken.None);
            if (!check.IsCompleted || !check.Result.Passed) Assert.Fail("not connected at once");
        }
    }
}

/// <summary>The same on systems without the fast path.</summary>
public sealed class ManagedTcpCheckerTests : HealthCheckerContract
{
    protected override IHealthChecker Create(TimeProvider time) => new DelegateChecker(new TcpChecker(time).CheckManagedAsync);

    protected override Task ServeWellAsync(Socket socket, CancellationToken ct) => Task.CompletedTask;
}
