using Lb.Contracts.Commands;
using Lb.Testing;

namespace Lb.Vrrp.Tests.Tracking;

[Trait("Row", "V7")]
public sealed class FileTrackerTests : IDisposable
{
    private const int Limit = 60_000;
    private readonly ProgramDirectory _directory = new();
    private readonly ManualTimeProvider _time = new();
    private readonly Reports _reports = new();

    public void Dispose() => _directory.Dispose();

    [Fact(Timeout = Limit)]
    public async Task It_hears_of_a_change_without_waiting_for_the_next_look()
    {
        string file = _directory["value"];
        using FileTracker tracker = new(new RouterTrackOptions { File = file }, _time);
        tracker.Start(_reports.Add);
        Assert.Equal(new TrackReport(Well: true, 0, "holds 0"), await _reports.NextAsync());

        // Time stands still.
        Write("-20\n");
        Assert.Equal(new TrackReport(Well: false, -20, "holds -20"), await _reports.NextAsync());
        Write("3");
        Assert.Equal(3, (await _reports.NextAsync()).Value);
        File.Delete(file);
        Assert.Equal(new TrackReport(Well: true, 0, "holds 0"), await _reports.NextAsync());

        void Write(string text)
        {
            File.WriteAllText(file + ".new", text);
            File.Move(file + ".new", file, overwrite: true);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Without_a_directory_to_watch_it_looks_at_each_interval()
    {
        Directory.CreateDirectory(_directory["d"]);
        Directory.Delete(_directory["d"]);
        using FileTracker tracker = new(new RouterTrackOptions { File = _directory["d/value"] }, _time);
        tracker.Start(_reports.Add);
        Assert.Equal(0, (await _reports.NextAsync()).Value);
        await _time.WhenTimersReach(1, TestContext.Current.CancellationToken);
        Directory.CreateDirectory(_directory["d"]);
        await File.WriteAllTextAsync(_directory["d/value"], "9", TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(9, (await _reports.NextAsync()).Value);
    }

    [Fact(Timeout = Limit)]
    public async Task A_file_that_is_being_written_anew_is_not_0_meanwhile()
    {
        string file = _directory["value"];
        await File.WriteAllTextAsync(file, "7", TestContext.Current.CancellationToken);
        using FileTracker tracker = new(new RouterTrackOptions { File = file }, _time);
        tracker.Start(_reports.Add);
        Assert.Equal(7, (await _reports.NextAsync()).Value);
        await _time.WhenTimersReach(1, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(file, "8", TestContext.Current.CancellationToken);
        Assert.Equal(8, (await _reports.NextAsync()).Value);
    }
}
