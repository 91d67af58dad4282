using Lb.Contracts.Commands;
using Lb.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lb.Vrrp.Tests.Tracking;

[Trait("Row", "V6")]
public sealed class CommandTrackerTests : IDisposable
{
    private const int Limit = 60_000;
    private readonly ProgramDirectory _programs = new();
    private readonly ManualTimeProvider _time = new();
    private readonly Reports _reports = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _programs.Dispose();
        _reports.Dispose();
    }

    [Fact(Timeout = Limit)]
    public async Task Zero_is_well_and_everything_else_is_not()
    {
        string code = _programs["code"];
        await File.WriteAllTextAsync(code, "0", Ct);
        using CommandTracker tracker = Start(_programs.Script($"echo gateway; exit $(cat {code})"));
        Assert.Equal(new TrackReport(Well: true, 0, "exit code 0: gateway"), await _reports.NextAsync());
        await _reports.LookedAsync();
        await File.WriteAllTextAsync(code, "3", Ct);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new TrackReport(Well: false, 0, "exit code 3: gateway"), await _reports.NextAsync());
        await _reports.LookedAsync();
        await File.WriteAllTextAsync(code, "0", Ct);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new TrackReport(Well: true, 0, "exit code 0: gateway"), await _reports.NextAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task One_that_hangs_is_killed_with_its_group_and_has_failed()
    {
        string pipe = await _programs.PipeAsync(Ct);
        Task<StreamReader> opened = Task.Run(() => new StreamReader(pipe), Ct);
        using CommandTracker tracker = Start(_programs.Script($"exec 9>{pipe}; sleep 1000 & echo started >&9; sleep 1000"), o => o.Timeout = TimeSpan.FromMilliseconds(700));
        using StreamReader reader = await opened;
        Assert.Equal("started", await reader.ReadLineAsync(Ct));
        _time.Advance(TimeSpan.FromMilliseconds(699));
        Assert.Equal(0, _reports.Count);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(new TrackReport(Well: false, 0, "did not end in time"), await _reports.NextAsync());
        Assert.Equal("", await reader.ReadToEndAsync(Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task What_others_may_write_is_not_run_and_not_well()
    {
        string script = _programs.Script($"touch {_programs["ran"]}");
        ProgramDirectory.Mode(script, (UnixFileMode)0b111_101_111);
        using CommandTracker tracker = Start(script);
        Assert.Equal(new TrackReport(Well: false, 0, $"{script}: may be written by its group or by others; chmod go-w it"), await _reports.NextAsync());
        Assert.False(File.Exists(_programs["ran"]));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "V26")]
    public async Task A_service_that_is_started_again_in_time_is_never_told_of()
    {
        // The service is well while the file is there; only the second start brings it up.
        string up = _programs["up"], starts = _programs["starts"];
        await File.WriteAllTextAsync(up, "", Ct);
        string restart = _programs.Script($"echo >> {starts}; [ $(wc -l < {starts}) -lt 2 ] || touch {up}");
        using CommandTracker tracker = Start(_programs.Script($"test -e {up}"), o => o.Restart.Add(restart));
        Assert.True((await _reports.NextAsync()).Well);
        await _reports.LookedAsync();
        File.Delete(up);
        _time.Advance(TimeSpan.FromSeconds(1));
        for (int i = 0; i < 3; i++) await _reports.TurnAsync(_time);
        await _reports.LookedAsync();
        Assert.True(File.Exists(up));
        Assert.Equal(2, (await File.ReadAllLinesAsync(starts, Ct)).Length);
        Assert.Equal(0, _reports.Count);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "V26")]
    public async Task When_starting_it_again_does_not_help_it_is_not_well()
    {
        string starts = _programs["starts"];
        string restart = _programs.Script($"echo >> {starts}; exit 1");
        using CommandTracker tracker = Start("/bin/false", o =>
        {
            o.Restart.Add(restart);
            o.RestartAttempts = 2;
        });

        // Attempts at 0 s and 1 s; given up at 3 s.
        for (int i = 0; i < 3; i++)
        {
            await _reports.LookedAsync();
            Assert.Equal(0, _reports.Count);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(new TrackReport(Well: false, 0, "exit code 1"), await _reports.NextAsync());
        Assert.Equal(2, (await File.ReadAllLinesAsync(starts, Ct)).Length);
    }

    private CommandTracker Start(string program, Action<RouterTrackOptions>? configure = null)
    {
        RouterTrackOptions options = new() { Command = { program } };
        configure?.Invoke(options);
        CommandTracker tracker = new(options, _time, NullLogger.Instance);
        _reports.Start(tracker);
        return tracker;
    }
}
