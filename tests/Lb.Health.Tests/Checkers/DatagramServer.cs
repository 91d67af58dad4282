using System.Net;
using System.Net.Sockets;

namespace Lb.Health.Tests.Checkers;

/// <summary>A little server on loopback that answers each datagram with those a test says.</summary>
internal sealed class DatagramServer : IAsyncDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly SemaphoreSlim _received = new(0);
    private readonly Task _serving;

    private DatagramServer(Func<byte[], byte[][]> answer)
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        EndPoint = _socket.LocalEndPoint!;
        _serving = ServeAsync(answer);
    }

    public EndPoint EndPoint { get; }

    public List<byte[]> Received { get; } = [];

    public static DatagramServer Start(Func<byte[], byte[][]> answer) => new(answer);

    /// <summary>A port that nobody has: it was free a moment ago.</summary>
    public static EndPoint Nobody()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket.LocalEndPoint!;
    }

    /// <summary>Waits until one more datagram has come and was answered.</summary>
    public Task WhenAnsweredAsync(CancellationToken ct) => _received.WaitAsync(ct);

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _serving;
    }

    private async Task ServeAsync(Func<byte[], byte[][]> answer)
    {
        byte[] buffer = new byte[65536];
        try
        {
            while (true)
            {
                SocketReceiveFromResult result = await _socket.ReceiveFromAsync(buffer.AsMemory(), new IPEndPoint(IPAddress.Any, 0));
                Received.Add(buffer[..result.ReceivedBytes]);
                foreach (byte[] packet in answer(Received[^1])) await _socket.SendToAsync(packet, result.RemoteEndPoint);
                _received.Release();
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
