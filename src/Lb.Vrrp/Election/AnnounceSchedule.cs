namespace Lb.Vrrp;

/// <summary>When which announcement is due: a burst on becoming Active, the burst again later, a refresh from time to time. Not thread-safe; allocates nothing.</summary>
/// <param name="count">Messages of one round: one for each address.</param>
/// <param name="options">How often; read once.</param>
internal sealed class AnnounceSchedule(int count, RouterAnnounceOptions options)
{
    private readonly int _repeat = options.Repeat;
    private readonly int _lowerPriorityRepeat = options.LowerPriorityRepeat;
    private readonly TimeSpan _delay = options.Delay;
    private readonly TimeSpan _refresh = options.Refresh;
    private readonly TimeSpan _spacing = options.Spacing;
    private long _left;
    private int _index;
    private TimeSpan _nextMessage = TimeSpan.MaxValue;
    private TimeSpan _again = TimeSpan.MaxValue;
    private TimeSpan _nextRefresh = TimeSpan.MaxValue;
    private TimeSpan _lastMessage = TimeSpan.MinValue;

    /// <summary>When <see cref="TryNext"/> has something; <see cref="TimeSpan.MaxValue"/> = never.</summary>
    public TimeSpan Due => Earlier(_nextMessage, Earlier(_again, _nextRefresh));

    /// <summary>Begins, on becoming Active: a burst now, one more after the delay, refreshes from then on.</summary>
    public void Start(TimeSpan now)
    {
        _left = 0;
        _index = 0;
        _again = _delay > TimeSpan.Zero ? now + _delay : TimeSpan.MaxValue;
        _nextRefresh = _refresh > TimeSpan.Zero ? now + _refresh : TimeSpan.MaxValue;
        Add(_repeat, now);
    }

    /// <summary>One more burst, because an advert of lower priority was heard; what is still to be sent counts for it.</summary>
    public void Again(TimeSpan now) => Add(_lowerPriorityRepeat, now);

    /// <summary>Ends, on giving up the addresses.</summary>
    public void Stop()
    {
        _left = 0;
        _nextMessage = _again = _nextRefresh = TimeSpan.MaxValue;
    }

    /// <summary>The next message that is due; to be called until it says no.</summary>
    /// <param name="now">The time now.</param>
    /// <param name="index">Which one, 0 to the number of addresses - 1.</param>
    public bool TryNext(TimeSpan now, out int index)
    {
        if (now >= _again)
        {
            _again = TimeSpan.MaxValue;
            Add(_repeat, now);
        }

        if (now >= _nextRefresh)
        {
            TimeSpan next = _nextRefresh + _refresh;
            _nextRefresh = next > now ? next : now + _refresh;
            Add(1, now);
        }

        index = _index;
        if (now < _nextMessage) return false;
        _index = (_index + 1) % count;
        _lastMessage = now;
        _nextMessage = --_left > 0 ? now + _spacing : TimeSpan.MaxValue;
        return true;
    }

    // Whole rounds; several wishes at a time become the largest, not the sum.
    private void Add(int rounds, TimeSpan now)
    {
        if (rounds == 0 || count == 0) return;
        _left = Math.Max(_left, (long)rounds * count);
        if (_nextMessage != TimeSpan.MaxValue) return;
        TimeSpan earliest = _lastMessage == TimeSpan.MinValue ? now : _lastMessage + _spacing;
        _nextMessage = earliest > now ? earliest : now;
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
