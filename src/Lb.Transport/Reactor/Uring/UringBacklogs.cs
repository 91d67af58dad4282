namespace Lb.Transport;

/// <summary>
/// Bytes that came for a connection while its handler wanted none. Bounded by what one call can bring: from then on the connection is not received for.
/// Kept beside the connections, so that those that have none hold nothing for it. One loop's thread.
/// </summary>
internal sealed unsafe class UringBacklogs : IDisposable
{
    private readonly Dictionary<UringConnection, Backlog> _backlogs = [];
    private readonly Stack<Backlog> _free = new();

    /// <summary>Copies bytes to the end of the connection's.</summary>
    public void Append(UringConnection connection, ReadOnlySpan<byte> data)
    {
        if (!_backlogs.TryGetValue(connection, out Backlog? backlog))
        {
            backlog = _free.TryPop(out Backlog? used) ? used : new Backlog();
            _backlogs.Add(connection, backlog);
        }

        backlog.Bytes.Append(data);
    }

    /// <summary>Hands everything to the handler in one call and forgets it.</summary>
    public void Deliver(UringConnection connection)
    {
        if (!_backlogs.Remove(connection, out Backlog? backlog)) return;
        try
        {
            connection.Handler.OnData(connection, new ReadOnlySpan<byte>(backlog.Bytes.Start, backlog.Bytes.Length));
        }
        finally
        {
            Free(backlog);
        }
    }

    /// <summary>Forgets a connection's bytes. Idempotent.</summary>
    public void Drop(UringConnection connection)
    {
        if (_backlogs.Remove(connection, out Backlog? backlog)) Free(backlog);
    }

    public void Dispose()
    {
        foreach (Backlog backlog in _backlogs.Values) backlog.Bytes.Free();
        _backlogs.Clear();
    }

    private void Free(Backlog backlog)
    {
        backlog.Bytes.Free();
        _free.Push(backlog);
    }

    private sealed class Backlog
    {
        public SendBuffer Bytes;
    }
}
