using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb.Contracts.Checkers;

/// <summary>A little server on loopback that does with each connection what a test says, and then sees how the client ends it.</summary>
public sealed class ProbeServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _accepted = new(0);
    private readonly SemaphoreSlim _left = new(0);
    private readonly List<Socket> _owned = [];
    private readonly Socket _listener;
    private readonly Func<Socket, CancellationToken, Task>? _serve;
    private readonly string? _directory;
    private readonly Task _accepting;

    private ProbeServer(Socket listener, Func<Socket, CancellationToken, Task>? serve, string? directory = null)
    {
        _listener = listener;
        _serve = serve;
        _directory = directory;
        EndPoint = listener.LocalEndPoint!;
        _accepting = serve is null ? Task.CompletedTask : AcceptAsync();
    }

    public EndPoint EndPoint { get; }

    /// <summary>A server on 127.0.0.1.</summary>
    public static ProbeServer Start(Func<Socket, CancellationToken, Task> serve) => new(Listen(512), serve);

    /// <summary>A server on a Unix socket.</summary>
    public static ProbeServer StartUnix(Func<Socket, CancellationToken, Task> serve)
    {
        string directory = Directory.CreateTempSubdirectory("lb-probe-").FullName;
        Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(directory, "s")));
        listener.Listen(64);
        return new ProbeServer(listener, serve, directory);
    }

    /// <summary>A port that refuses: bound, so that nobody else gets it, but not listening.</summary>
    public static ProbeServer Refusing()
    {
        Socket bound = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return new ProbeServer(bound, null);
    }

    /// <summary>A port that never answers: its queue is full and nobody accepts, so the kernel drops what comes.</summary>
    public static async Task<ProbeServer> BlackHoleAsync(CancellationToken ct)
    {
        ProbeServer server = new(Listen(0), null);
        Socket filler = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        server._owned.Add(filler);
        await filler.ConnectAsync(server.EndPoint, ct);
        return server;
    }

    /// <summary>Accepts, reads a request's head, answers with these bytes and closes.</summary>
    public static Func<Socket, CancellationToken, Task> Reply(string answer) => async (socket, ct) =>
    {
        await ReadRequestAsync(socket, ct);
        await SendAsync(socket, answer, ct);
        socket.Shutdown(SocketShutdown.Send);
    };

    public static async Task<string> ReadRequestAsync(Socket socket, CancellationToken ct)
    {
        StringBuilder request = new();
        byte[] buffer = new byte[1024];
        while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            int read = await socket.ReceiveAsync(buffer.AsMemory(), ct);
            if (read == 0) break;
            request.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }

        return request.ToString();
    }

    public static Task SendAsync(Socket socket, string text, CancellationToken ct) => SendAsync(socket, Encoding.UTF8.GetBytes(text), ct);

    public static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> rest, CancellationToken ct)
    {
        while (!rest.IsEmpty) rest = rest[await socket.SendAsync(rest, ct)..];
    }

    /// <summary>Waits until one more connection was accepted.</summary>
    public Task WhenAcceptedAsync(CancellationToken ct) => _accepted.WaitAsync(ct);

    /// <summary>Waits until one more client has ended its connection.</summary>
    public Task WhenLeftAsync(CancellationToken ct) => _left.WaitAsync(ct);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        _owned.ForEach(s => s.Dispose());
        await _accepting;
        if (_directory is not null) Directory.Delete(_directory, recursive: true);
    }

    private static Socket Listen(int backlog)
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(backlog);
        return listener;
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptAsync(_stop.Token);
                _accepted.Release();
                serving.Add(ServeAsync(socket));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                await _serve!(socket, _stop.Token);
                byte[] rest = new byte[1024];
                while (await socket.ReceiveAsync(rest.AsMemory(), _stop.Token) > 0)
                {
                    // What the client still says does not matter.
                }

                _left.Release();
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // A reset is an end too.
                _left.Release();
            }
            catch (OperationCanceledException)
            {
                // The test is over.
            }
        }
    }
}
