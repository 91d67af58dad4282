namespace Lb.Transport;

/// <summary>
/// Closed connections of a loop for the clients to come, so that a connection makes no garbage. One that was closed in this turn is not used again before
/// the turn has ended: whoever is in the middle of a call may still look at it. One loop's thread.
/// </summary>
internal sealed class ConnectionCache<T>
    where T : Connection
{
    private const int Most = 2048;

    private readonly List<T> _released = [];
    private readonly Stack<T> _free = new();

    /// <summary>One to use again, or null.</summary>
    public T? Rent() => _free.TryPop(out T? connection) ? connection : null;

    /// <summary>A connection has been closed.</summary>
    public void Released(T connection)
    {
        if (_released.Count < Most) _released.Add(connection);
    }

    /// <summary>The turn is over.</summary>
    /// <param name="isFree">Whether nothing refers to it any more; the others are left to the garbage collector.</param>
    public void EndTurn(Predicate<T> isFree)
    {
        if (_released.Count == 0) return;
        foreach (T connection in _released)
        {
            if (!isFree(connection) || _free.Count >= Most) continue;

            // It must not keep alive what heard it.
            connection.Handler = Unhandled.Instance;
            _free.Push(connection);
        }

        _released.Clear();
    }
}
