namespace Lb.Health;

/// <summary>At most so many starts of checks in any second; the others wait in the order of their coming. The limit may change while they run. Any thread.</summary>
/// <remarks>
/// Starts are paced, half a percent slower than the limit: that makes up for timers that come a few milliseconds late and let the checks of that time go
/// together. After a longer pause nothing is made up for.
/// </remarks>
internal sealed class CheckBudget(TimeProvider time) : Deadline
{
    /// <summary>How much slower than the limit starts are paced.</summary>
    public const double Slower = 1.005;

    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(4);

    private readonly Lock _lock = new();
    private readonly DeadlineQueue _queue = DeadlineQueue.Of(time);
    private readonly long _origin = time.GetTimestamp();
    private readonly Queue<TaskCompletionSource> _waiting = [];
    private TimeSpan _spacing;
    private TimeSpan _next;

    /// <summary>Checks that wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock) return _waiting.Count;
        }
    }

    /// <summary>Sets the limit; 0 = none.</summary>
    public void SetLimit(int perSecond)
    {
        lock (_lock)
        {
            TimeSpan spacing = perSecond == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(Slower / perSecond);
            if (spacing == _spacing) return;
            _next = _spacing == TimeSpan.Zero ? TimeSpan.Zero : _next + spacing - _spacing;
            _spacing = spacing;
            if (_waiting.Count > 0) _queue.Set(this, spacing == TimeSpan.Zero ? TimeSpan.Zero : _next - Now);
        }
    }

    /// <summary>Waits for the permission to start now.</summary>
    public ValueTask EnterAsync(CancellationToken ct)
    {
        lock (_lock)
        {
            if (_waiting.Count == 0 && TryTake()) return default;
            TaskCompletionSource granted = new();
            _waiting.Enqueue(granted);
            if (_waiting.Count == 1) _queue.Set(this, _next - Now);
            return WaitAsync(granted, ct);
        }
    }

    protected internal override void Reached()
    {
        TaskCompletionSource? next;
        lock (_lock)
        {
            if (!_waiting.TryPeek(out next)) return;
            if (!next.Task.IsCompleted && !TryTake())
            {
                _queue.Set(this, _next - Now);
                return;
            }

            // Before the check runs, on this thread: one that holds it up must not hold up the others.
            _waiting.Dequeue();
            if (_waiting.Count > 0) _queue.Set(this, _next - Now);
        }

        // One that gives up at this very moment has had its turn.
        next.TrySetResult();
    }

    private TimeSpan Now => time.GetElapsedTime(_origin);

    private static async ValueTask WaitAsync(TaskCompletionSource granted, CancellationToken ct)
    {
        using (ct.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), granted))
            await granted.Task.ConfigureAwait(false);
    }

    private bool TryTake()
    {
        if (_spacing == TimeSpan.Zero) return true;
        TimeSpan now = Now;
        if (now < _next) return false;
        _next = (now - _next > Together ? now : _next) + _spacing;
        return true;
    }
}
