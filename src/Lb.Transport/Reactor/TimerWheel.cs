namespace Lb.Transport;

/// <summary>
/// A hashed timing wheel: <see cref="SlotCount"/> slots of <see cref="TickMilliseconds"/> ms. Scheduling and cancelling are O(1) and
/// allocate nothing; a timer further away than one revolution stays in its slot until its deadline. One thread.
/// </summary>
/// <remarks>
/// Every slot, and the wheel as a whole, knows a lower bound of the deadlines in it. A cancelled timer leaves the bound as it was, which
/// costs one needless look when the bound is reached and spares the search on every cancel. Because the next deadline is known, an idle
/// loop sleeps until then and does not tick.
/// </remarks>
internal sealed class TimerWheel
{
    /// <summary>Length of a tick in milliseconds.</summary>
    public const int TickMilliseconds = 16;

    /// <summary>Slots of the wheel: one revolution is about 8 seconds.</summary>
    public const int SlotCount = 512;

    private readonly LoopTimer[] _slots = new LoopTimer[SlotCount];
    private readonly long[] _lowest = new long[SlotCount];
    private readonly LoopTimer _due = new Anchor();
    private readonly long _origin;
    private readonly long _unitsPerTick;
    private long _current;
    private long _next = long.MaxValue;

    /// <summary>Makes an empty wheel.</summary>
    /// <param name="now">The timestamp of this moment.</param>
    /// <param name="frequency">Timestamp units per second.</param>
    public TimerWheel(long now, long frequency)
    {
        _origin = now;
        _unitsPerTick = Math.Max(1, frequency * TickMilliseconds / 1000);
        for (int i = 0; i < SlotCount; i++) _slots[i] = new Anchor();
        Array.Fill(_lowest, long.MaxValue);
    }

    /// <summary>Timers that are scheduled.</summary>
    public int Count { get; private set; }

    /// <summary>Schedules or re-schedules a timer. It fires in the first tick that begins at or after the deadline, and not before the next tick.</summary>
    /// <param name="timer">The timer; it may be in this wheel already.</param>
    /// <param name="deadline">Timestamp.</param>
    public void Schedule(LoopTimer timer, long deadline)
    {
        long tick = Math.Max(_current + 1, (deadline - _origin - 1) / _unitsPerTick + 1);
        if (timer.IsScheduled)
        {
            // A timer that waits in the list of due ones has a deadline that is over: it can never equal the new one.
            if (timer.Deadline == tick) return;
            Unlink(timer);
        }
        else
        {
            Count++;
        }

        timer.Deadline = tick;
        int slot = SlotOf(tick);
        Append(_slots[slot], timer);
        if (tick < _lowest[slot]) _lowest[slot] = tick;
        if (tick < _next) _next = tick;
    }

    /// <summary>Forgets a timer; nothing happens when it is not scheduled.</summary>
    public void Cancel(LoopTimer timer)
    {
        if (!timer.IsScheduled) return;
        Unlink(timer);
        Count--;
    }

    /// <summary>
    /// Fires what is due, each timer once. A timer may schedule and cancel any timer while it fires; what it schedules fires in a later
    /// call. When a timer throws, the exception leaves this method and the next call goes on with the timers after it.
    /// </summary>
    /// <param name="now">Timestamp.</param>
    public void Advance(long now)
    {
        long tick = (now - _origin) / _unitsPerTick;
        if (tick > _current)
        {
            if (tick >= _next) Collect(tick);
            _current = tick;
        }

        while (_due.Next != _due)
        {
            LoopTimer timer = _due.Next!;
            Unlink(timer);
            Count--;
            timer.OnTimer();
        }
    }

    /// <summary>Timestamp units from <paramref name="now"/> to the moment <see cref="Advance"/> should be called: 0 at once, -1 never.</summary>
    public long NextDelay(long now)
    {
        if (_due.Next != _due) return 0;
        return Count == 0 ? -1 : Math.Max(0, _origin + _next * _unitsPerTick - now);
    }

    private static int SlotOf(long tick) => (int)(tick & (SlotCount - 1));

    /// <summary>Moves every timer whose tick has come to the list of due ones.</summary>
    private void Collect(long tick)
    {
        // No bound is at or below _current, so the slots of the ticks since then are all that can hold a due timer.
        long first = Math.Max(_current + 1, Math.Max(_next, tick - SlotCount + 1));
        for (long t = first; t <= tick; t++)
        {
            int slot = SlotOf(t);
            if (_lowest[slot] <= tick) _lowest[slot] = CollectSlot(_slots[slot], tick);
        }

        long next = long.MaxValue;
        foreach (long lowest in _lowest) next = Math.Min(next, lowest);
        _next = next;
    }

    private long CollectSlot(LoopTimer anchor, long tick)
    {
        long lowest = long.MaxValue;
        for (LoopTimer timer = anchor.Next!, following; timer != anchor; timer = following)
        {
            following = timer.Next!;
            if (timer.Deadline <= tick)
            {
                Unlink(timer);
                Append(_due, timer);
            }
            else if (timer.Deadline < lowest)
            {
                lowest = timer.Deadline;
            }
        }

        return lowest;
    }

    private static void Append(LoopTimer anchor, LoopTimer timer)
    {
        LoopTimer last = anchor.Previous!;
        timer.Previous = last;
        timer.Next = anchor;
        last.Next = timer;
        anchor.Previous = timer;
    }

    private static void Unlink(LoopTimer timer)
    {
        timer.Previous!.Next = timer.Next;
        timer.Next!.Previous = timer.Previous;
        timer.Next = timer.Previous = null;
    }

    /// <summary>Head and tail of a ring, so that neither linking nor unlinking has a special case.</summary>
    private sealed class Anchor : LoopTimer
    {
        public Anchor() => Next = Previous = this;

        protected internal override void OnTimer()
        {
        }
    }
}
