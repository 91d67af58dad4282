using System.Net;
using System.Net.Sockets;

namespace Lb.Soak;

/// <summary>Connections that are only held. Those on a server that goes down are lost with it and not opened again.</summary>
internal sealed class IdleClients : IDisposable
{
    private readonly List<Socket> _sockets = [];

    public IdleClients(int port, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(new IPEndPoint(IPAddress.Loopback, port));
            _sockets.Add(socket);
        }
    }

    /// <summary>Connections that were ended from the other side, known after <see cref="Close"/>.</summary>
    public int Broken { get; private set; }

    public void Close()
    {
        foreach (Socket socket in _sockets)
        {
            if (socket.Poll(0, SelectMode.SelectRead)) Broken++;
            socket.Dispose();
        }

        _sockets.Clear();
    }

    public void Dispose() => Close();
}
