using System.Net;
using System.Net.Sockets;
using System.Text;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

/// <summary>Nothing else of this process runs beside these tests: they count its sockets.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Servers that say too much, nothing, half of it or rubbish: the right word and a reason, a bounded number of bytes, and no socket left.</summary>
[Collection(nameof(Alone))]
public sealed class HostileServerTests
{
    private const int Limit = 60_000;
    private const string Gibibyte = "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n";

    // The most that may be read, what the kernel holds for both sides beside that, and far less than what the server has to say.
    private const long MostSent = (1024 + 64) * 1024 + Kernel;
    private const int Kernel = 8 * 1024 * 1024;

    private static readonly Dictionary<string, Func<IHealthChecker>> Checkers = new(StringComparer.Ordinal)
    {
        ["http"] = static () => new HttpChecker(new CheckOptions()),
        ["http text"] = static () => new HttpChecker(new CheckOptions { ExpectBody = "never" }),
        ["http expression"] = static () => new HttpChecker(new CheckOptions { Expects = { new CheckExpectOptions { BodyRegex = "never$" } } }),
        ["http digest"] = static () => new HttpChecker(new CheckOptions { Digest = new string('0', 32) }),
        ["tls"] = static () => new TlsChecker(new CheckOptions { Type = "tls", Tls = new CheckTlsOptions { Verify = false } }),
        ["script"] = static () => new ScriptChecker(new CheckOptions { Type = "tcp-script", Script = { new CheckStepOptions { Expect = "never" } } }),
        ["smtp"] = static () => new SmtpChecker(new CheckOptions()),
        ["redis"] = static () => new RedisChecker(new CheckOptions()),
        ["pgsql"] = static () => new PostgresChecker(new CheckOptions { User = "lb" }),
        ["mysql"] = static () => new MySqlChecker(new CheckOptions()),
        ["grpc"] = static () => new GrpcChecker(new CheckOptions()),
        ["agent"] = static () => new AgentChecker(new CheckOptions { Type = "agent", Port = 1 }),
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. Checkers.Keys];

    [Theory(Timeout = Limit)]
    [Trait("Row", "H7")]
    [InlineData("http", Gibibyte, "x", CheckStatus.Layer7Ok, 200, "OK")]
    [InlineData("http text", Gibibyte, "x", CheckStatus.Layer7Status, 200, "expected text is not in the first 1 MiB of the body")]
    [InlineData("http expression", Gibibyte, "x", CheckStatus.Layer7Status, 200, "expected expression matches nothing in the first 1 MiB of the body")]
    [InlineData("http digest", Gibibyte, "x", CheckStatus.Layer7Status, 200, "no digest: the body has more than 1 MiB")]
    [InlineData("http text", "HTTP/1.0 200 OK\r\n\r\n", "x", CheckStatus.Layer7Status, 200, "expected text is not in the first 1 MiB of the body")]
    [InlineData("http text", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n", "x", CheckStatus.Layer7Status, 200, "expected text is not in the first 1 MiB of the body")]
    [InlineData("http text", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", CheckStatus.Layer7Status, 200, "expected text is not in the first 1 MiB of the body")]
    [InlineData("http", "HTTP/1.1 200 OK\r\nX: ", "x", CheckStatus.Layer7Response, 0, "head of more than 64 KiB")]
    [InlineData("http", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", CheckStatus.Layer7Response, 0, "head of more than 64 KiB")]
    [InlineData("http", "", "x", CheckStatus.Layer7Response, 0, "not HTTP")]
    [InlineData("tls", "", "x", CheckStatus.Layer6Response, 0, "not TLS")]
    [InlineData("script", "", "x", CheckStatus.Layer7Response, 0, "step 1 (expect never): not in the first 16 KiB")]
    [InlineData("smtp", "220 ", "x", CheckStatus.Layer7Response, 0, "no whole reply")]
    [InlineData("smtp", "", "220-x\r\n", CheckStatus.Layer7Response, 0, "a reply of more than 128 lines")]
    [InlineData("redis", "+", "x", CheckStatus.Layer7Response, 0, "no whole reply")]
    [InlineData("pgsql", "E\x7f\xff\xff\xff", "x", CheckStatus.Layer7Response, 0, "not PostgreSQL")]
    [InlineData("mysql", "\xff\xff\xff\0", "x", CheckStatus.Layer7Response, 0, "not MySQL")]
    [InlineData("grpc", "", "x", CheckStatus.Layer7Response, 0, null)]
    [InlineData("agent", "", "x", CheckStatus.Layer7Response, 0, "no whole line")]
    public async Task One_that_never_stops_talking_is_not_listened_to_for_long(string kind, string begin, string more, CheckStatus status, int code, string? text)
    {
        long sent = 0;
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            await Scripted.SendAsync(socket, begin, ct);
            byte[] block = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(more, 64 * 1024 / more.Length)));
            while (sent < 1L << 30) sent += await socket.SendAsync(block.AsMemory(), ct);
        });
        ProbeResult result = await CheckAsync(kind, server.EndPoint);
        await server.WhenLeftAsync(Ct);
        Assert.Equal((status, code), (result.Status, result.Code));
        if (text is null) Assert.NotEqual("", result.Text);
        else Assert.Equal(text, result.Text);
        Assert.InRange(sent, 0, MostSent);
    }

    [Theory(Timeout = Limit)]
    [Trait("Row", "H7")]
    [InlineData("200-399", CheckStatus.Layer7Ok)]
    [InlineData("200-299", CheckStatus.Layer7Status)]
    public async Task A_redirect_to_itself_is_asked_once(string expect, CheckStatus status)
    {
        int asked = 0;
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            Interlocked.Increment(ref asked);
            await ProbeServer.Reply($"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")(socket, ct);
        });
        HttpChecker checker = new(new CheckOptions { Expect = expect });
        ProbeResult result = await checker.CheckAsync(Target(server.EndPoint), Ct);
        await server.WhenLeftAsync(Ct);
        Assert.Equal((status, 302, 1), (result.Status, result.Code, asked));
    }

