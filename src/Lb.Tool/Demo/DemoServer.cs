using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb.Tool;

/// <summary>
/// A small server on the loopback address: reads a line, works for a moment, answers with its name, closes. Can be killed and revived. Any
/// thread.
/// </summary>
internal sealed class DemoServer : IDisposable
{
    private static readonly TimeSpan Work = TimeSpan.FromMilliseconds(20);

    private readonly byte[] _answer;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _open = [];
    private readonly Socket _reservation;
    private Socket? _listener;

    public DemoServer(string name, TimeProvider time)
    {
        Name = name;
        _answer = Encoding.UTF8.GetBytes(name + "\n");
        _time = time;

        // Holds the port while the server is dead: bound and not listening, so that clients are refused and nobody else is given the port.
        _reservation = Bind(new IPEndPoint(IPAddress.Loopback, 0));
        EndPoint = (IPEndPoint)_reservation.LocalEndPoint!;
    }

    public string Name { get; }

    public IPEndPoint EndPoint { get; }

    /// <summary>Begins to serve, for the first time or after <see cref="Kill"/>.</summary>
    public void Start()
    {
        Socket listener = Bind(EndPoint);
        listener.Listen();
        lock (_lock) _listener = listener;
        _ = AcceptAsync(listener);
    }

    /// <summary>Dies as a process does: the port is closed and open connections are reset.</summary>
    public void Kill()
    {
        lock (_lock)
        {
            _listener?.Dispose();
            _listener = null;
            foreach (Socket socket in _open)
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
                socket.Dispose();
            }

            _open.Clear();
        }
    }

    public void Dispose()
    {
        Kill();
        _reservation.Dispose();
    }

    private static Socket Bind(IPEndPoint endPoint)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(endPoint);
        return socket;
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await listener.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return;
            }

            lock (_lock)
            {
                // Accepted while it was being killed.
                if (!ReferenceEquals(_listener, listener))
                {
                    client.Dispose();
                    return;
                }

                _open.Add(client);
            }

            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            byte[] buffer = new byte[64];
            int received;
            do
            {
                // A health check connects and says nothing.
                received = await client.ReceiveAsync(buffer).ConfigureAwait(false);
                if (received == 0) return;
            }
            while (!buffer.AsSpan(0, received).Contains((byte)'\n'));

            await Task.Delay(Work, _time).ConfigureAwait(false);
            await client.SendAsync(_answer).ConfigureAwait(false);
            client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The client went away, or the server was killed.
        }
        finally
        {
            lock (_lock) _open.Remove(client);
            client.Dispose();
        }
    }
}
