using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>
/// Looks at something again and again, never twice at a time; counts the looks into a verdict (rise, fall), has it started again when it is not well, and
/// tells when that did not help.
/// </summary>
internal abstract class JudgedTracker : ITracker
{
    /// <summary>Longest run of a command that starts something again.</summary>
    internal static readonly TimeSpan LongestRestart = TimeSpan.FromSeconds(30);

    private readonly RouterTrackOptions _options;
    private readonly ILogger _logger;
    private readonly TrackReports _reports = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly CommandLine? _restart;
    private RiseFall _judge;
    private RestartPolicy _policy;

    protected JudgedTracker(RouterTrackOptions options, TimeProvider time, ILogger logger)
    {
        _options = options;
        _logger = logger;
        Time = time;
        _judge = new RiseFall(options.Rise, options.Fall, options.InitFail);
        _restart = options.Restart.Count == 0 ? null : new CommandLine([.. options.Restart]);
        _policy = new RestartPolicy(_restart is null ? 0 : options.RestartAttempts, options.RestartBackOff);
    }

    public abstract string Name { get; }

    protected TimeProvider Time { get; }

    /// <summary>The loop; ends some time after <see cref="Dispose"/>.</summary>
    internal Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>For tests: called when the wait for the next look has begun, so that time may be moved.</summary>
    internal Action? Resting { get; set; }

    private TimeSpan Now => Time.GetElapsedTime(0);

    public void Start(Action<TrackReport> report)
    {
        _reports.Open(report);
        CancellationToken ct = _stop.Token;
        Ended = Task.Run(() => WatchAsync(ct), CancellationToken.None);
    }

    public void Dispose()
    {
        // The source is not disposed: the loop may be about to use it, and it holds nothing.
        _reports.Close();
        _stop.Cancel();
    }

    /// <summary>Looks once.</summary>
    /// <param name="limit">Its time is up: the look has failed.</param>
    /// <returns>Whether it is well, and what was found.</returns>
    protected abstract ValueTask<(bool Passed, string Text)> LookAsync(CancellationToken limit);

    private async Task WatchAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            TimeSpan began = Now;
            (bool passed, string text) = await LimitedAsync(LookAsync, _options.Timeout ?? _options.Interval, ct).ConfigureAwait(false);
            if (ct.IsCancellationRequested) return;
            await JudgeAsync(_judge.Observe(passed), text, ct).ConfigureAwait(false);

            // The pace of keepalived: a turn that takes too long lets the next ones fall out.
            TimeSpan late = Now - began;
            TimeSpan rest = _options.Interval - TimeSpan.FromTicks(late.Ticks % _options.Interval.Ticks);
            Task resting = Task.Delay(Delay(rest), Time, ct);
            Resting?.Invoke();
            await resting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async ValueTask JudgeAsync(bool well, string text, CancellationToken ct)
    {
        switch (_policy.Observe(well, Now))
        {
            case RestartAdvice.Restart:
                TrackLog.Restarting(_logger, Name, text, _policy.Tried, _options.RestartAttempts);
                (bool passed, string said) = await LimitedAsync(RestartAsync, LongestRestart, ct).ConfigureAwait(false);
                if (!passed && !ct.IsCancellationRequested) TrackLog.RestartFailed(_logger, Name, said);
                _policy.Ran(Now);
                return;
            case RestartAdvice.Wait:
                return;
            default:
                _reports.Tell(new TrackReport(well, 0, text));
                return;
        }
    }

    private async ValueTask<(bool Passed, string Text)> RestartAsync(CancellationToken limit) =>
        CommandWords.Tell(await ExternalCommand.RunAsync(_restart!, limit).ConfigureAwait(false));

    private async ValueTask<(bool Passed, string Text)> LimitedAsync(Func<CancellationToken, ValueTask<(bool Passed, string Text)>> act, TimeSpan time, CancellationToken ct)
    {
        using CancellationTokenSource limit = new(Delay(time), Time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            return await act(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            return (false, "did not end in time");
        }
        catch (Exception error)
        {
            // A host's delegate may throw anything; that is a failed look.
            return (false, error.Message);
        }
    }

    // Timers count whole milliseconds and cut the rest off.
    private static TimeSpan Delay(TimeSpan time) => TimeSpan.FromMilliseconds(Math.Ceiling(time.TotalMilliseconds));
}
