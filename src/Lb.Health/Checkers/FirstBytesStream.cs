using System.Net.Sockets;

namespace Lb.Health;

/// <summary>A socket's stream that remembers what the server said first: the reason of a handshake that fails stands there. Owns the socket.</summary>
internal sealed class FirstBytesStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
{
    private readonly byte[] _first = new byte[8];
    private int _length;

    public ReadOnlySpan<byte> First => _first.AsSpan(0, _length);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        int take = Math.Min(read, _first.Length - _length);
        buffer.Span[..take].CopyTo(_first.AsSpan(_length));
        _length += take;
        return read;
    }
}
