using System.Net;
using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>A plain listening socket that a test plays the server with.</summary>
internal sealed class TestServer : IDisposable
{
    private readonly Socket _listener;
    private readonly List<Socket> _accepted = [];

    public TestServer(int backlog = 512, IPEndPoint? at = null)
    {
        at ??= new IPEndPoint(IPAddress.Loopback, 0);
        _listener = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Bind(at);
        _listener.Listen(backlog);
    }

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    public string Address => EndPoint.ToString();

    /// <summary>True when a connection waits to be accepted.</summary>
    public bool HasWaiting => _listener.Poll(0, SelectMode.SelectRead);

    public async Task<Socket> AcceptAsync()
    {
        Socket socket = await _listener.AcceptAsync();
        lock (_accepted) _accepted.Add(socket);
        return socket;
    }

    public void Dispose()
    {
        _listener.Dispose();
        lock (_accepted) _accepted.ForEach(static s => s.Dispose());
    }
}

/// <summary>What plain sockets lack.</summary>
internal static class PlainSockets
{
    public static async Task SendAllAsync(this Socket socket, ReadOnlyMemory<byte> data)
    {
        while (!data.IsEmpty) data = data[await socket.SendAsync(data)..];
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

    /// <summary>As Assert.Equal, but fast for megabytes.</summary>
    public static void ShouldBeSame(byte[] expected, byte[] actual) =>
        Assert.True(
            expected.AsSpan().SequenceEqual(actual),
            $"{expected.Length} bytes sent, {actual.Length} received, the first difference is at {expected.AsSpan().CommonPrefixLength(actual)}.");

    /// <summary>Everything up to a clean end; a reset throws.</summary>
    public static async Task<byte[]> ReadToEndAsync(this Socket socket)
    {
        using MemoryStream all = new();
        byte[] block = new byte[64 * 1024];
        while (await socket.ReceiveAsync(block) is > 0 and int got) all.Write(block, 0, got);
        return all.ToArray();
    }

    /// <summary>The stream ends cleanly, with nothing before the end.</summary>
    public static async Task ShouldEndAsync(this Socket socket) => Assert.Empty(await socket.ReadToEndAsync());

    /// <summary>The stream ends with a reset.</summary>
    public static async Task ShouldBeResetAsync(this Socket socket)
    {
        SocketException error = await Assert.ThrowsAsync<SocketException>(() => socket.ReadToEndAsync());
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
    }

    /// <summary>True when neither data nor an end has arrived.</summary>
    public static bool IsQuiet(this Socket socket) => !socket.Poll(0, SelectMode.SelectRead);

    /// <summary>Closes with a reset.</summary>
    public static void Reset(this Socket socket)
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Dispose();
    }
}
