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

    /// <summary>
    /// How often accepting was paused because no descriptor or no memory was left. Accepting is tried again after 100 ms, and when a
    /// connection of this loop is closed. Any thread may ask.
    /// </summary>
    public abstract long DescriptorShortages { get; }

    /// <summary>
    /// Runs <paramref name="work"/> on the loop's thread in a later turn. Any thread, also before <see cref="Start"/>; never blocks.
    /// False once <see cref="Dispose"/> has begun; what was answered with true runs even when it begins right after.
    /// </summary>
    public abstract bool Post(Action<object?> work, object? state);

    /// <summary>
    /// Opens a listening socket on an <see cref="IPEndPoint"/> or a <see cref="System.Net.Sockets.UnixDomainSocketEndPoint"/> and begins
    /// to accept. Any thread before the loop runs, else the loop's thread. Accepted TCP connections have TCP_NODELAY.
    /// Throws <see cref="System.Net.Sockets.SocketException"/> when the address can't be bound. The file of a Unix socket nobody
    /// listens on any more is replaced; it is removed by <see cref="Listener.Close"/>.
    /// </summary>
    public abstract Listener Listen(EndPoint address, in ListenOptions options, IAcceptHandler handler);

    /// <summary>
    /// Starts a connect. The handler hears <see cref="IConnectionHandler.OnConnected"/> or <see cref="IConnectionHandler.OnClosed"/>
    /// later, never from within this call, even when it fails at once. <see cref="Connection.Close"/> gives the attempt up.
    /// The loop sets no time limit of its own: schedule a timer.
    /// </summary>
    /// <param name="address">The server.</param>
    /// <param name="handler">Hears the answer and what comes after it.</param>
    /// <param name="options">How to connect; null: <see cref="SocketTuning.Default"/>, and the system chooses the source address.</param>
    /// <param name="client">The client's address, for a <see cref="ConnectOptions.Source"/> that is the client's.</param>
    public abstract Connection Connect(EndPoint address, IConnectionHandler handler, ConnectOptions? options = null, PeerAddress client = default);

    /// <summary>
    /// Runs <paramref name="timer"/> once, <paramref name="due"/> (zero or more) from <see cref="Now"/>, never early and rounded up to
    /// the wheel's tick (<see cref="TimerWheel.TickMilliseconds"/>, counted from the creation of the loop); re-schedules it if it is
    /// already scheduled. A test that moves time by hand moves one tick further to be sure.
    /// </summary>
    public abstract void Schedule(LoopTimer timer, TimeSpan due);

    /// <summary>Forgets a scheduled timer. Idempotent.</summary>
    public abstract void Cancel(LoopTimer timer);

    /// <summary>Starts the thread. Any thread, once.</summary>
    public abstract void Start();

    /// <summary>
    /// Ends the thread, closes every socket it still owns and waits for it. No handler hears of it; timers do not fire.
    /// Any thread but the loop's own; idempotent.
    /// </summary>
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
