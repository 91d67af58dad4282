using System.Globalization;
using System.Net;
using Lb.Contracts.Commands;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H15")]
public sealed class CommandCheckerTests : IDisposable
{
    private const int Limit = 60_000;
    private readonly ProgramDirectory _programs = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _programs.Dispose();

    // keepalived's misc_dynamic, and the same without it.
    [Theory(Timeout = Limit)]
    [InlineData(0, false, true, null)]
    [InlineData(1, false, false, null)]
    [InlineData(2, false, false, null)]
    [InlineData(255, false, false, null)]
    [InlineData(0, true, true, null)]
    [InlineData(1, true, false, null)]
    [InlineData(2, true, true, 0)]
    [InlineData(42, true, true, 40)]
    [InlineData(137, true, true, 135)]
    [InlineData(255, true, true, 253)]
    public async Task Judges_by_the_exit_code(int code, bool dynamic, bool passes, int? weight)
    {
        ProbeResult result = await CheckAsync($"exit {code}", dynamic: dynamic);
        Assert.Equal(passes, result.Passed);
        Assert.Equal(code, result.Code);
        Assert.Equal(weight, result.Advice?.Weight);
        if (!passes) Assert.Equal(new ProbeResult(CheckStatus.Layer7Status, code, string.Create(CultureInfo.InvariantCulture, $"exit code {code}")), result);
    }

    [Fact(Timeout = Limit)]
    public async Task A_signal_is_no_exit_code_even_if_codes_are_weights() =>
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, "ended by signal 9"), await CheckAsync("kill -9 $$", dynamic: true));

    [Fact(Timeout = Limit)]
    public async Task Tells_what_it_wrote_and_no_more_than_4_KiB()
    {
        Assert.Equal("out err", (await CheckAsync("printf 'out '; echo err >&2")).Text);
        ProbeResult result = await CheckAsync("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done; exit 3");
        Assert.Equal(3, result.Code);
        Assert.Equal(4096, result.Text.Length);
    }

    [Fact(Timeout = Limit)]
    public async Task Has_HAProxys_variables_and_nothing_of_this_process()
    {
        Environment.SetEnvironmentVariable("LB_TEST_SECRET", "x");
        ProbeTarget target = new("web1", new IPEndPoint(IPAddress.Parse("2001:db8::1"), 8080), TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(9))
        {
            Pool = "web",
            ServerId = 3,
            Connections = 7,
            MaxConnections = 100,
        };
        CommandChecker checker = new(new CheckOptions { Command = { "/usr/bin/env" } });
        string[] lines = (await checker.CheckAsync(target, Ct)).Text.Split('\n');
        Assert.Equal(
            [
                "HAPROXY_PROXY_ADDR=NOT_USED", "HAPROXY_PROXY_NAME=web", "HAPROXY_PROXY_PORT=NOT_USED", "HAPROXY_SERVER_ADDR=2001:db8::1", "HAPROXY_SERVER_CURCONN=7",
                "HAPROXY_SERVER_ID=3", "HAPROXY_SERVER_MAXCONN=100", "HAPROXY_SERVER_NAME=web1", "HAPROXY_SERVER_PORT=8080",
            ],
            lines.Where(static l => !l.StartsWith("PATH=", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact(Timeout = Limit)]
    public async Task No_shell_reads_its_arguments()
    {
        CommandChecker checker = new(new CheckOptions { Command = { "/usr/bin/printf", "%s|", "$(id); rm -rf *", "{address}", "{port}", "{name}", "{pool}-x" } });
        ProbeTarget target = new("a b", new IPEndPoint(IPAddress.Loopback, 80), TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(9)) { Pool = "p" };
        Assert.Equal("$(id); rm -rf *|127.0.0.1|80|a b|p-x|", (await checker.CheckAsync(target, Ct)).Text);
    }

    [Fact(Timeout = Limit)]
    public async Task One_that_hangs_is_killed_with_all_that_it_started()
    {
        using CancellationTokenSource limit = new();
        string pipe = await _programs.PipeAsync(Ct);
        Task<StreamReader> opened = Task.Run(() => new StreamReader(pipe), Ct);
        Task<ProbeResult> check = CheckAsync($"exec 9>{pipe}; sleep 1000 & trap '' TERM; echo started >&9; sleep 1000", ct: limit.Token);
        using StreamReader reader = await opened;
        Assert.Equal("started", await reader.ReadLineAsync(Ct));
        await limit.CancelAsync();
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Timeout, 0, "did not end in time"), await check);

        // The pipe ends when the last of those who hold it has ended.
        Assert.Equal("", await reader.ReadToEndAsync(Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task What_must_not_be_run_is_not()
    {
        CommandChecker checker = new(new CheckOptions { Command = { "/nonexistent/x" } });
        Assert.Equal(new ProbeResult(CheckStatus.SocketError, 0, "/nonexistent/x: there is no such file, or it can't be looked at"), await checker.CheckAsync(Target, Ct));
        checker = new CommandChecker(new CheckOptions { Command = { "/bin/true" }, RunAs = "lb-no-such-user" });
        Assert.Equal(CheckStatus.SocketError, (await checker.CheckAsync(Target, Ct)).Status);
        Assert.Throws<ArgumentException>(() => new CommandChecker(new CheckOptions()));
        Assert.Throws<ArgumentException>(() => new CommandChecker(new CheckOptions { Command = { "true" } }));
    }

    [Fact(Timeout = Limit)]
    public async Task A_check_that_is_cancelled_before_it_starts_runs_nothing()
    {
        Assert.Equal(CheckStatus.Layer7Timeout, (await CheckAsync($"touch {_programs["ran"]}", ct: new CancellationToken(canceled: true))).Status);
        Assert.False(File.Exists(_programs["ran"]));
    }

    private static ProbeTarget Target { get; } = new("s1", new IPEndPoint(IPAddress.Loopback, 80), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30));

    private Task<ProbeResult> CheckAsync(string script, bool dynamic = false, CancellationToken? ct = null) =>
        new CommandChecker(new CheckOptions { Command = { _programs.Script(script) }, Dynamic = dynamic }).CheckAsync(Target, ct ?? Ct).AsTask();
}
