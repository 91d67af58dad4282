namespace Lb.Transport;

/// <summary>
/// One end of a byte stream owned by an <see cref="EventLoop"/>. Every member is called on the loop's thread only, and none later than in the turn in which
/// it ended (<see cref="Close"/>, <see cref="Abort"/>, <see cref="IConnectionHandler.OnClosed"/>): drivers use the object again for another client.
/// </summary>
/// <remarks>
/// Push model with lent buffers: data arrives in <see cref="IConnectionHandler.OnData"/> as a span that is valid during the
/// call; an idle connection holds no buffer. Back-pressure is the handler's: when <see cref="Send"/> answers
/// <see cref="SendResult.Pending"/>, pause the source and resume it in <see cref="IConnectionHandler.OnDrained"/>.
/// </remarks>
internal abstract class Connection
{
    /// <summary>Who is told about this connection. May be exchanged at any time on the loop's thread.</summary>
    public required IConnectionHandler Handler { get; set; }

    /// <summary>The loop that owns this connection.</summary>
    public abstract EventLoop Loop { get; }

    /// <summary>True from the accept or the completed connect until <see cref="Close"/>, <see cref="Abort"/> or <see cref="IConnectionHandler.OnClosed"/>.</summary>
    public abstract bool IsOpen { get; }

    /// <summary>Bytes accepted by <see cref="Send"/>, or spliced (<see cref="TrySpliceTo"/>), that the kernel has not taken yet.</summary>
    public abstract int PendingBytes { get; }

    /// <summary>
    /// Writes now what the kernel takes and keeps a private copy of the rest. Never closes the connection itself from within:
    /// a broken connection answers <see cref="SendResult.Closed"/> and <see cref="IConnectionHandler.OnClosed"/> follows later in the loop.
    /// Before the connect is answered everything is kept (<see cref="SendResult.Pending"/>) and goes out once it is.
    /// </summary>
    /// <exception cref="InvalidOperationException"><see cref="ShutdownSend"/> was called before.</exception>
    public abstract SendResult Send(ReadOnlySpan<byte> data);

    /// <summary>
    /// Stops <see cref="IConnectionHandler.OnData"/> and <see cref="IConnectionHandler.OnEndOfStream"/>; no data is lost. Idempotent.
    /// A reset is still reported, at once when nothing waits to be read, else after <see cref="ResumeReading"/>.
    /// </summary>
    public abstract void PauseReading();

    /// <summary>
    /// From now on a reset is reported at once, also while reading is paused and data waits before it: that data is dropped. For clients, whose last words
    /// nobody needs once they are gone. The managed driver sees a reset behind unread data only when it sends or reads again.
    /// </summary>
    public abstract void DropOnReset();

    /// <summary>Undoes <see cref="PauseReading"/>. Data that waits is delivered later in the same or the next turn, never from within this call. Idempotent.</summary>
    public abstract void ResumeReading();

    /// <summary>Sends FIN after the pending bytes. Reading goes on. Idempotent; <see cref="Send"/> is not allowed afterwards.</summary>
    public abstract void ShutdownSend();

    /// <summary>
    /// Closes at once; pending bytes are dropped, bytes already in the kernel are still delivered. No callback follows. Idempotent.
    /// What has been received and not read is thrown away first, because the kernel would answer it with a reset; a peer that goes on
    /// sending gets that reset.
    /// </summary>
    public abstract void Close();

    /// <summary>Closes with a TCP reset (linger 0). No callback follows. Idempotent.</summary>
    public abstract void Abort();

