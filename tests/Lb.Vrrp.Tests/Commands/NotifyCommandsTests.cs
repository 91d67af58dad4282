using Lb.Contracts.Commands;
using Lb.Testing;
using Microsoft.Extensions.Logging;

namespace Lb.Vrrp.Tests.Commands;

[Trait("Row", "V20")]
[Trait("Row", "N3")]
public sealed class NotifyCommandsTests : IDisposable
{
    private const int Limit = 60_000;
    private readonly ProgramDirectory _programs = new();
    private readonly ManualTimeProvider _time = new();
    private readonly RouterNotifyOptions _options = new();
    private readonly Logged _log = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Told => _programs["told"];

    public void Dispose() => _programs.Dispose();

    [Fact(Timeout = Limit)]
    public async Task Every_state_has_its_program_and_then_one_with_keepalived_s_arguments()
    {
        string own = _programs.Script($"echo own \"$@\" >> {Told}"), any = _programs.Script($"echo any \"$@\" >> {Told}");
        Set(_options.Active, own, "up");
        Set(_options.Backup, own, "standby");
        Set(_options.Fault, own, "fault");
        Set(_options.Stop, own, "bye");
        Set(_options.Any, any, "-v");
        foreach ((RouterState from, RouterState to) in new[]
        {
            (RouterState.Initialize, RouterState.Backup), (RouterState.Backup, RouterState.Active), (RouterState.Active, RouterState.Fault), (RouterState.Fault, RouterState.Initialize),
        })
        {
            // Each to its end, so that none is left out.
            await using NotifyCommands commands = Commands();
            await commands.NotifyAsync(Change(from, to, 150), Ct);
        }

        Assert.Equal(
            [
                "own standby", "any -v INSTANCE gw BACKUP 150", "own up", "any -v INSTANCE gw MASTER 150",
                "own fault", "any -v INSTANCE gw FAULT 150", "own bye", "any -v INSTANCE gw STOP 150",
            ],
            await File.ReadAllLinesAsync(Told, Ct));
        Assert.Empty(_log.Lines);
    }