    [Theory(Timeout = Limit)]
    [Trait("Row", "H28")]
    [MemberData(nameof(Kinds))]
    public async Task A_name_that_is_gone_is_told_as_such(string kind) =>
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Connection, 0, "host name can't be looked up"), await CheckAsync(kind, new DnsEndPoint("gone.invalid", 80)));

    [Theory(Timeout = Limit)]
    [Trait("Row", "H28")]
    [MemberData(nameof(Kinds))]
    public async Task Whatever_a_server_does_no_socket_is_left(string kind)
    {
        Func<Socket, CancellationToken, Task>[] faults =
        [
            static (_, _) => Task.CompletedTask,
            static (socket, _) => CloseAsync(socket),
            static (socket, _) => ResetAsync(socket),
            static (socket, ct) => Scripted.SendAsync(socket, "SSH-2.0-OpenSSH_9.2\r\n", ct),
            static async (socket, ct) =>
            {
                await Scripted.SendAsync(socket, "HTTP/1.1 200 O", ct);
                await CloseAsync(socket);
            },
        ];
        IHealthChecker checker = Checkers[kind]();

        // What is made once and kept, by the runtime too, is made here.
        foreach (Func<Socket, CancellationToken, Task> fault in faults) await RunAsync(checker, fault, 1);
        int before = Sockets();
        foreach (Func<Socket, CancellationToken, Task> fault in faults) await RunAsync(checker, fault, 40);
        while (Sockets() > before)
        {
            Ct.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static async Task RunAsync(IHealthChecker checker, Func<Socket, CancellationToken, Task> fault, int times)
    {
        await using ProbeServer server = ProbeServer.Start(fault);
        for (int i = 0; i < times; i++)
        {
            // One that waits for more is told that its time is over; no fault makes a check throw, and only an HTTP answer would pass.
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            Task<ProbeResult> check = checker.CheckAsync(Target(server.EndPoint), limit.Token).AsTask();
            await server.WhenAcceptedAsync(Ct);
            await limit.CancelAsync();
            Assert.False((await check).Passed);

            // Nor does it take the garbage collector to end the connection: nothing runs here until the server has seen its end.
            await server.WhenLeftAsync(Ct);
        }
    }

    private static Task CloseAsync(Socket socket)
    {
        socket.Shutdown(SocketShutdown.Both);
        return Task.CompletedTask;
    }

    private static Task ResetAsync(Socket socket)
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Close();
        return Task.CompletedTask;
    }

    private static int Sockets() => Directory.GetFiles("/proc/self/fd").Count(static f => new FileInfo(f).LinkTarget is { } target && target.StartsWith("socket:", StringComparison.Ordinal));

    private static Task<ProbeResult> CheckAsync(string kind, EndPoint endPoint) => Checkers[kind]().CheckAsync(Target(endPoint), Ct).AsTask();

    private static ProbeTarget Target(EndPoint endPoint) => new("s1", endPoint, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30));
}