    /// <summary>
    /// Offers to move what arrives here from now on straight to <paramref name="destination"/> inside the kernel (splice(2)), without
    /// <see cref="IConnectionHandler.OnData"/>. A handler that would send all of it on unchanged may ask after every <see cref="SendResult.Sent"/> and
    /// in every <see cref="IConnectionHandler.OnDrained"/> of the destination: it costs next to nothing, and the driver answers false until it has read two
    /// big buffers in a row, where it can't splice at all, and when anything is pending at the destination.
    /// </summary>
    /// <remarks>
    /// After true: every piece is told by <see cref="IConnectionHandler.OnSpliced"/> instead of <c>OnData</c>. What the destination has not taken yet counts
    /// in its <see cref="PendingBytes"/>; then nothing more is read here, and the destination's <see cref="IConnectionHandler.OnDrained"/> tells when it
    /// is gone, so the handler pauses and resumes as it does with <see cref="Send"/>. <see cref="ShutdownSend"/>, <see cref="Close"/> and
    /// <see cref="Abort"/> of either side mean what they mean with copied bytes; what the destination is sent meanwhile goes out after what it has pending.
    /// The driver goes back to <c>OnData</c> by itself, without a word and with no byte lost: when the source has nothing more for the moment, after
    /// <paramref name="limit"/> bytes, at the end of the stream, or when the system wants its pipe back. Ask again then.
    /// </remarks>
    /// <param name="destination">Of the same loop. A connection that changes bytes (TLS) is no place to splice to or from.</param>
    /// <param name="limit">At most so many bytes, above 0: the rest of a body of known length. Default: no limit.</param>
    public virtual bool TrySpliceTo(Connection destination, long limit = long.MaxValue) => false;

    /// <summary>
    /// Closes so that the peer hears nothing of it, as far as the system can do that (<see cref="AccessAction.SilentDrop"/>); else as <see cref="Abort"/>. No
    /// callback follows. Idempotent.
    /// </summary>
    public virtual void Vanish() => Abort();

    /// <summary>Copies the peer's address (accepted: the client; connected: the server) into <paramref name="address"/>; all zero for Unix sockets.</summary>
    public abstract void GetPeer(out PeerAddress address);

    /// <summary>Copies the local address of the connection into <paramref name="address"/>; all zero for Unix sockets and after the end.</summary>
    public abstract void GetLocal(out PeerAddress address);
}

/// <summary>What became of a <see cref="Connection.Send"/>.</summary>
internal enum SendResult
{
    /// <summary>All bytes went to the kernel.</summary>
    Sent,

    /// <summary>Some bytes wait in a private copy; <see cref="IConnectionHandler.OnDrained"/> comes when they are gone.</summary>
    Pending,

    /// <summary>
    /// The connection is closed, or broken: then <see cref="IConnectionHandler.OnClosed"/> comes, after the data that had arrived before
    /// (a server that answers early and resets is still heard).
    /// </summary>
    Closed,
}

/// <summary>Why a connection ended without our asking.</summary>
internal enum CloseReason
{
    /// <summary>The peer reset an established connection, or a write failed because it had.</summary>
    Reset,

    /// <summary>The connect was refused (RST to our SYN, or a Unix socket nobody listens on).</summary>
    Refused,

    /// <summary>No route, network or host unreachable, the kernel's own time-out, or the queue of a Unix socket is full.</summary>
    Unreachable,

    /// <summary>No descriptor, no memory, an exception in the handler, or another local fault.</summary>
    LocalError,

    /// <summary>No local port is left for a connection to this server.</summary>
    NoPort,

    /// <summary>TLS: the handshake failed; why is in <see cref="TlsConnection.Fault"/>.</summary>
    HandshakeFailed,

    /// <summary>TLS: the handshake took too long.</summary>
    HandshakeTimeout,
}

/// <summary>Hears what happens to connections. All calls come on the loop's thread, never nested inside a call into the same connection.</summary>
/// <remarks>
/// When a handler throws, the loop reports the exception to its owner, resets that connection and calls <see cref="OnClosed"/> with
/// <see cref="CloseReason.LocalError"/>, so that a session can take its other connection down; the loop goes on.
/// </remarks>
internal interface IConnectionHandler
{
    /// <summary>An outgoing connection is established. Not called for accepted ones.</summary>
    void OnConnected(Connection connection);

    /// <summary>Bytes have arrived. <paramref name="data"/> is lent: it is overwritten after the call.</summary>
    void OnData(Connection connection, ReadOnlySpan<byte> data);

