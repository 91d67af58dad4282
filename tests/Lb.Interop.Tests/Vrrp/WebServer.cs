using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb.Interop.Tests.Vrrp;

/// <summary>A service on a host: says its name to whoever connects, and hangs up.</summary>
internal sealed class WebServer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Made inside the namespace of its host.</summary>
    public WebServer(int port, string name)
    {
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Bind(new IPEndPoint(IPAddress.Any, port));
        _listener.Listen();
        _ = ServeAsync(Encoding.ASCII.GetBytes(name));
    }

    /// <summary>Connects from the client and reads the name.</summary>
    /// <exception cref="SocketException">Nobody answers.</exception>
    public static async Task<string> AskAsync(HostNetwork network, string address, int port, CancellationToken ct)
    {
        using Socket socket = network.Client.Run(static () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await socket.ConnectAsync(IPEndPoint.Parse($"{address}:{port}"), ct);
        byte[] name = new byte[64];
        int length = await socket.ReceiveAsync(name, ct);
        return length > 0 ? Encoding.ASCII.GetString(name, 0, length) : throw new SocketException((int)SocketError.ConnectionReset);
    }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync(byte[] name)
    {
        try
        {
            while (true)
            {
                using Socket socket = await _listener.AcceptAsync();
                try
                {
                    await socket.SendAsync(name);
                    socket.Shutdown(SocketShutdown.Send);
                }
                catch (SocketException)
                {
                    // A check that has gone already.
                }
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }
}
