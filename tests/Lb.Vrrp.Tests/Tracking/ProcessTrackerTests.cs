using System.Diagnostics;
using System.Globalization;
using Lb.Contracts.Commands;
using Lb.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lb.Vrrp.Tests.Tracking;

[Trait("Row", "V7")]
public sealed class ProcessTrackerTests : IDisposable
{
    private const int Limit = 60_000;
    private readonly ProgramDirectory _directory = new();
    private readonly ManualTimeProvider _time = new();
    private readonly Reports _reports = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _directory.Dispose();
        _reports.Dispose();
    }

    [Fact(Timeout = Limit)]
    public async Task As_many_as_the_quorum_must_run()
    {
        Put(10, "(nginx) S 1", "nginx: worker");
        Put(11, "(sh) S 1", "sh");
        Put(12, "(nginx) Z 1", "");
        using ProcessTracker tracker = Start("nginx", o => o.Quorum = 2);
        Assert.Equal(new TrackReport(Well: false, 0, "1 of 2 processes"), await _reports.NextAsync());
        await _reports.LookedAsync();
        Put(13, "(nginx) R 1", "nginx: worker");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new TrackReport(Well: true, 0, "2 of 2 processes"), await _reports.NextAsync());
        await _reports.LookedAsync();
        Directory.Delete(_directory["10"], recursive: true);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False((await _reports.NextAsync()).Well);
    }

    [Theory(Timeout = Limit)]
    [InlineData("a-name-of-more-than-15-bytes", "(a-name-of-more-) S", "x", true)]
    [InlineData("od) (d", "(od) (d) S", "x", true)]
    [InlineData("ngin", "(nginx) S", "ngin", false)]
    [InlineData("/usr/sbin/nginx", "(other) S", "/usr/sbin/nginx\0-g\0daemon off", true)]
    [InlineData("/usr/sbin/nginx", "(nginx) S", "/usr/sbin/nginx2\0-g", false)]
    public async Task Its_name_is_compared_as_it_stands(string process, string stat, string line, bool found)
    {
        Put(10, stat, line);
        using ProcessTracker tracker = Start(process, o => o.InitFail = found);
        Assert.Equal(found, (await _reports.NextAsync()).Well);
    }

    [Fact(Timeout = Limit)]
    public async Task It_may_be_away_for_a_while_once_it_was_there()
    {
        Put(10, "(haproxy) S", "");
        using ProcessTracker tracker = Start("haproxy", o => o.Delay = TimeSpan.FromSeconds(2));
        Assert.True((await _reports.NextAsync()).Well);
        await _reports.LookedAsync();
        Directory.Delete(_directory["10"], recursive: true);
        _time.Advance(TimeSpan.FromSeconds(1));
        await _reports.TurnAsync(_time);
        await _reports.LookedAsync();
        Assert.Equal(0, _reports.Count);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new TrackReport(Well: false, 0, "0 of 1 processes"), await _reports.NextAsync());
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "V26")]
    [Trait("Lab", "004")]
    public async Task A_service_that_dies_is_started_again_and_the_addresses_stay()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/setsid"), "setsid is not installed");
        string name = $"lb{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}"; // its own, in the system's /proc
        string service = _directory[name], pid = _directory["pid"];
        File.Copy("/bin/sleep", service);
        string start = _directory.Script($"/usr/bin/setsid {service} 1000 > /dev/null 2>&1 & echo $! > {pid}; while [ \"$(cat /proc/$(cat {pid})/comm)\" != {name} ]; do :; done");
        RouterTrackOptions options = new() { Process = name, Restart = { start } };
        using ProcessTracker tracker = new(options, _time, NullLogger.Instance);
        try
        {
            Assert.True((await ExternalCommand.RunAsync(new CommandLine([start]), Ct)).IsSuccess);
            using Process first = Service();
            _reports.Start(tracker);
            Assert.True((await _reports.NextAsync()).Well);
            await _reports.LookedAsync();
            first.Kill();
            await EndOfAsync(first);
            _time.Advance(TimeSpan.FromSeconds(1));
            await _reports.LookedAsync();
            using Process second = Service();
            Assert.NotEqual(first.Id, second.Id);
            _time.Advance(TimeSpan.FromSeconds(1));
            await _reports.LookedAsync();
            Assert.Equal(0, _reports.Count);
        }
        finally
        {
            using Process last = Service();
            last.Kill();
        }

        Process Service() => Process.GetProcessById(int.Parse(File.ReadAllText(pid), CultureInfo.InvariantCulture));
    }

    // Not a child of this process, so only /proc tells of its end.
    private static async Task EndOfAsync(Process process)
    {
        while (!process.HasExited) await Task.Yield();
    }

    private ProcessTracker Start(string process, Action<RouterTrackOptions> configure)
    {
        RouterTrackOptions options = new() { Process = process };
        configure(options);
        ProcessTracker tracker = new(options, _time, NullLogger.Instance, _directory.Path);
        _reports.Start(tracker);
        return tracker;
    }

    private void Put(int id, string stat, string line)
    {
        string directory = Directory.CreateDirectory(_directory[id.ToString(CultureInfo.InvariantCulture)]).FullName;
        File.WriteAllText(Path.Combine(directory, "stat"), $"{id.ToString(CultureInfo.InvariantCulture)} {stat} 1 2 3\n");
        File.WriteAllText(Path.Combine(directory, "cmdline"), line);
    }
}