    /// <summary>
    /// Bytes have arrived and gone to the destination of <see cref="Connection.TrySpliceTo"/>, or are pending there. Only for handlers that asked for it.
    /// </summary>
    void OnSpliced(Connection connection, int bytes)
    {
    }

    /// <summary>Everything that was pending has gone to the kernel.</summary>
    void OnDrained(Connection connection);

    /// <summary>The peer sent FIN; all its data was delivered before. The other direction stays open.</summary>
    void OnEndOfStream(Connection connection);

    /// <summary>The connection is dead and already released; also the answer to a failed connect. Last call for this connection.</summary>
    void OnClosed(Connection connection, CloseReason reason);
}

/// <summary>Takes accepted connections.</summary>
internal interface IAcceptHandler
{
    /// <summary>
    /// A client has connected. Reading starts when the call returns. The handler sets <see cref="Connection.Handler"/>
    /// or closes the connection (one without a handler is closed). Called on the loop's thread.
    /// </summary>
    void OnAccepted(Listener listener, Connection connection);

    /// <summary>What <see cref="Relief"/> of another loop's handler has given to this one could not be taken in (no memory, or reset already): no connection comes of it.</summary>
    void OnLost(Listener listener)
    {
    }

    /// <summary>The loop that this handler's connections belong to; needed of those that relieve others.</summary>
    EventLoop? Home => null;

    /// <summary>
    /// A connection has been accepted: the handler of another loop of the same driver that is to have it, because this loop has too many; null (default): it
    /// stays. The other one's <see cref="OnAccepted"/> follows, on its own loop. Called on the loop's thread.
    /// </summary>
    IAcceptHandler? Relief() => null;
}

/// <summary>A listening socket of one loop. Members may be called on the loop's thread only.</summary>
internal abstract class Listener : IListening
{
    /// <summary>Where it listens; the port is the real one when 0 was asked for.</summary>
    public abstract System.Net.EndPoint LocalEndPoint { get; }

    /// <summary>Who takes its connections.</summary>
    public abstract IAcceptHandler Handler { get; }

    /// <summary>Stops accepting; new connections wait in the kernel's backlog. Idempotent.</summary>
    public abstract void Pause();

    /// <summary>Accepts again. Idempotent.</summary>
    public abstract void Resume();

    /// <summary>The native socket, to be handed over to another process; -1: it can't be. Any thread.</summary>
    public virtual nint Handle => -1;

    /// <summary>Another process listens on this very socket: closing it here leaves the file of a Unix socket, and whoever was accepted is served.</summary>
    public bool IsShared { get; set; }

    /// <summary>Closes the listening socket; accepted connections stay. Idempotent.</summary>
    public abstract void Close();

    /// <summary>Owner's data.</summary>
    public object? State { get; set; }
}

/// <summary>How to listen.</summary>
/// <param name="Backlog">Length of the kernel's accept queue; default 4096 (capped by net.core.somaxconn).</param>
/// <param name="ReusePort">
/// Several sockets share the port, one a loop (SO_REUSEPORT; see <see cref="EventLoops.SupportsReusePort"/>, elsewhere
/// <see cref="PlatformNotSupportedException"/>).
/// </param>
/// <param name="DualMode">An IPv6 wildcard takes IPv4 as well (HAProxy <c>v4v6</c>); false sets IPV6_V6ONLY.</param>
internal readonly record struct ListenOptions(int Backlog = ListenOptions.DefaultBacklog, bool ReusePort = false, bool DualMode = true)
{
    /// <summary>The defaults. Written out, because a struct's own parameterless constructor would clear them.</summary>
    public ListenOptions()
        : this(DefaultBacklog)
    {
    }

    /// <summary>Socket options, which accepted connections inherit; null: <see cref="SocketTuning.Default"/>.</summary>
    public SocketTuning? Tuning { get; init; }

    /// <summary>A listening socket that another process has made, which is taken over instead of binding one.</summary>
    public nint? Inherited { get; init; }

    /// <summary>Default of <see cref="Backlog"/>.</summary>
    public const int DefaultBacklog = 4096;
}
