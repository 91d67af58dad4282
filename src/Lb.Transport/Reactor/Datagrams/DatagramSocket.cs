using System.Net;

namespace Lb.Transport;

/// <summary>Hears what a datagram socket receives. On the loop's thread, never nested inside a call into the same socket.</summary>
internal interface IDatagramHandler
{
    /// <summary>Messages have arrived: the slots from <paramref name="first"/> on, chained in their order by <see cref="Datagram.Next"/>. Valid during the call.</summary>
    void OnReceived(DatagramSocket socket, DatagramBatch batch, int first, int count);

    /// <summary>The peer of a connected socket can't be reached: an ICMP message answered something that was sent. The socket stays as it is.</summary>
    void OnUnreachable(DatagramSocket socket);
}

/// <summary>What became of a <see cref="DatagramSocket.Send"/>.</summary>
internal readonly record struct DatagramSend(bool Unreachable, int Unsent)
{
    /// <summary>Everything was taken by the kernel, or dropped and counted.</summary>
    public static DatagramSend Done => new(false, -1);
}

/// <summary>
/// A UDP socket of one loop: bound (clients send to it) or connected (to one server). Members are for the loop's thread. Nothing waits: what the kernel does
/// not take at once is dropped and counted.
/// </summary>
internal abstract class DatagramSocket(IDatagramHandler handler, long[] drops) : IListening
{
    /// <summary>Most datagrams taken at once.</summary>
    public const int BatchSize = 64;

    /// <summary>Batches of one socket in one turn, before the others are asked.</summary>
    public const int BatchesPerTurn = 4;

    /// <summary>
    /// Asked for a bound socket's queue, in bytes: holds some thousand small datagrams while the loop does something else. The system gives as much as it
    /// allows (net.core.rmem_max without CAP_NET_ADMIN).
    /// </summary>
    protected const int ListenerBuffer = 4 << 20;

    /// <summary>Where it is bound.</summary>
    public abstract EndPoint LocalEndPoint { get; }

    /// <summary>The native socket, to be handed over to another process. Any thread.</summary>
    public abstract nint Handle { get; }

    protected IDatagramHandler Handler => handler;

    protected long[] Drops => drops;

    /// <summary>Opens a socket that clients send to.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address can't be bound.</exception>
    public static DatagramSocket Bind(ReactorLoop loop, IPEndPoint address, in ListenOptions options, IDatagramHandler handler, long[] drops) =>
        loop is ManagedLoop ? ManagedDatagramSocket.OpenBound(loop, address, in options, handler, drops) : NativeDatagramSocket.OpenBound(loop, address, in options, handler, drops);

    /// <summary>Opens a socket towards one server.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="address">The server.</param>
    /// <param name="options">Where datagrams are to come from; null: the system chooses.</param>
    /// <param name="client">The client, for sources that are the client's.</param>
    /// <param name="handler">Who hears.</param>
    /// <param name="drops">Where dropped datagrams are counted.</param>
    /// <returns>Null when there is no descriptor, port or way.</returns>
    public static DatagramSocket? Connect(
        ReactorLoop loop, IPEndPoint address, ConnectOptions? options, in PeerAddress client, IDatagramHandler handler, long[] drops) =>
        loop is ManagedLoop
            ? ManagedDatagramSocket.OpenConnected(loop, address, options, in client, handler, drops)
            : NativeDatagramSocket.OpenConnected(loop, address, options, in client, handler, drops);

    /// <summary>Sends messages of a batch to the connected peer.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="head">The first of a chain.</param>
    public abstract DatagramSend Send(DatagramBatch batch, int head);

    /// <summary>Sends messages of a batch from a bound socket, at the latest at the end of this turn.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="head">The first of a chain.</param>
    /// <param name="to">The client.</param>
    /// <param name="local">The address that the client had sent to, or empty.</param>
    public abstract void Reply(DatagramBatch batch, int head, in DatagramAddress to, in DatagramAddress local);

    /// <summary>Leaves what arrives to another process that has this very socket; answers can be sent on. Idempotent.</summary>
    public abstract void StopReceiving();

    /// <summary>Closes at once. No callback follows. Idempotent.</summary>
    public abstract void Close();

    protected void Drop(UdpDrop reason, int count) => drops[(int)reason] += count;
}
