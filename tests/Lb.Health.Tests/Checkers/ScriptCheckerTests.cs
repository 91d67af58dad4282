using System.Net;
using System.Net.Sockets;
using System.Text;
using Lb.Contracts.Checkers;
using Lb.Testing;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H9")]
public sealed class ScriptCheckerTests : HealthCheckerContract
{
    protected override IHealthChecker Create(TimeProvider time) => new ScriptChecker(Script(Send("PING\r\n"), Expect("+PONG")), time);

    protected override async Task ServeWellAsync(Socket socket, CancellationToken ct)
    {
        await ReadAsync(socket, "PING\r\n", ct);
        await ProbeServer.SendAsync(socket, "+PONG\r\n", ct);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H28")]
    public async Task A_conversation_passes_with_L7OK_and_the_text_of_its_last_expectation()
    {
        // Redis, as HAProxy's manual has it.
        CheckOptions options = Script(
            new CheckStepOptions { Comment = "only a comment" },
            Send(@"PING\r\n"),
            Expect("+PONG"),
            Send("info replication\r\n"),
            new CheckStepOptions { Expect = "role:master", OnSuccess = "it is the master" },
            new CheckStepOptions { SendBinary = "51 55 49 54 0d 0a" },
            new CheckStepOptions { ExpectBinary = "2b4f4b", OnSuccess = "said good-bye" });
        await using ProbeServer server = ProbeServer.Start(static async (socket, ct) =>
        {
            await ReadAsync(socket, "PING\r\n", ct);
            await ProbeServer.SendAsync(socket, "+PONG\r\n", ct);
            await ReadAsync(socket, "info replication\r\n", ct);
            foreach (string part in (string[])["# Replication\r\nrole:", "mas", "ter\r\n"]) await ProbeServer.SendAsync(socket, part, ct);
            await ReadAsync(socket, "QUIT\r\n", ct);
            await ProbeServer.SendAsync(socket, "+OK\r\n", ct);
        });
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "said good-bye"), await CheckAsync(server, options));
    }

    [Theory(Timeout = Limit)]
    [InlineData("+PONG\r\n", true, CheckStatus.Layer7Ok, "")]
    [InlineData("-LOADING Redis is loading\r\n", true, CheckStatus.Layer7Response, "step 1 (expect +PONG): closed without it")]
    [InlineData("", true, CheckStatus.Layer7Response, "step 1 (expect +PONG): closed without an answer")]
    public async Task Says_what_was_not_met(string answer, bool close, CheckStatus status, string text)
    {
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            await ProbeServer.SendAsync(socket, answer, ct);
            if (close) socket.Shutdown(SocketShutdown.Send);
        });
        Assert.Equal(new ProbeResult(status, 0, text), await CheckAsync(server, Script(Expect("+PONG"))));
    }

    [Theory(Timeout = Limit)]
    [InlineData("220 mail ESMTP\r\n", CheckStatus.Layer7Ok, "")]
    [InlineData("554 no\r\n", CheckStatus.Layer7Response, "step 1 (greeting): received what must not come")]
    public async Task What_must_not_come_is_decided_by_the_bytes_that_are_enough(string answer, CheckStatus status, string text)
    {
        await using ProbeServer server = ProbeServer.Start((socket, ct) => ProbeServer.SendAsync(socket, answer, ct));
        CheckOptions options = Script(new CheckStepOptions { ExpectRegex = "^5[0-9][0-9] ", Not = true, MinReceived = 4, Comment = "greeting" });
        Assert.Equal(new ProbeResult(status, 0, text), await CheckAsync(server, options));
    }

    [Fact(Timeout = Limit)]
    public async Task Words_of_the_configuration_replace_ours()
    {
        await using ProbeServer server = ProbeServer.Start(ProbeServer.Reply("no\r\n"));
        CheckOptions options = Script(Send("x\r\n\r\n"), new CheckStepOptions { Expect = "yes", OnError = "not ready" });
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, "not ready"), await CheckAsync(server, options));
    }

    [Fact(Timeout = Limit)]
    public async Task Asks_several_ports()
    {
        await using ProbeServer first = ProbeServer.Start((socket, ct) => ProbeServer.SendAsync(socket, "one", ct));
        await using ProbeServer second = ProbeServer.Start((socket, ct) => ProbeServer.SendAsync(socket, "two", ct));
        await using ProbeServer refusing = ProbeServer.Refusing();
        CheckStepOptions[] both = [new() { Connect = 0 }, Expect("one"), new() { Connect = Port(second) }, Expect("two")];
        Assert.Equal(CheckStatus.Layer7Ok, (await CheckAsync(first, Script(both))).Status);
        await first.WhenLeftAsync(Ct);
        await second.WhenLeftAsync(Ct);

        ProbeResult result = await CheckAsync(first, Script([.. both, new() { Connect = Port(refusing) }]));
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Connection, 0, $"step 5 (connect {Port(refusing)}): connection refused"), result);
    }

    [Fact(Timeout = Limit)]
    public async Task A_script_that_only_connects_says_L4OK()
    {
        await using ProbeServer server = ProbeServer.Start(static (_, _) => Task.CompletedTask);
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Ok), await CheckAsync(server, Script(new CheckStepOptions { Connect = 0 }, Send("x"))));
    }

    [Fact(Timeout = Limit)]
    public async Task What_came_before_a_send_is_not_its_answer()
    {
        await using ProbeServer server = ProbeServer.Start(static async (socket, ct) =>
        {
            await ProbeServer.SendAsync(socket, "220 OK\r\n", ct);
            await ReadAsync(socket, "NOOP\r\n", ct);
            await ProbeServer.SendAsync(socket, "500 no\r\n", ct);
            socket.Shutdown(SocketShutdown.Send);
        });
        ProbeResult result = await CheckAsync(server, Script(Expect("OK"), Send("NOOP\r\n"), Expect("OK")));
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, "step 3 (expect OK): closed without it"), result);
    }

    [Fact(Timeout = Limit)]
    public async Task An_endless_answer_is_cut_off()
    {
        await using ProbeServer server = ProbeServer.Start(static async (socket, ct) =>
        {
            string many = new('x', 8192);
            while (true) await ProbeServer.SendAsync(socket, many, ct);
        });
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, "step 1 (expect y): not in the first 16 KiB"), await CheckAsync(server, Script(Expect("y"))));
        await server.WhenLeftAsync(Ct);
    }

    [Fact(Timeout = Limit)]
    public async Task A_reset_is_told_as_such()
    {
        await using ProbeServer server = ProbeServer.Start(static async (socket, ct) =>
        {
            await ReadAsync(socket, "x", ct);
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
        });
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, "step 2 (expect y): connection reset"), await CheckAsync(server, Script(Send("x"), Expect("y"))));
    }

    [Theory(Timeout = Limit)]
    [InlineData("", "nothing received in time")]
    [InlineData("part", "not received in time")]
    [Trait("Row", "H3")]
    public async Task Silence_ends_with_the_time_of_the_answer(string start, string text)
    {
        TaskCompletionSource silent = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            await ReadAsync(socket, "x", ct);
            await ProbeServer.SendAsync(socket, start, ct);
            silent.SetResult();
        });
        ManualTimeProvider time = new();
        Task<ProbeResult> check = new ScriptChecker(Script(Send("x"), Expect("y")), time)
            .CheckAsync(Target(server.EndPoint) with { AnswerTimeout = TimeSpan.FromSeconds(3) }, Ct).AsTask();
        await silent.Task;
        time.Advance(TimeSpan.FromSeconds(3) - TimeSpan.FromTicks(1));
        Assert.False(check.IsCompleted);
        time.Advance(TimeSpan.FromTicks(1));
        ProbeResult result = await check;
        Assert.Equal(CheckStatus.Layer7Timeout, result.Status);

        // Whether the part had been read when the time was up is the kernel's business.
        Assert.Contains(result.Text, (string[])[$"step 2 (expect y): {text}", "step 2 (expect y): nothing received in time"]);
        Assert.Equal(0, time.ActiveTimers);
    }

    private static CheckOptions Script(params CheckStepOptions[] steps)
    {
        CheckOptions options = new() { Type = "tcp-script" };
        foreach (CheckStepOptions step in steps) options.Script.Add(step);
        return options;
    }

    private static CheckStepOptions Send(string text) => new() { Send = text };

    private static CheckStepOptions Expect(string text) => new() { Expect = text };

    private static int Port(ProbeServer server) => ((IPEndPoint)server.EndPoint).Port;

    private static async Task<ProbeResult> CheckAsync(ProbeServer server, CheckOptions options) => await new ScriptChecker(options).CheckAsync(Target(server.EndPoint), Ct);

    private static async Task ReadAsync(Socket socket, string expected, CancellationToken ct)
    {
        byte[] buffer = new byte[expected.Length];
        for (int filled = 0; filled < buffer.Length;)
        {
            int read = await socket.ReceiveAsync(buffer.AsMemory(filled), ct);
            if (read == 0) return;
            filled += read;
        }

        Assert.Equal(expected, Encoding.ASCII.GetString(buffer));
    }
}
