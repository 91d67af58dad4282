using System.Net;

namespace Lb.Transport;

/// <summary>
/// One thread that owns sockets, timers and everything its handlers keep: share-nothing, so nothing on the data path locks.
/// Members are for the loop's thread unless they say otherwise.
/// </summary>
internal abstract class EventLoop : IDisposable
{
    /// <summary>Timestamp (units of the loop's <see cref="TimeProvider"/>) read once at the start of the turn.</summary>
    public abstract long Now { get; }

    /// <summary>The clock the loop lives by.</summary>
    public abstract TimeProvider Time { get; }

    /// <summary>True on the loop's own thread. Any thread may ask.</summary>
    public abstract bool IsCurrent { get; }

    /// <summary>Runs <paramref name="work"/> on the loop's thread in a later turn. Any thread; never blocks. False after the loop has stopped.</summary>
    public abstract bool Post(Action<object?> work, object? state);

    /// <summary>
    /// Opens a listening socket. Any thread before the loop runs, else the loop's thread.
    /// Throws <see cref="System.Net.Sockets.SocketException"/> when the address can't be bound.
    /// </summary>
    public abstract Listener Listen(EndPoint address, in ListenOptions options, IAcceptHandler handler);

    /// <summary>
    /// Starts a connect. The handler hears <see cref="IConnectionHandler.OnConnected"/> or <see cref="IConnectionHandler.OnClosed"/>
    /// later, never from within this call, even when it fails at once. <see cref="Connection.Close"/> gives the attempt up.
    /// </summary>
    public abstract Connection Connect(EndPoint address, IConnectionHandler handler);

    /// <summary>Runs <paramref name="timer"/> once, <paramref name="due"/> from <see cref="Now"/>, rounded up to the wheel's tick; re-schedules it if it is already scheduled.</summary>
    public abstract void Schedule(LoopTimer timer, TimeSpan due);

    /// <summary>Forgets a scheduled timer. Idempotent.</summary>
    public abstract void Cancel(LoopTimer timer);

    /// <summary>Starts the thread. Any thread, once.</summary>
    public abstract void Start();

    /// <summary>Ends the thread, closes every socket it still owns and waits for it. Any thread but the loop's own; idempotent.</summary>
    public abstract void Dispose();
}

/// <summary>A node of the loop's timing wheel: inherit it and override <see cref="OnTimer"/>; nothing is allocated when it is scheduled.</summary>
internal abstract class LoopTimer
{
    internal LoopTimer? Next;
    internal LoopTimer? Previous;
    internal long Deadline;

    /// <summary>True between <see cref="EventLoop.Schedule"/> and its firing or <see cref="EventLoop.Cancel"/>.</summary>
    public bool IsScheduled => Next is not null;

    /// <summary>The timer has expired. Called on the loop's thread.</summary>
    protected internal abstract void OnTimer();
}
