using System.Buffers.Text;
using System.Text;

namespace Lb.Health;

/// <summary>How the end of a body is known (RFC 9112, 6.3).</summary>
internal enum HttpFraming
{
    None,
    Length,
    Chunked,
    UntilClose,
}

/// <summary>The head of an HTTP/1 answer, read strictly. Pure.</summary>
/// <param name="Code">Status code, 100 to 999.</param>
/// <param name="Reason">Reason phrase; may be empty.</param>
/// <param name="Framing">How the end of the body is known.</param>
/// <param name="Length">Bytes of the body with <see cref="HttpFraming.Length"/>.</param>
internal readonly record struct HttpHead(int Code, string Reason, HttpFraming Framing, long Length)
{
    /// <summary>Reads a status line: <c>HTTP/1.1 200 OK</c>.</summary>
    /// <param name="line">The line without its CRLF.</param>
    /// <param name="code">The status code.</param>
    /// <param name="reason">The reason phrase.</param>
    public static bool TryParseStatusLine(ReadOnlySpan<byte> line, out int code, out string reason)
    {
        code = 0;
        reason = "";
        if (line.Length < 12 || !line.StartsWith("HTTP/1."u8) || line[7] is not ((byte)'0' or (byte)'1') || line[8] != ' ') return false;
        for (int i = 9; i < 12; i++)
        {
            if (!char.IsAsciiDigit((char)line[i])) return false;
            code = (code * 10) + (line[i] - '0');
        }

        if (code < 100 || (line.Length > 12 && line[12] != ' ') || HasControl(line)) return false;
        if (line.Length > 13) reason = Encoding.Latin1.GetString(line[13..]);
        return true;
    }

    /// <summary>Reads a whole head.</summary>
    /// <param name="head">From the status line to the empty line, both without the last CRLF.</param>
    /// <param name="toHead">True when the request was HEAD: there is no body whatever the head says.</param>
    /// <param name="parsed">The head.</param>
    /// <param name="error">What is wrong with it.</param>
    public static bool TryParse(ReadOnlySpan<byte> head, bool toHead, out HttpHead parsed, out string error)
    {
        parsed = default;
        error = "not HTTP";
        int end = head.IndexOf("\r\n"u8);
        if (!TryParseStatusLine(end < 0 ? head : head[..end], out int code, out string reason)) return false;

        long? length = null;
        bool chunked = false, coded = false;
        ReadOnlySpan<byte> rest = end < 0 ? [] : head[(end + 2)..];
        while (!rest.IsEmpty)
        {
            end = rest.IndexOf("\r\n"u8);
            ReadOnlySpan<byte> line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 2)..];
            int colon = line.IndexOf((byte)':');
            if (colon <= 0 || line[..colon].IndexOfAny((byte)' ', (byte)'\t') >= 0 || HasControl(line))
            {
                error = "bad header line";
                return false;
            }

            ReadOnlySpan<byte> name = line[..colon], value = line[(colon + 1)..].Trim(" \t"u8);
            if (Ascii.EqualsIgnoreCase(name, "Content-Length"u8))
            {
                if (!TryParseLength(value, out long number) || (length is { } other && other != number))
                {
                    error = "bad Content-Length";
                    return false;
                }

                length = number;
            }
            else if (Ascii.EqualsIgnoreCase(name, "Transfer-Encoding"u8))
            {
                coded = true;
                chunked = Ascii.EqualsIgnoreCase(value, "chunked"u8);
            }
        }

        // Codings other than chunked are not asked for; with both headers nobody can say where the body ends.
        if ((coded && !chunked) || (coded && length is not null))
        {
            error = chunked ? "both Content-Length and Transfer-Encoding" : "unknown Transfer-Encoding";
            return false;
        }

        HttpFraming framing = toHead || code is < 200 or 204 or 304 ? HttpFraming.None
            : chunked ? HttpFraming.Chunked
            : length is not null ? HttpFraming.Length
            : HttpFraming.UntilClose;
        parsed = new HttpHead(code, reason, framing, length ?? 0);
        error = "";
        return true;
    }

    private static bool TryParseLength(ReadOnlySpan<byte> value, out long length)
    {
        length = 0;
        foreach (byte b in value)
        {
            if (!char.IsAsciiDigit((char)b)) return false;
        }

        return Utf8Parser.TryParse(value, out length, out int read) && read == value.Length;
    }

    private static bool HasControl(ReadOnlySpan<byte> line)
    {
        foreach (byte b in line)
        {
            if (b is (< 0x20 and not (byte)'\t') or 0x7f) return true;
        }

        return false;
    }
}
