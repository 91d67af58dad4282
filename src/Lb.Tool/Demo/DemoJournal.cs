namespace Lb.Tool;

/// <summary>Hears the pool's events; lets the demo wait for one, and remembers what to show. Any thread.</summary>
internal sealed class DemoJournal : INotifier
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<(string Server, ServerStatus To, TaskCompletionSource<ServerStatusChanged> Seen)> _waiting = [];

    /// <summary>What has happened, oldest first.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock) return [.. _lines];
        }
    }

    /// <summary>Adds a line.</summary>
    public void Note(string line)
    {
        lock (_lock) _lines.Add(line);
    }

    /// <summary>The next time that a server becomes this.</summary>
    public Task<ServerStatusChanged> When(string server, ServerStatus to)
    {
        TaskCompletionSource<ServerStatusChanged> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock) _waiting.Add((server, to, seen));
        return seen.Task;
    }

    /// <inheritdoc/>
    public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
    {
        if (notice is not ServerStatusChanged change) return ValueTask.CompletedTask;
        lock (_lock)
        {
            foreach ((string server, ServerStatus to, TaskCompletionSource<ServerStatusChanged> seen) in _waiting)
            {
                if (server == change.Server && to == change.To) seen.TrySetResult(change);
            }

            _waiting.RemoveAll(static w => w.Seen.Task.IsCompleted);
        }

        return ValueTask.CompletedTask;
    }
}
