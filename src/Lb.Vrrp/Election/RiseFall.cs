namespace Lb.Vrrp;

/// <summary>
/// Counts looks at something tracked into a verdict, as keepalived does with a script's <c>rise</c> and <c>fall</c>: so many good ones in a row until it is
/// well, so many bad ones until it is not. The first look of all counts at once, unless failure was assumed. Pure; not thread-safe.
/// </summary>
internal struct RiseFall
{
    private readonly int _rise;
    private readonly int _fall;

    // keepalived's one number: 0 is fully down, rise + fall - 1 fully up, and from rise on it is well.
    private int _result;

    /// <param name="rise">Good looks until it is well, 1 or more.</param>
    /// <param name="fall">Bad looks until it is not, 1 or more.</param>
    /// <param name="initFail">True: not well before the first look, and <paramref name="rise"/> good ones are needed.</param>
    public RiseFall(int rise, int fall, bool initFail)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rise, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(fall, 1);
        _rise = rise;
        _fall = fall;
        _result = initFail ? 0 : rise;
    }

    /// <summary>The verdict.</summary>
    public readonly bool IsWell => _result >= _rise;

    /// <summary>Takes in one look.</summary>
    /// <returns>The verdict.</returns>
    public bool Observe(bool passed)
    {
        if (passed)
        {
            if (++_result >= _rise) _result = _rise + _fall - 1;
        }
        else if (--_result < _rise)
        {
            _result = 0;
        }

        return IsWell;
    }
}
