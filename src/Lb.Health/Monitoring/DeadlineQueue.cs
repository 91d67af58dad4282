using System.Runtime.CompilerServices;

namespace Lb.Health;

/// <summary>A moment at which something is to be done: made once, set again and again. At most one moment at a time.</summary>
internal abstract class Deadline
{
    // The queue's, under its lock.
    internal long Due;
    internal long Order;
    internal int Index = -1;

    /// <summary>The moment has come, on a thread of the clock's. One that was moved or removed at this very moment may still come: look whether it is wanted.</summary>
    protected internal abstract void Reached();
}

/// <summary>
/// All deadlines on one clock, and the one timer that they share: ten thousand timers of the runtime cost more than the checks that they start. Any thread.
/// </summary>
/// <remarks>
/// Deadlines are reached in order, those of one moment in the order of their setting, on the thread of the timer. While one of them holds up that thread,
/// another goes on with the rest after <see cref="HeldUp"/>: whoever blocks has a thread of its own to block. With more than <see cref="Crowd"/> deadlines those
/// of some milliseconds are reached together, for waking up costs more than they do.
/// </remarks>
internal sealed class DeadlineQueue
{
    /// <summary>How long one deadline may take before the others go on without it.</summary>
    public static readonly TimeSpan HeldUp = TimeSpan.FromMilliseconds(10);

    /// <summary>How many deadlines are a crowd.</summary>
    public const int Crowd = 1000;

    private const int CrowdMilliseconds = 4;
    private static readonly ConditionalWeakTable<TimeProvider, DeadlineQueue> Queues = [];

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private Deadline[] _heap = new Deadline[16];
    private int _count;
    private long _orders;
    private long _armedFor = long.MaxValue;

    private DeadlineQueue(TimeProvider time)
    {
        _time = time;

        // Whoever happens to be the first must not leave its context to all the others.
        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
            _timer = time.CreateTimer(static state => ((DeadlineQueue)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Deadlines that are set.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _count;
        }
    }

    /// <summary>The queue of a clock.</summary>
    public static DeadlineQueue Of(TimeProvider time) => Queues.GetValue(time, static t => new DeadlineQueue(t));

    /// <summary>Sets a deadline, or moves it.</summary>
    /// <param name="deadline">Which.</param>
    /// <param name="delay">From now, rounded up to whole milliseconds: waking early means waiting twice. Zero or less: as soon as possible, never inside this call.</param>
    public void Set(Deadline deadline, TimeSpan delay)
    {
        lock (_lock)
        {
            long now = _time.GetTimestamp();
            deadline.Due = now + (Math.Max(0, (long)Math.Ceiling(delay.TotalMilliseconds)) * _time.TimestampFrequency / 1000);
            deadline.Order = _orders++;
            if (deadline.Index < 0)
            {
                if (_count == _heap.Length) Array.Resize(ref _heap, _count * 2);
                Put(_count++, deadline);
            }

            Up(deadline.Index);
            Down(deadline.Index);
            if (deadline.Due < _armedFor) Arm(deadline.Due, now);
        }
    }

    /// <summary>Takes a deadline out; one that is not set is left alone.</summary>
    public void Remove(Deadline deadline)
    {
        lock (_lock)
        {
            if (deadline.Index < 0) return;
            Take(deadline.Index);
            if (_count == 0) Disarm();
        }
    }

    private void Tick()
    {
        bool began = false;
        while (true)
        {
            Deadline first;
            lock (_lock)
            {
                if (_count == 0)
                {
                    Disarm();
                    return;
                }

                long now = _time.GetTimestamp();
                first = _heap[0];
                if (first.Due > now)
                {
                    if (!began || _armedFor != first.Due) Arm(first.Due, now);
                    return;
                }

                Take(0);
                if (!began) Arm(now + (HeldUp.Ticks * _time.TimestampFrequency / TimeSpan.TicksPerSecond), now);
                began = true;
            }

            first.Reached();
        }
    }

    private void Arm(long due, long now)
    {
        if (_count > Crowd) due = Math.Max(due, now + (CrowdMilliseconds * _time.TimestampFrequency / 1000));
        _armedFor = due;
        long milliseconds = Math.Max(0, ((due - now) * 1000 + _time.TimestampFrequency - 1) / _time.TimestampFrequency);
        _timer.Change(TimeSpan.FromMilliseconds(Math.Min(milliseconds, int.MaxValue)), Timeout.InfiniteTimeSpan);
    }

    private void Disarm()
    {
        if (_armedFor == long.MaxValue) return;
        _armedFor = long.MaxValue;
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    // A binary heap whose members know their place.
    private void Take(int index)
    {
        _heap[index].Index = -1;
        Deadline last = _heap[--_count];
        _heap[_count] = null!;
        if (index == _count) return;
        Put(index, last);
        Up(index);
        Down(last.Index);
    }

    private void Up(int index)
    {
        Deadline moved = _heap[index];
        while (index > 0 && IsBefore(moved, _heap[(index - 1) / 2]))
        {
            Put(index, _heap[(index - 1) / 2]);
            index = (index - 1) / 2;
        }

        Put(index, moved);
    }

    private void Down(int index)
    {
        Deadline moved = _heap[index];
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= _count) break;
            if (child + 1 < _count && IsBefore(_heap[child + 1], _heap[child])) child++;
            if (!IsBefore(_heap[child], moved)) break;
            Put(index, _heap[child]);
            index = child;
        }

        Put(index, moved);
    }

    private void Put(int index, Deadline deadline)
    {
        _heap[index] = deadline;
        deadline.Index = index;
    }

    private static bool IsBefore(Deadline one, Deadline other) => one.Due != other.Due ? one.Due < other.Due : one.Order < other.Order;
}
