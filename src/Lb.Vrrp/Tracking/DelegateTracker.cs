using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>Asks the host's own code. One call at a time: while one that ignores its limit goes on, every look has failed.</summary>
internal sealed class DelegateTracker(string name, Func<CancellationToken, ValueTask<bool>> look, RouterTrackOptions options, TimeProvider time, ILogger logger)
    : JudgedTracker(options, time, logger)
{
    private Task<bool>? _running;

    public override string Name => name;

    protected override async ValueTask<(bool Passed, string Text)> LookAsync(CancellationToken limit)
    {
        if (_running is { IsCompleted: false }) return (false, "the call before has not ended");
        _running = look(limit).AsTask();
        bool passed = await _running.WaitAsync(limit).ConfigureAwait(false);
        return (passed, passed ? "well" : "not well");
    }
}
