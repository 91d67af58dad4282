using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

/// <summary>A manual clock whose process can be stopped for a while: time goes on, timers that become due fire once when it runs again.</summary>
internal sealed class PausableTime(ManualTimeProvider inner) : TimeProvider
{
    private readonly List<Action> _due = [];
    private bool _paused;

    public override long TimestampFrequency => inner.TimestampFrequency;

    public override long GetTimestamp() => inner.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

    /// <summary>Stops the process for a while.</summary>
    /// <param name="time">How long.</param>
    /// <param name="first">What runs before the timers when it goes on.</param>
    public void Pause(TimeSpan time, Action? first = null)
    {
        _paused = true;
        inner.Advance(time);
        _paused = false;
        first?.Invoke();
        Action[] due = [.. _due];
        _due.Clear();
        foreach (Action callback in due) callback();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        inner.CreateTimer(s =>
        {
            if (_paused) _due.Add(() => callback(s));
            else callback(s);
        }, state, dueTime, period);
}
