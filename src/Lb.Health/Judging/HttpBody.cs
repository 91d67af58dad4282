using System.Buffers;

namespace Lb.Health;

/// <summary>Takes the bytes after a head apart and keeps the body's. Knows no socket. Not thread-safe.</summary>
/// <param name="framing">How its end is known.</param>
/// <param name="length">Its length with <see cref="HttpFraming.Length"/>.</param>
internal sealed class HttpBody(HttpFraming framing, long length)
{
    // A chunk's length in hex and its extensions; nobody needs more.
    private const int LongestChunkLine = 256;

    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly List<byte> _line = [];
    private long _left = framing == HttpFraming.Length ? length : 0;
    private Part _part = framing == HttpFraming.Chunked ? Part.ChunkLine : Part.Data;

    private enum Part
    {
        ChunkLine,
        Data,
        ChunkEnd,
        Trailer,
        Complete,
    }

    /// <summary>What has arrived of the body, without its framing.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    /// <summary>True when its end has been seen.</summary>
    public bool IsComplete => framing switch
    {
        HttpFraming.None => true,
        HttpFraming.Length => _left == 0,
        HttpFraming.Chunked => _part == Part.Complete,
        _ => false,
    };

    /// <summary>Takes in bytes as they arrive; what comes after the end is ignored.</summary>
    /// <returns>False when the framing is broken.</returns>
    public bool Feed(ReadOnlySpan<byte> data)
    {
        if (framing == HttpFraming.UntilClose)
        {
            _bytes.Write(data);
            return true;
        }

        while (!data.IsEmpty && !IsComplete)
        {
            if (_part == Part.Data)
            {
                int take = (int)Math.Min(_left, data.Length);
                _bytes.Write(data[..take]);
                data = data[take..];
                _left -= take;
                if (_left == 0 && framing == HttpFraming.Chunked) _part = Part.ChunkEnd;
            }
            else
            {
                int newline = data.IndexOf((byte)'\n');
                int take = newline < 0 ? data.Length : newline + 1;
                if (_line.Count + take > LongestChunkLine) return false;
                _line.AddRange(data[..take]);
                data = data[take..];
                if (newline < 0) return true;
                if (!EndLine()) return false;
            }
        }

        return true;
    }

    private bool EndLine()
    {
        ReadOnlySpan<byte> line = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_line);
        if (!line.EndsWith("\r\n"u8)) return false;
        line = line[..^2];
        bool good = true;
        switch (_part)
        {
            case Part.ChunkLine:
                int end = line.IndexOf((byte)';');
                ReadOnlySpan<byte> size = (end < 0 ? line : line[..end]).TrimEnd(" \t"u8);
                good = TryParseSize(size, out _left);
                _part = _left == 0 ? Part.Trailer : Part.Data;
                break;
            case Part.ChunkEnd:
                good = line.IsEmpty;
                _part = Part.ChunkLine;
                break;
            default:
                if (line.IsEmpty) _part = Part.Complete;
                break;
        }

        _line.Clear();
        return good;
    }

    private static bool TryParseSize(ReadOnlySpan<byte> text, out long size)
    {
        size = 0;
        // 15 digits can't overflow.
        if (text.Length is 0 or > 15) return false;
        foreach (byte b in text)
        {
            if (!char.IsAsciiHexDigit((char)b)) return false;
            size = (size << 4) | (uint)(b <= '9' ? b - '0' : (b | 0x20) - 'a' + 10);
        }

        return true;
    }
}
