namespace Lb.Transport;

/// <summary>
/// Work for a loop from other threads. Two lists change places, so a post allocates nothing once they have grown. Any thread,
/// except <see cref="Run"/>.
/// </summary>
/// <remarks>
/// A lock and not a concurrent queue, because two promises need it: work that <see cref="Post"/> took does run, also when the loop is
/// being closed at this moment, and the loop's wake-up (a file descriptor) is never touched after <see cref="Close"/> has returned.
/// </remarks>
/// <param name="wake">Ends the loop's sleep. Called under the lock, never after <see cref="Close"/>.</param>
internal sealed class Mailbox(Action wake)
{
    private readonly Lock _gate = new();
    private List<Item> _incoming = [];
    private List<Item> _running = [];
    private volatile bool _signalled;
    private volatile bool _closed;
    private bool _awake; // the loop will see what is there without being woken
    private bool _delayed; // somebody is going to call EndDelay

    /// <summary>True when <see cref="Run"/> has something to do: the loop must not sleep.</summary>
    public bool IsSignalled => _signalled;

    /// <summary>True after <see cref="Close"/>.</summary>
    public bool IsClosed => _closed;

    /// <summary>Takes work.</summary>
    /// <param name="work">What to run.</param>
    /// <param name="state">Its argument.</param>
    /// <param name="fromLoop">True on the loop's own thread: it is awake.</param>
    /// <returns>False when the mailbox is closed.</returns>
    public bool Post(Action<object?> work, object? state, bool fromLoop)
    {
        lock (_gate)
        {
            if (_closed) return false;
            _incoming.Add(new Item(work, state));
            Signal(fromLoop);
            return true;
        }
    }

    /// <summary>Takes work without waking the loop, which sees it when <see cref="EndDelay"/> is called or something else wakes it.</summary>
    /// <param name="work">What to run.</param>
    /// <param name="state">Its argument.</param>
    /// <param name="isFirst">True when the caller must see to it that <see cref="EndDelay"/> is called; for what follows until then, that serves too.</param>
    /// <returns>False when the mailbox is closed.</returns>
    public bool PostDelayed(Action<object?> work, object? state, out bool isFirst)
    {
        lock (_gate)
        {
            isFirst = !_closed && !_awake && !_delayed;
            if (_closed) return false;
            _incoming.Add(new Item(work, state));
            _signalled = true;
            _delayed |= isFirst;
            return true;
        }
    }

    /// <summary>Wakes the loop if it has not seen everything.</summary>
    public void EndDelay()
    {
        lock (_gate)
        {
            _delayed = false;
            if (_signalled && !_closed) Signal(awake: false);
        }
    }

    /// <summary>Makes the loop take a turn.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            if (!_closed) Signal(awake: false);
        }
    }

    /// <summary>Refuses further work and wakes the loop a last time. Idempotent.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
            wake();
        }
    }

    /// <summary>Takes what has arrived. Loop's thread; follow it with <see cref="Run"/>.</summary>
    public void Take()
    {
        lock (_gate)
        {
            _signalled = false;
            _awake = false;
            (_incoming, _running) = (_running, _incoming);
        }
    }

    /// <summary>Runs what <see cref="Take"/> took; what it posts stays for the next time. Loop's thread.</summary>
    /// <param name="onError">Hears what the work throws.</param>
    public void Run(Action<Exception> onError)
    {
        foreach (Item item in _running)
        {
            try
            {
                item.Work(item.State);
            }
            catch (Exception exception)
            {
                onError(exception);
            }
        }

        _running.Clear();
    }

    private void Signal(bool awake)
    {
        _signalled = true;
        if (_awake) return;
        _awake = true;
        if (!awake) wake();
    }

    private readonly record struct Item(Action<object?> Work, object? State);
}
