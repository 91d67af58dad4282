namespace Lb.Health;

/// <summary>
/// Counts checks into a verdict as HAProxy does: <c>fall</c> failed checks in a row take a server out, <c>rise</c> passed ones take it in, and one
/// check of the other kind starts the count anew. Pure; not thread-safe.
/// </summary>
/// <remarks>
/// One number holds the state (HAProxy's <c>check.health</c>): 0 is fully down, rise + fall - 1 is fully up, and from <c>rise</c> on the server is up.
/// </remarks>
public struct HealthJudge
{
    private readonly int _rise;
    private readonly int _fall;
    private int _health;
    private int _consecutive;

    /// <summary>Makes a judge that has seen no check yet.</summary>
    /// <param name="rise">Passed checks in a row that take the server in, 1 or more.</param>
    /// <param name="fall">Failed checks in a row that take the server out, 1 or more.</param>
    /// <param name="initial">What is taken of the server before its first check (HAProxy <c>init-state</c>); default up, but the first check may take it out.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public HealthJudge(int rise, int fall, InitState initial = InitState.Up)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rise, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(fall, 1);
        _rise = rise;
        _fall = fall;
        _health = initial switch
        {
            InitState.FullyUp => rise + fall - 1,
            InitState.Up => rise,
            InitState.FullyDown => 0,
            _ => rise - 1,
        };
    }

    /// <summary>The verdict.</summary>
    public readonly bool IsUp => _health >= _rise;

    /// <summary>True after the first check.</summary>
    public readonly bool IsChecked => _consecutive != 0;

    /// <summary>True while the verdict is in question: not checked yet, or the last checks speak against it.</summary>
    public readonly bool IsInTransition => !IsChecked || (_health > 0 && _health < _rise + _fall - 1);

    /// <summary>True when down and the last check failed.</summary>
    public readonly bool IsFullyDown => IsChecked && _health == 0;

    /// <summary>Checks in a row with the same result: positive = passed, negative = failed, 0 = none yet.</summary>
    public readonly int Consecutive => _consecutive;

    /// <summary>Takes in one check.</summary>
    /// <param name="passed">How it ended.</param>
    /// <returns>True when the verdict has flipped.</returns>
    public bool Observe(bool passed)
    {
        bool before = IsUp;
        if (passed)
        {
            _consecutive = Math.Max(_consecutive, 0);
            if (_consecutive < int.MaxValue) _consecutive++;
            if (++_health >= _rise) _health = _rise + _fall - 1;
        }
        else
        {
            _consecutive = Math.Min(_consecutive, 0);
            if (_consecutive > -int.MaxValue) _consecutive--;
            if (--_health < _rise) _health = 0;
        }

        return IsUp != before;
    }

    /// <summary>Takes in what the server says of itself: it counts at once, whatever rise and fall are (HAProxy: an agent's <c>up</c> and <c>down</c>).</summary>
    /// <param name="up">What it says.</param>
    /// <returns>True when the verdict has flipped.</returns>
    public bool Decide(bool up)
    {
        bool before = IsUp;
        _health = up ? _rise + _fall - 1 : 0;
        _consecutive = up ? Math.Max(_consecutive, 0) : Math.Min(_consecutive, 0);
        if (Math.Abs(_consecutive) < int.MaxValue) _consecutive += up ? 1 : -1;
        return IsUp != before;
    }

    /// <summary>Takes in that callers failed on the server (HAProxy <c>on-error</c>).</summary>
    /// <param name="reaction">
    /// <see cref="OnError.FastInter"/> leaves the count alone; all others are at least a failed check. <see cref="OnError.SuddenDeath"/> leaves one failed
    /// check at most before the server is out, <see cref="OnError.MarkDown"/> none.
    /// </param>
    /// <returns>True when the verdict has flipped.</returns>
    public bool React(OnError reaction)
    {
        if (reaction == OnError.FastInter) return false;
        if (reaction == OnError.SuddenDeath && _health > _rise) _health = _rise + 1;
        if (reaction == OnError.MarkDown && IsUp) _health = _rise;
        return Observe(passed: false);
    }
}
