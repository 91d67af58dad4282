namespace Lb.Testing;

/// <summary>
/// A clock that stands still until a test moves it: a 20-second failover takes microseconds and always happens in the same order. Thread-safe.
/// </summary>
/// <remarks>
/// Starts at 2030-01-01 00:00 UTC with a timestamp above 0. <see cref="Advance"/> fires timers in the order of their due times (those due at the same
/// time in the order they were armed), with the clock standing exactly at the due time, on the calling thread and outside any lock.
/// </remarks>
public sealed class ManualTimeProvider : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly SortedSet<ManualTimer> _armed = new(ManualTimer.ByDueTime);
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];

    // Away from 0, so that a test may look back in time, and so that 0 can mean "no timestamp".
    private long _now = TimeSpan.TicksPerDay;
    private DateTimeOffset _utcAtZero = Start - TimeSpan.FromDays(1);
    private long _armings;

    /// <summary>What a new clock shows: 2030-01-01 00:00 UTC.</summary>
    public static DateTimeOffset Start { get; } = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>10 million a second: a timestamp counts ticks of 100 ns.</summary>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>UTC: tests don't depend on where they run.</summary>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Timers that will fire if the clock is moved far enough; fired one-shot timers and disposed ones don't count.</summary>
    public int ActiveTimers
    {
        get
        {
            lock (_lock) return _armed.Count;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => Volatile.Read(ref _now);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _utcAtZero + TimeSpan.FromTicks(_now);
    }

    /// <summary>Sets the wall clock, as an administrator or NTP does, forwards or backwards: timestamps and timers don't notice.</summary>
    /// <param name="value">The time it is from now on.</param>
    public void SetUtcNow(DateTimeOffset value)
    {
        lock (_lock) _utcAtZero = value.ToUniversalTime() - TimeSpan.FromTicks(_now);
    }

    /// <summary>
    /// Moves the clock on and fires every timer that becomes due, those armed by the callbacks too. A zero time fires what is due right now. An exception
    /// of a callback comes out of here; the clock then stands at that timer's due time.
    /// </summary>
    /// <param name="time">How far; not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    public void Advance(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        long target = GetTimestamp() + time.Ticks;
        while (NextDue(target) is { } timer) timer.Fire();
    }

    /// <summary>Waits, in real time, until the code under test has armed this many timers; then it is safe to <see cref="Advance"/>.</summary>
    /// <param name="count">Number of <see cref="ActiveTimers"/> to wait for.</param>
    /// <param name="ct">Ends the wait; give it the test's own token.</param>
    public Task WhenTimersReach(int count, CancellationToken ct = default)
    {
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_armed.Count >= count) return Task.CompletedTask;
            _waiting.Add((count, reached));
        }

        return reached.Task.WaitAsync(ct);
    }

    /// <summary>Makes a timer of this clock. One that is due at once fires at the next <see cref="Advance"/>, never inside this call.</summary>
    /// <param name="callback">Runs on the thread that advances the clock.</param>
    /// <param name="state">Handed to the callback.</param>
    /// <param name="dueTime">Time to the first call; <see cref="Timeout.InfiniteTimeSpan"/> = not armed.</param>
    /// <param name="period">Time between calls; zero or <see cref="Timeout.InfiniteTimeSpan"/> = one call only.</param>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        ManualTimer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    // Takes out the first timer that is due by then and puts the clock there; without one the clock goes all the way.
    private ManualTimer? NextDue(long target)
    {
        lock (_lock)
        {
            if (_armed.Min is not { } timer || timer.Due > target)
            {
                _now = Math.Max(_now, target);
                return null;
            }

            _now = Math.Max(_now, timer.Due);
            _armed.Remove(timer);
            if (timer.Period > 0) Arm(timer, timer.Due + timer.Period);
            return timer;
        }
    }

    // A set ordered by due time: the keys change only while the timer is out of it.
    private void Arm(ManualTimer timer, long due)
    {
        timer.Due = due;
        timer.Order = ++_armings;
        _armed.Add(timer);
        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            if (_armed.Count < _waiting[i].Count) continue;
            _waiting[i].Reached.TrySetResult();
            _waiting.RemoveAt(i);
        }
    }

    private sealed class ManualTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        private bool _disposed;

        public static IComparer<ManualTimer> ByDueTime { get; } = Comparer<ManualTimer>.Create(
            static (a, b) => a.Due != b.Due ? a.Due.CompareTo(b.Due) : a.Order.CompareTo(b.Order));

        public long Due { get; set; }

        public long Order { get; set; }

        public long Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            CheckRange(dueTime, nameof(dueTime));
            CheckRange(period, nameof(period));
            lock (clock._lock)
            {
                if (_disposed) return false;
                clock._armed.Remove(this);
                Period = Math.Max(0, period.Ticks);
                if (dueTime >= TimeSpan.Zero) clock.Arm(this, clock._now + dueTime.Ticks);
                return true;
            }
        }

        public void Dispose()
        {
            lock (clock._lock)
            {
                _disposed = true;
                clock._armed.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        // What the timers of the runtime accept: -1 ms, or 0 to 2^32 - 2 ms.
        private static void CheckRange(TimeSpan value, string name)
        {
            if (value == Timeout.InfiniteTimeSpan) return;
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, name);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMilliseconds(uint.MaxValue - 1), name);
        }
    }
}
