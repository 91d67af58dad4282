using System.Net;
using System.Net.Sockets;

namespace Lb.Soak;

/// <summary>Sends back what it gets, until it is paused: then it refuses, as a server that is down, and its connections are reset.</summary>
internal sealed class EchoServer : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<Socket> _open = [];
    private Socket? _listener;

    public EchoServer() => Start();

    public int Port { get; private set; }

    /// <summary>Listens again on the same port.</summary>
    public void Start()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        listener.Listen(4096);
        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        _listener = listener;
        _ = AcceptAsync(listener);
    }

    /// <summary>Goes down.</summary>
    public void Stop()
    {
        _listener?.Dispose();
        lock (_gate)
        {
            foreach (Socket socket in _open) socket.Close(0);
            _open.Clear();
        }
    }

    public ValueTask DisposeAsync()
    {
        Stop();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true) _ = EchoAsync(await listener.AcceptAsync());
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task EchoAsync(Socket socket)
    {
        byte[] buffer = new byte[64 * 1024];
        lock (_gate) _open.Add(socket);
        try
        {
            socket.NoDelay = true;
            while (await socket.ReceiveAsync(buffer) is int read and > 0)
            {
                for (int sent = 0; sent < read;) sent += await socket.SendAsync(buffer.AsMemory(sent, read - sent));
            }

            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The client is gone, or this server is down.
        }
        finally
        {
            lock (_gate) _open.Remove(socket);
            socket.Dispose();
        }
    }
}
