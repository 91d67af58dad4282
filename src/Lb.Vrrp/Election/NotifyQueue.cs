namespace Lb.Vrrp;

/// <summary>A state that programs are to be told of.</summary>
/// <param name="State">The state.</param>
/// <param name="Priority">The router's effective priority.</param>
internal readonly record struct StateNotice(RouterState State, int Priority);

/// <summary>What is still to be told of a router: the last state alone, and before it a stop, which is never left out. Pure; not thread-safe.</summary>
internal sealed class NotifyQueue
{
    private StateNotice? _stop;
    private StateNotice? _last;

    public void Put(StateNotice notice)
    {
        // What had happened before a stop is of no interest any more.
        if (notice.State == RouterState.Initialize) (_stop, _last) = (notice, null);
        else _last = notice;
    }

    public bool TryTake(out StateNotice notice)
    {
        notice = _stop ?? _last ?? default;
        if (_stop is null && _last is null) return false;
        if (_stop is not null) _stop = null;
        else _last = null;
        return true;
    }
}
