using System.Globalization;
using System.Net;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H15")]
public sealed class CommandCheckerTests : IDisposable
{
    private const int Limit = 60_000;
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-command-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public CommandCheckerTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "programs are run as checks on Linux only");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

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
        string pipe = await PipeAsync();
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
    public async Task What_it_leaves_behind_ends_with_it()
    {
        string pipe = await PipeAsync();
        Task<StreamReader> opened = Task.Run(() => new StreamReader(pipe), Ct);
        ProbeResult result = await CheckAsync($"exec 9>{pipe}; sleep 1000 & echo started >&9");
        Assert.True(result.Passed, $"{result}");
        using StreamReader reader = await opened;
        Assert.Equal("started\n", await reader.ReadToEndAsync(Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task One_who_left_the_group_does_not_hold_up_the_check()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/setsid"), "setsid is not installed");
        string pid = Path.Combine(_directory, "pid");
        ProbeResult result = await CheckAsync($"/usr/bin/setsid /bin/sh -c 'echo $$ > {pid}; exec sleep 1000' & while [ ! -s {pid} ]; do :; done; echo done");
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "done"), result);
        System.Diagnostics.Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(pid, Ct), CultureInfo.InvariantCulture)).Kill();
    }

    [Fact(Timeout = Limit)]
    public async Task Many_at_a_time_leave_no_process_and_no_descriptor()
    {
        await CheckAsync("exit 0");
        int before = Directory.GetFiles("/proc/self/fd").Length;
        string script = Script("exit 0");
        CommandChecker checker = new(new CheckOptions { Command = { script } });
        ProbeResult[] results = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => checker.CheckAsync(Target, Ct).AsTask(), Ct)));
        Assert.All(results, static r => Assert.True(r.Passed, $"{r}"));

        // Other tests of this process may have a few open.
        Assert.InRange(Directory.GetFiles("/proc/self/fd").Length, 0, before + 50);
        string self = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Assert.DoesNotContain(Directory.GetDirectories("/proc").Where(static d => char.IsAsciiDigit(d[6])).Select(Stat), s => s is [_, _, "Z", var parent, ..] && parent == self);
    }

    [Fact(Timeout = Limit)]
    public async Task A_file_that_others_may_write_is_never_run()
    {
        string script = Script($"touch {_directory}/ran");
        CommandChecker checker = new(new CheckOptions { Command = { script } });
        foreach (UnixFileMode mode in (UnixFileMode[])[UnixFileMode.GroupWrite, UnixFileMode.OtherWrite])
        {
            Mode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | mode);
            ProbeResult result = await checker.CheckAsync(Target, Ct);
            Assert.Equal(new ProbeResult(CheckStatus.SocketError, 0, $"{script}: may be written by its group or by others; chmod go-w it"), result);
        }

        Mode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Equal($"{script}: is not executable", (await checker.CheckAsync(Target, Ct)).Text);
        Mode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Mode(_directory, (UnixFileMode)0b111_111_111);
        Assert.Equal($"{script}: its directory {_directory} may be written by a group or by others", (await checker.CheckAsync(Target, Ct)).Text);
        Assert.False(File.Exists(Path.Combine(_directory, "ran")));

        Mode(_directory, (UnixFileMode)0b111_101_101);
        Assert.True((await checker.CheckAsync(Target, Ct)).Passed);
        Assert.True(File.Exists(Path.Combine(_directory, "ran")));
    }

    [Fact]
    public void A_link_is_as_safe_as_what_it_leads_to()
    {
        string open = Path.Combine(_directory, "open"), link = Path.Combine(_directory, "link");
        Directory.CreateDirectory(open);
        string script = Path.Combine(open, "s");
        File.Move(Script("exit 0"), script);
        File.CreateSymbolicLink(link, script);
        Assert.Null(CommandFile.Fault(link));
        Mode(open, (UnixFileMode)0b111_111_111);
        Assert.Equal($"its directory {open} may be written by a group or by others", CommandFile.Fault(link));
    }

    [Fact]
    public void What_is_no_program_is_refused()
    {
        Assert.Equal("there is no such file, or it can't be looked at", CommandFile.Fault("/nonexistent/x"));
        Assert.Equal("is no file", CommandFile.Fault("/tmp"));
        Assert.Null(CommandFile.Fault("/bin/sh"));
        Assert.Throws<ArgumentException>(() => new CommandChecker(new CheckOptions()));
        Assert.Throws<ArgumentException>(() => new CommandChecker(new CheckOptions { Command = { "true" } }));
    }

    [Fact(Timeout = Limit)]
    public async Task Runs_as_another_user_with_that_users_groups()
    {
        Assert.SkipUnless(Environment.UserName == "root" && File.Exists(CommandFile.SetPriv), "needs root and setpriv");
        CommandChecker checker = new(new CheckOptions { Command = { "/usr/bin/id" }, RunAs = "nobody" });
        string text = (await checker.CheckAsync(Target, Ct)).Text;
        Assert.StartsWith("uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)", text, StringComparison.Ordinal);
        checker = new CommandChecker(new CheckOptions { Command = { "/usr/bin/id" }, RunAs = "lb-no-such-user" });
        Assert.Equal(new ProbeResult(CheckStatus.SocketError, 0, "/usr/bin/id: is no user of this system"), await checker.CheckAsync(Target, Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task A_check_that_is_cancelled_before_it_starts_runs_nothing()
    {
        Assert.Equal(CheckStatus.Layer7Timeout, (await CheckAsync($"touch {_directory}/ran", ct: new CancellationToken(canceled: true))).Status);
        Assert.False(File.Exists(Path.Combine(_directory, "ran")));
    }

    private static ProbeTarget Target { get; } = new("s1", new IPEndPoint(IPAddress.Loopback, 80), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30));

    private Task<ProbeResult> CheckAsync(string script, bool dynamic = false, CancellationToken? ct = null) =>
        new CommandChecker(new CheckOptions { Command = { Script(script) }, Dynamic = dynamic }).CheckAsync(Target, ct ?? Ct).AsTask();

    private string Script(string text)
    {
        string path = Path.Combine(_directory, $"script-{Guid.NewGuid():N}");
        File.WriteAllText(path, $"#!/bin/sh\n{text}\n");
        Mode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private static void Mode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, mode);
    }

    private async Task<string> PipeAsync()
    {
        string path = Path.Combine(_directory, "pipe");
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start("mkfifo", path);
        await process.WaitForExitAsync(Ct);
        Assert.Equal(0, process.ExitCode);
        return path;
    }

    private static string[] Stat(string directory)
    {
        try
        {
            // Number and name first; the name is between brackets and may have blanks.
            string stat = File.ReadAllText(Path.Combine(directory, "stat"));
            return ["", "", .. stat[(stat.LastIndexOf(')') + 2)..].Split(' ')];
        }
        catch (IOException)
        {
            return [];
        }
    }
}
