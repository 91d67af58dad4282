using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Lb.Transport;

namespace Lb.Contracts.Drivers;

/// <summary>A running loop with what a test needs around it.</summary>
internal sealed class LoopHost : IAsyncDisposable
{
    private readonly List<IDisposable> _owned = [];

    private readonly Action<Connection>? _squeeze;

    /// <param name="create">Makes the loop.</param>
    /// <param name="time">Its clock; default: the system's.</param>
    /// <param name="squeeze">Not null: everything happens under <see cref="Drivers.Faults"/>, and this is done to every connection first.</param>
    public LoopHost(Func<TimeProvider, Action<Exception>, EventLoop> create, TimeProvider? time = null, Action<Connection>? squeeze = null)
    {
        _squeeze = squeeze;
        Loop = create(time ?? TimeProvider.System, exception => Errors.Writer.TryWrite(exception));
        Loop.Start();
        if (squeeze is not null) Faults = new Faults(On(Drivers.Faults.CurrentThread).GetAwaiter().GetResult());
    }

    /// <summary>What makes life hard here; null in an ordinary run.</summary>
    public Faults? Faults { get; }

    public EventLoop Loop { get; }

    /// <summary>What the loop reported.</summary>
    public Channel<Exception> Errors { get; } = Channel.CreateUnbounded<Exception>();

    /// <summary>Runs something on the loop's thread and waits for its result.</summary>
    public Task<T> On<T>(Func<T> work)
    {
        TaskCompletionSource<T> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool taken = Loop.Post(_ =>
        {
            try
            {
                result.SetResult(work());
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        }, null);
        Assert.True(taken);
        return result.Task;
    }

    public Task On(Action work) => On(() =>
    {
        work();
        return true;
    });

    /// <summary>Waits until the loop has taken several whole turns.</summary>
    public async Task TurnsAsync()
    {
        for (int i = 0; i < 3; i++) await On(() => { });
    }

    public Task<Listener> ListenAsync(IAcceptHandler handler, EndPoint? address = null, ListenOptions? options = null) =>
        On(() => Loop.Listen(address ?? new IPEndPoint(IPAddress.Loopback, 0), options ?? new ListenOptions(), Prepared(handler)));

    /// <summary>Listens and gives every client the same handler.</summary>
    public Task<Listener> ServeAsync(IConnectionHandler handler) => ListenAsync(new Acceptor(_ => handler));

    public Task<Connection> ConnectAsync(EndPoint address, IConnectionHandler handler) => On(() =>
    {
        Connection connection = Loop.Connect(address, handler);
        _squeeze?.Invoke(connection);
        return connection;
    });

    /// <summary>A plain client socket, closed at the end of the test.</summary>
    public async Task<Socket> ClientAsync(EndPoint address)
    {
        Socket socket = NewSocket(address.AddressFamily);
        await socket.ConnectAsync(address);
        return socket;
    }

    /// <summary>A plain listening socket on loopback, closed at the end of the test.</summary>
    public Socket Server(int backlog = 128)
    {
        Socket socket = NewSocket(AddressFamily.InterNetwork);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(backlog);
        return socket;
    }

    /// <summary>Closes it at the end of the test.</summary>
    public T Own<T>(T owned)
        where T : IDisposable
    {
        lock (_owned) _owned.Add(owned);
        return owned;
    }

    public Socket NewSocket(AddressFamily family)
    {
        Socket socket = new(family, SocketType.Stream, family == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        if (family != AddressFamily.Unix) socket.NoDelay = true;
        lock (_owned) _owned.Add(socket);
        return socket;
    }

    /// <summary>A connection of the loop and the plain socket at its other end.</summary>
    public async Task<(Connection Connection, Socket Peer)> PairAsync(IConnectionHandler handler)
    {
        Acceptor acceptor = new(_ => handler);
        Listener listener = await ListenAsync(acceptor);
        Socket peer = await ClientAsync(listener.LocalEndPoint);
        Connection connection = await acceptor.NextAsync();
        await On(listener.Close);
        return (connection, peer);
    }

    private IAcceptHandler Prepared(IAcceptHandler handler)
    {
        if (_squeeze is null) return handler;
        if (handler is Relay relay) relay.Prepare = _squeeze;
        return new Squeezed(handler, _squeeze);
    }

    public ValueTask DisposeAsync()
    {
        Faults?.Dispose();
        Loop.Dispose();
        lock (_owned) _owned.ForEach(static owned => owned.Dispose());
        return ValueTask.CompletedTask;
    }
}

/// <summary>Does something to every connection before its owner sees it.</summary>
internal sealed class Squeezed(IAcceptHandler handler, Action<Connection> squeeze) : IAcceptHandler
{
    public void OnAccepted(Listener listener, Connection connection)
    {
        squeeze(connection);
        handler.OnAccepted(listener, connection);
    }
}

/// <summary>Gives every accepted connection a handler and hands it to the test.</summary>
internal sealed class Acceptor(Func<Connection, IConnectionHandler> choose) : IAcceptHandler
{
    private readonly Channel<Connection> _accepted = Channel.CreateUnbounded<Connection>();
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void OnAccepted(Listener listener, Connection connection)
    {
        Interlocked.Increment(ref _count);
        connection.Handler = choose(connection);
        _accepted.Writer.TryWrite(connection);
    }

    public async Task<Connection> NextAsync() => await _accepted.Reader.ReadAsync();
}

/// <summary>What ordinary sockets lack.</summary>
internal static class SocketExtensions
{
    public static async Task SendAllAsync(this Socket socket, ReadOnlyMemory<byte> data)
    {
        if (Faults.IsDribbling) data = await DribbleAsync(socket, data);
        while (!data.IsEmpty) data = data[await socket.SendAsync(data)..];
    }

    /// <summary>Sends single bytes, then crumbs, each a segment of its own; more of them would fill a receive buffer with what the kernel keeps about each.</summary>
    /// <returns>The rest.</returns>
    private static async Task<ReadOnlyMemory<byte>> DribbleAsync(Socket socket, ReadOnlyMemory<byte> data)
    {
        Random sizes = new(data.Length);
        for (int i = 0; i < 40 && !data.IsEmpty; i++)
        {
            int size = Math.Min(data.Length, i < 20 ? 1 : sizes.Next(1, 3000));
            data = data[await socket.SendAsync(data[..size])..];
        }

        return data;
    }

    /// <summary>Reads exactly so many bytes.</summary>
    public static async Task<byte[]> ReadAsync(this Socket socket, int count)
    {
        byte[] data = new byte[count];
        for (int read = 0; read < count;)
        {
            int got = await socket.ReceiveAsync(data.AsMemory(read));
            Assert.True(got > 0, $"The end came after {read} of {count} bytes.");
            read += got;
        }

        return data;
    }

    /// <summary>Reads to the end of the stream.</summary>
    public static async Task<byte[]> ReadToEndAsync(this Socket socket)
    {
        using MemoryStream all = new();
        byte[] block = new byte[64 * 1024];
        while (await socket.ReceiveAsync(block) is > 0 and int got) all.Write(block, 0, got);
        return all.ToArray();
    }

    /// <summary>Closes with a reset.</summary>
    public static void Reset(this Socket socket)
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Dispose();
    }
}
