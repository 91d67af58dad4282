using System.Net.Sockets;

namespace Lb.Health;

/// <summary>Reads lines and blocks from a probe's socket, and never more than a bound. Not thread-safe.</summary>
/// <param name="socket">Connected; not owned.</param>
internal sealed class ProbeStream(Socket socket)
{
    private byte[] _buffer = new byte[512];
    private int _start;
    private int _end;

    /// <summary>Sends all of it.</summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        while (!data.IsEmpty) data = data[await socket.SendAsync(data, ct).ConfigureAwait(false)..];
    }

    /// <summary>Reads up to a line feed.</summary>
    /// <param name="longest">Most bytes of the line.</param>
    /// <param name="ct">Ends the waiting.</param>
    /// <returns>The line without its CR and LF, valid until the next read; null: closed before the line's end, or longer than allowed.</returns>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadLineAsync(int longest, CancellationToken ct)
    {
        int searched = 0;
        while (true)
        {
            int end = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (end >= 0)
            {
                Memory<byte> line = _buffer.AsMemory(_start, searched + end);
                _start += searched + end + 1;
                return line.Span.EndsWith("\r"u8) ? line[..^1] : line;
            }

            searched = _end - _start;
            if (searched >= longest || !await FillAsync(longest, ct).ConfigureAwait(false)) return null;
        }
    }

    /// <summary>Reads so many bytes.</summary>
    /// <returns>The bytes, valid until the next read; null: closed before.</returns>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(int count, CancellationToken ct)
    {
        while (_end - _start < count)
        {
            if (!await FillAsync(count, ct).ConfigureAwait(false)) return null;
        }

        _start += count;
        return _buffer.AsMemory(_start - count, count);
    }

    /// <summary>Reads and forgets until the server closes, or so many bytes.</summary>
    public async ValueTask DrainAsync(int most, CancellationToken ct)
    {
        while (most > 0)
        {
            int received = await socket.ReceiveAsync(_buffer.AsMemory(), ct).ConfigureAwait(false);
            if (received == 0) return;
            most -= received;
        }
    }

    // Makes room for a whole of that size, then reads what there is.
    private async ValueTask<bool> FillAsync(int size, CancellationToken ct)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, Math.Max(size, _buffer.Length + 1)));
        int received = await socket.ReceiveAsync(_buffer.AsMemory(_end), ct).ConfigureAwait(false);
        _end += received;
        return received > 0;
    }
}