    [Fact(Timeout = Limit)]
    public async Task While_one_runs_events_do_not_wait_and_the_last_state_is_kept()
    {
        string pipe = await _programs.PipeAsync(Ct);
        Set(_options.Active, _programs.Script($"read line < {pipe}; echo active >> {Told}"));
        Set(_options.Backup, _programs.Script($"echo backup >> {Told}"));
        Set(_options.Fault, _programs.Script($"echo fault >> {Told}"));
        Set(_options.Stop, _programs.Script($"echo stop >> {Told}"));
        await using (NotifyCommands commands = Commands())
        {
            await commands.NotifyAsync(Change(RouterState.Backup, RouterState.Active), Ct);

            // Opens when the program reads.
            using StreamWriter writer = await Task.Run(() => new StreamWriter(pipe), Ct);
            await commands.NotifyAsync(Change(RouterState.Active, RouterState.Resigning), Ct);
            await commands.NotifyAsync(Change(RouterState.Active, RouterState.Backup), Ct);
            await commands.NotifyAsync(Change(RouterState.Backup, RouterState.Initialize), Ct);
            await commands.NotifyAsync(Change(RouterState.Initialize, RouterState.Backup), Ct);
            await commands.NotifyAsync(Change(RouterState.Backup, RouterState.Fault), Ct);
            Assert.False(File.Exists(Told));
            await writer.WriteLineAsync("go");
        }

        Assert.Equal(["active", "stop", "fault"], await File.ReadAllLinesAsync(Told, Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task One_that_hangs_is_killed_when_its_time_is_up_and_the_stop_still_comes()
    {
        string pipe = await _programs.PipeAsync(Ct);
        string hangs = _programs.Script($"exec 9>{pipe}; sleep 1000 & echo started >&9; sleep 1000");
        Set(_options.Active, hangs);
        Set(_options.Stop, _programs.Script($"echo stop >> {Told}"));
        NotifyCommands commands = Commands();
        await commands.NotifyAsync(Change(RouterState.Backup, RouterState.Active), Ct);
        using StreamReader reader = await Task.Run(() => new StreamReader(pipe), Ct);
        Assert.Equal("started", await reader.ReadLineAsync(Ct));
        await commands.NotifyAsync(Change(RouterState.Active, RouterState.Initialize), Ct);
        Task stopped = commands.DisposeAsync().AsTask();
        Assert.False(stopped.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(30));
        await stopped.WaitAsync(Ct);
        Assert.Equal("", await reader.ReadToEndAsync(Ct));
        Assert.Equal(["stop"], await File.ReadAllLinesAsync(Told, Ct));
        Assert.Equal([$"3100 Error: Program {hangs}, to be told that router gw is Active, has failed: did not end in time"], _log.Lines);
    }

    [Fact(Timeout = Limit)]
    public async Task A_failure_is_logged_once_with_its_code_and_first_line()
    {
        string fails = _programs.Script("echo no route; echo more; exit 4");
        Set(_options.Fault, fails);
        await using (NotifyCommands commands = Commands()) await commands.NotifyAsync(Change(RouterState.Backup, RouterState.Fault), Ct);
        Assert.Equal([$"3100 Error: Program {fails}, to be told that router gw is Fault, has failed: exit code 4: no route"], _log.Lines);
    }

    [Fact(Timeout = Limit)]
    public async Task A_router_that_is_no_longer_configured_is_stopped_with_the_programs_it_had()
    {
        Set(_options.Stop, _programs.Script($"echo stop >> {Told}"));
        RouterNotifyOptions? options = _options;
        await using (NotifyCommands commands = new(_ => options, _time, _log))
        {
            await commands.NotifyAsync(Change(RouterState.Initialize, RouterState.Backup), Ct);
            options = null;
            await commands.NotifyAsync(Change(RouterState.Backup, RouterState.Initialize), Ct);
        }

        Assert.Equal(["stop"], await File.ReadAllLinesAsync(Told, Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task It_runs_as_the_user_it_is_told()
    {
        Assert.SkipUnless(Environment.UserName == "root" && File.Exists("/usr/bin/setpriv"), "needs root and setpriv");
        Set(_options.Active, _programs.Script("id -un; exit 1"));
        ProgramDirectory.Mode(_programs.Path, (UnixFileMode)0b111_101_101);
        ProgramDirectory.Mode(_options.Active[0], (UnixFileMode)0b111_101_101);
        _options.User = "nobody";
        await using (NotifyCommands commands = Commands()) await commands.NotifyAsync(Change(RouterState.Backup, RouterState.Active), Ct);
        Assert.EndsWith("exit code 1: nobody", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Programs_and_users_are_looked_at_before_they_are_needed()
    {
        string open = _programs.Script("exit 0");
        ProgramDirectory.Mode(open, (UnixFileMode)0b111_101_111);
        RouterOptions router = new() { Track = { new RouterTrackOptions { Command = { "/nonexistent/a" }, Restart = { open }, User = "lb-no-such-user" } } };
        router.Notify.Any.Add("/tmp");
        router.Notify.Stop.Add("/bin/sh");
        router.Notify.User = "lb-no-such-user";
        List<ConfigurationError> errors = [];
        CommandRules.Validate("Lb:Routers:gw", router, errors);
        Assert.Equal(
            ["Lb:Routers:gw:Track:0:Command:0", "Lb:Routers:gw:Track:0:Restart:0", "Lb:Routers:gw:Track:0:User", "Lb:Routers:gw:Notify:Any:0", "Lb:Routers:gw:Notify:User"],
            errors.Select(static e => e.Path));
        Assert.Equal("may be written by its group or by others; chmod go-w it", errors[1].Message);
    }

    private static void Set(IList<string> command, params string[] words)
    {
        foreach (string word in words) command.Add(word);
    }

    private static RouterStateChanged Change(RouterState from, RouterState to, int priority = 100) => new(ManualTimeProvider.Start, "gw", from, to, priority, "test");

    private NotifyCommands Commands() => new(name => name == "gw" ? _options : null, _time, _log);

    private sealed class Logged : ILogger<NotifyCommands>
    {
        private readonly Lock _lock = new();
        private readonly List<string> _lines = [];

        public string[] Lines
        {
            get
            {
                lock (_lock) return [.. _lines];
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lock) _lines.Add($"{eventId.Id} {logLevel}: {formatter(state, exception)}");
        }
    }
}
