namespace Lb.Health;

/// <summary>At most so many checks at a time; the others wait in the order of their coming. The limit may change while they run. Any thread.</summary>
internal sealed class ProbeSlots(int limit)
{
    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _waiting = [];
    private int _limit = limit;
    private int _taken;

    public int Taken
    {
        get
        {
            lock (_lock) return _taken;
        }
    }

    public void SetLimit(int value)
    {
        lock (_lock)
        {
            _limit = value;
            Grant();
        }
    }

    /// <summary>Takes a slot, to be given back by <see cref="Leave"/>.</summary>
    public async ValueTask EnterAsync(CancellationToken ct)
    {
        TaskCompletionSource granted;
        lock (_lock)
        {
            if (_taken < _limit)
            {
                _taken++;
                return;
            }

            granted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(granted);
        }

        using (ct.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), granted))
            await granted.Task.ConfigureAwait(false);
    }

    public void Leave()
    {
        lock (_lock)
        {
            _taken--;
            Grant();
        }
    }

    private void Grant()
    {
        // One that has given up can't be granted any more, and is dropped here.
        while (_taken < _limit && _waiting.TryDequeue(out TaskCompletionSource? next))
        {
            if (next.TrySetResult()) _taken++;
        }
    }
}
