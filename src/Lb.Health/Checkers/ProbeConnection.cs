using System.Net.Security;
using System.Net.Sockets;

namespace Lb.Health;

/// <summary>A connection of a check, plain or encrypted. Bytes that go wrong are told by <see cref="IsBroken"/>. Not thread-safe.</summary>
internal sealed class ProbeConnection : IDisposable
{
    private static readonly LingerOption Reset = new(enable: true, seconds: 0);

    private readonly Socket _socket;
    private SslStream? _tls;

    private ProbeConnection(Socket socket) => _socket = socket;

    /// <summary>Connects.</summary>
    /// <returns>A connection, to be disposed by the caller, or null and the failed result.</returns>
    public static async ValueTask<(ProbeConnection? Connection, ProbeResult Failure)> OpenAsync(ProbeTarget target, TimeProvider time, CancellationToken ct)
    {
        (Socket? socket, ProbeResult failure) = await ProbeSocket.ConnectAsync(target, time, ct).ConfigureAwait(false);
        return (socket is null ? null : new ProbeConnection(socket), failure);
    }

    /// <summary>True for what reading and writing throw when the other side breaks off.</summary>
    public static bool IsBroken(Exception error) => error is SocketException or IOException;

    /// <summary>Encrypts the connection.</summary>
    /// <returns>Null, or why not.</returns>
    public async ValueTask<ProbeResult?> EncryptAsync(TlsClient client, ProbeTarget target, CancellationToken ct)
    {
        (_tls, ProbeResult failure) = await client.HandshakeAsync(_socket, target, ct).ConfigureAwait(false);
        return _tls is null ? failure : null;
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        if (_tls is not null)
        {
            await _tls.WriteAsync(bytes, ct).ConfigureAwait(false);
            return;
        }

        while (!bytes.IsEmpty) bytes = bytes[await _socket.SendAsync(bytes, ct).ConfigureAwait(false)..];
    }

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken ct) =>
        _tls?.ReadAsync(buffer, ct) ?? _socket.ReceiveAsync(buffer, ct);

    /// <summary>The connection will end with a reset, so that neither side keeps anything of it.</summary>
    public void ResetAtEnd()
    {
        try
        {
            _socket.LingerState = Reset;
        }
        catch (SocketException)
        {
            // The server has closed already.
        }
    }

    public void Dispose()
    {
        _tls?.Dispose();
        _socket.Dispose();
    }
}
