using System.Text;

namespace Lb.Transport.Tests;

/// <summary>Makes ClientHellos, as RFC 8446, 4.1.2 and 5.1 lay them out.</summary>
internal static class Hello
{
    /// <summary>The message in as many records as it takes.</summary>
    /// <param name="message">From <see cref="Message"/>.</param>
    /// <param name="record">Most bytes of a record.</param>
    public static byte[] Records(byte[] message, int record = 16384) =>
        [.. message.Chunk(record).SelectMany(static part => (byte[])[22, 3, 1, (byte)(part.Length >> 8), (byte)part.Length, .. part])];

    /// <summary>A whole ClientHello in one record.</summary>
    public static byte[] For(string? name, params string[] protocols) => Records(Message(name, protocols));

    /// <summary>The handshake message.</summary>
    /// <param name="name">SNI; null = none.</param>
    /// <param name="protocols">ALPN; none = no extension.</param>
    /// <param name="padding">Bytes of an extension that nobody looks at.</param>
    /// <param name="more">More extensions, whole.</param>
    public static byte[] Message(string? name, string[] protocols, int padding = 0, byte[]? more = null)
    {
        List<byte> extensions = [];
        if (name is not null) extensions.AddRange(Extension(0, [.. Sized([0, .. Sized(Encoding.Latin1.GetBytes(name))])]));
        if (protocols.Length > 0) extensions.AddRange(Extension(16, Sized([.. protocols.SelectMany(static p => (byte[])[(byte)p.Length, .. Encoding.Latin1.GetBytes(p)])])));

        // A reserved value before TLS 1.3 and 1.2, as browsers send it.
        extensions.AddRange(Extension(43, [6, 0x7A, 0x7A, 3, 4, 3, 3]));
        if (padding > 0) extensions.AddRange(Extension(21, new byte[padding]));
        if (more is not null) extensions.AddRange(more);
        byte[] body = [3, 3, .. new byte[32], 2, 1, 2, 0, 4, 0x13, 1, 0x13, 2, 1, 0, .. Sized([.. extensions])];
        return [1, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
    }

    public static byte[] Extension(int type, byte[] body) => [(byte)(type >> 8), (byte)type, .. Sized(body)];

    public static byte[] Sized(byte[] bytes) => [(byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];
}
