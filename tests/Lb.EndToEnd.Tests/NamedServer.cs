using System.Net;
using System.Net.Sockets;

namespace Lb.EndToEnd.Tests;

/// <summary>A TCP server that says its name of one letter and echoes from then on. It can be killed and started again on the same port.</summary>
internal sealed class NamedServer : IDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _open = [];
    private readonly byte[] _name;
    private Socket _listener;

    public NamedServer(char name)
    {
        _name = [(byte)name];
        _listener = Listen(0);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
    }

    public string Name => ((char)_name[0]).ToString();

    public int Port { get; }

    /// <summary>Dies as a machine does: first nobody new comes in, then everybody is cut off.</summary>
    public void Kill()
    {
        _listener.Dispose();
        lock (_lock)
        {
            foreach (Socket socket in _open)
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
                socket.Dispose();
            }

            _open.Clear();
        }
    }

    public void Revive() => _listener = Listen(Port);

    public void Dispose() => Kill();

    private Socket Listen(int port)
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(1024);
        _ = AcceptAsync(listener);
        return listener;
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                Socket socket = await listener.AcceptAsync();
                lock (_lock) _open.Add(socket);
                _ = ServeAsync(socket);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Killed.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        byte[] block = new byte[1024];
        try
        {
            await socket.SendAsync(_name);
            while (await socket.ReceiveAsync(block) is > 0 and int got) await socket.SendAsync(block.AsMemory(0, got));
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Killed, or a check that closes at once.
        }

        lock (_lock) _open.Remove(socket);
        socket.Dispose();
    }
}
