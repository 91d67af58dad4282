using System.Globalization;
using Lb.Contracts.Commands;

namespace Lb.Tests.Commands;

[Trait("Row", "H15")]
public sealed class ExternalCommandTests : IDisposable
{
    private const int Limit = 60_000;
    private readonly ProgramDirectory _programs = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _programs.Dispose();

    [Theory(Timeout = Limit)]
    [InlineData("exit 0", CommandOutcome.Exited, 0, true)]
    [InlineData("exit 1", CommandOutcome.Exited, 1, false)]
    [InlineData("exit 255", CommandOutcome.Exited, 255, false)]
    [InlineData("kill -9 $$", CommandOutcome.Signalled, 9, false)]
    [InlineData("kill -15 $$", CommandOutcome.Signalled, 15, false)]
    public async Task Tells_an_exit_code_from_a_signal(string script, CommandOutcome outcome, int code, bool isSuccess)
    {
        CommandEnd end = await RunAsync(script);
        Assert.Equal(new CommandEnd(outcome, code, ""), end);
        Assert.Equal(isSuccess, end.IsSuccess);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "N5")]
    public async Task Its_environment_is_what_it_was_given_and_no_more()
    {
        CommandLine command = new(["/usr/bin/env"]);
        Assert.Equal(new CommandEnd(CommandOutcome.Exited, 0, $"PATH={CommandLine.SearchPath}"), await ExternalCommand.RunAsync(command, Ct));
        Assert.Equal("A=b c", (await ExternalCommand.RunAsync(command with { Environment = ["A=b c"] }, Ct)).Text);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "N5")]
    public async Task One_that_hangs_is_killed_with_all_that_it_started()
    {
        using CancellationTokenSource limit = new();
        string pipe = await _programs.PipeAsync(Ct);
        Task<StreamReader> opened = Task.Run(() => new StreamReader(pipe), Ct);
        Task<CommandEnd> run = RunAsync($"exec 9>{pipe}; sleep 1000 & trap '' TERM; echo started >&9; echo waits; sleep 1000", limit.Token);
        using StreamReader reader = await opened;
        Assert.Equal("started", await reader.ReadLineAsync(Ct));
        await limit.CancelAsync();
        CommandEnd end = await run;
        Assert.Equal((CommandOutcome.TimedOut, 0), (end.Outcome, end.Code));

        // The pipe ends when the last of those who hold it has ended.
        Assert.Equal("", await reader.ReadToEndAsync(Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task What_it_leaves_behind_ends_with_it()
    {
        string pipe = await _programs.PipeAsync(Ct);
        Task<StreamReader> opened = Task.Run(() => new StreamReader(pipe), Ct);
        Assert.True((await RunAsync($"exec 9>{pipe}; sleep 1000 & echo started >&9")).IsSuccess);
        using StreamReader reader = await opened;
        Assert.Equal("started\n", await reader.ReadToEndAsync(Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task One_who_left_the_group_holds_nobody_up()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/setsid"), "setsid is not installed");
        string pid = _programs["pid"];
        CommandEnd end = await RunAsync($"/usr/bin/setsid /bin/sh -c 'echo $$ > {pid}; exec sleep 1000' & while [ ! -s {pid} ]; do :; done; echo done");
        Assert.Equal(new CommandEnd(CommandOutcome.Exited, 0, "done"), end);
        System.Diagnostics.Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(pid, Ct), CultureInfo.InvariantCulture)).Kill();
    }

    [Fact(Timeout = Limit)]
    public async Task Many_at_a_time_leave_no_process_and_no_descriptor()
    {
        await RunAsync("exit 0");
        int before = Directory.GetFiles("/proc/self/fd").Length;
        CommandLine command = new([_programs.Script("exit 0")]);
        CommandEnd[] ends = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => ExternalCommand.RunAsync(command, Ct).AsTask(), Ct)));
        Assert.All(ends, static e => Assert.True(e.IsSuccess, $"{e}"));

        // Other tests of this process may have a few open.
        Assert.InRange(Directory.GetFiles("/proc/self/fd").Length, 0, before + 50);
        string self = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Assert.DoesNotContain(Directory.GetDirectories("/proc").Where(static d => char.IsAsciiDigit(d[6])).Select(Stat), s => s is [_, _, "Z", var parent, ..] && parent == self);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "N5")]
    public async Task A_file_that_others_may_write_is_never_run()
    {
        string script = _programs.Script($"touch {_programs["ran"]}");
        CommandLine command = new([script]);
        foreach (UnixFileMode mode in (UnixFileMode[])[UnixFileMode.GroupWrite, UnixFileMode.OtherWrite])
        {
            ProgramDirectory.Mode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | mode);
            CommandEnd end = await ExternalCommand.RunAsync(command, Ct);
            Assert.Equal(new CommandEnd(CommandOutcome.NotStarted, 0, $"{script}: may be written by its group or by others; chmod go-w it"), end);
        }

        ProgramDirectory.Mode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Equal($"{script}: is not executable", (await ExternalCommand.RunAsync(command, Ct)).Text);
        ProgramDirectory.Mode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        ProgramDirectory.Mode(_programs.Path, (UnixFileMode)0b111_111_111);
        Assert.Equal($"{script}: its directory {_programs.Path} may be written by a group or by others", (await ExternalCommand.RunAsync(command, Ct)).Text);
        Assert.False(File.Exists(_programs["ran"]));

        ProgramDirectory.Mode(_programs.Path, (UnixFileMode)0b111_101_101);
        Assert.True((await ExternalCommand.RunAsync(command, Ct)).IsSuccess);
        Assert.True(File.Exists(_programs["ran"]));
    }

    [Fact]
    [Trait("Row", "N5")]
    public void A_link_is_as_safe_as_what_it_leads_to()
    {
        string open = _programs["open"], link = _programs["link"], script = Path.Combine(open, "s");
        Directory.CreateDirectory(open);
        File.Move(_programs.Script("exit 0"), script);
        File.CreateSymbolicLink(link, script);
        Assert.Null(ExternalCommand.Fault(link));
        ProgramDirectory.Mode(open, (UnixFileMode)0b111_111_111);
        Assert.Equal($"its directory {open} may be written by a group or by others", ExternalCommand.Fault(link));
    }

    [Fact]
    public void A_link_on_the_way_is_as_safe_as_what_it_leads_to()
    {
        string open = _programs["open"], inner = Path.Combine(open, "bin"), way = _programs["way"], far = _programs["far"];
        Directory.CreateDirectory(inner);
        string script = Path.GetFileName(_programs.Script("exit 0"));
        File.Move(_programs[script], Path.Combine(inner, script));
        Directory.CreateSymbolicLink(way, "open/../open/./bin");
        Directory.CreateSymbolicLink(far, way);
        Assert.Null(ExternalCommand.Fault(Path.Combine(far, script)));
        ProgramDirectory.Mode(open, (UnixFileMode)0b111_111_111);
        Assert.Equal($"its directory {open} may be written by a group or by others", ExternalCommand.Fault(Path.Combine(way, script)));
        Assert.Equal($"its directory {open} may be written by a group or by others", ExternalCommand.Fault(Path.Combine(far, script)));
    }

    [Fact]
    public void Links_in_a_circle_are_no_program()
    {
        File.CreateSymbolicLink(_programs["one"], _programs["two"]);
        File.CreateSymbolicLink(_programs["two"], _programs["one"]);
        Assert.Equal("there is no such file, or it can't be looked at", ExternalCommand.Fault(_programs["one"]));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "N5")]
    public async Task What_is_no_program_is_refused()
    {
        Assert.Equal("there is no such file, or it can't be looked at", ExternalCommand.Fault("/nonexistent/x"));
        Assert.Equal("is no file", ExternalCommand.Fault("/tmp"));
        Assert.Equal("is no full path; programs are not searched for", ExternalCommand.Fault("sh"));
        Assert.Null(ExternalCommand.Fault("/bin/sh"));
        await Assert.ThrowsAsync<ArgumentException>(() => ExternalCommand.RunAsync(new CommandLine([]), Ct).AsTask());
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "N5")]
    public async Task Runs_as_another_user_with_that_users_groups()
    {
        Assert.SkipUnless(Environment.UserName == "root" && File.Exists("/usr/bin/setpriv"), "needs root and setpriv");
        CommandLine command = new(["/usr/bin/id"]) { User = "nobody" };
        string text = (await ExternalCommand.RunAsync(command, Ct)).Text;
        Assert.StartsWith("uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)", text, StringComparison.Ordinal);
        CommandEnd end = await ExternalCommand.RunAsync(command with { User = "lb-no-such-user" }, Ct);
        Assert.Equal(new CommandEnd(CommandOutcome.NotStarted, 0, "/usr/bin/id: is no user of this system"), end);
        Assert.Null(ExternalCommand.FaultOfUser("nobody"));
        Assert.Equal("is no user of this system", ExternalCommand.FaultOfUser("lb-no-such-user"));
    }

    [Fact(Timeout = Limit)]
    public async Task One_that_is_cancelled_before_it_starts_runs_nothing()
    {
        Assert.Equal(new CommandEnd(CommandOutcome.TimedOut, 0, ""), await RunAsync($"touch {_programs["ran"]}", new CancellationToken(canceled: true)));
        Assert.False(File.Exists(_programs["ran"]));
    }

    private Task<CommandEnd> RunAsync(string script, CancellationToken? ct = null) =>
        ExternalCommand.RunAsync(new CommandLine([_programs.Script(script)]), ct ?? Ct).AsTask();

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
