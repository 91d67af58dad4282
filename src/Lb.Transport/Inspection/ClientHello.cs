using System.Buffers.Binary;

namespace Lb.Transport;

/// <summary>What the first bytes of a connection are, as far as TLS is concerned.</summary>
internal enum ClientHelloResult
{
    /// <summary>A whole ClientHello, which is right.</summary>
    Done,

    /// <summary>The beginning of one; more bytes decide.</summary>
    NeedMore,

    /// <summary>Something else than TLS.</summary>
    NotTls,

    /// <summary>TLS, but no ClientHello that can be read: malformed, or too long.</summary>
    Invalid,
}

/// <summary>
/// What a TLS client asks for in the clear, before anything is encrypted (RFC 8446 4.1.2, RFC 6066 3, RFC 7301). It lives in the bytes it was read from, or
/// in the scratch space. Pure; never throws, allocates nothing.
/// </summary>
internal readonly ref struct ClientHello
{
    /// <summary>Most bytes that are waited for and looked at, the heads of records among them: 16 KiB, as HAProxy's buffer.</summary>
    public const int MaxLength = 16 * 1024;

    /// <summary>Most records that one may be cut into.</summary>
    public const int MaxRecords = 128;

    private const int RecordHead = 5, MessageHead = 4, MaxRecord = 1 << 14;

    internal ClientHello(ReadOnlySpan<byte> serverName, ReadOnlySpan<byte> protocols, ushort version)
    {
        ServerName = serverName;
        Protocols = protocols;
        Version = version;
    }

    /// <summary>The host name that it asks for (SNI), as the client wrote it but without a dot at its end; empty when it names none.</summary>
    public ReadOnlySpan<byte> ServerName { get; }

    /// <summary>The protocols that it offers (ALPN), each behind a byte of its length; empty when it offers none.</summary>
    public ReadOnlySpan<byte> Protocols { get; }

    /// <summary>The highest version that it offers, as 0x0304 for TLS 1.3; reserved values (RFC 8701) don't count.</summary>
    public ushort Version { get; }

    /// <summary>True when it offers that protocol.</summary>
    public bool Offers(ReadOnlySpan<byte> protocol)
    {
        for (ReadOnlySpan<byte> rest = Protocols; !rest.IsEmpty; rest = rest[(rest[0] + 1)..])
        {
            if (rest.Slice(1, rest[0]).SequenceEqual(protocol)) return true;
        }

        return false;
    }

    /// <summary>Reads the ClientHello that a connection begins with. Once the answer is not <see cref="ClientHelloResult.NeedMore"/> further bytes don't change it.</summary>
    /// <param name="data">All bytes of the connection so far, from its first.</param>
    /// <param name="scratch">At least <see cref="MaxLength"/> bytes; used for one that is cut into several records.</param>
    /// <param name="hello">The ClientHello, when the answer is <see cref="ClientHelloResult.Done"/>.</param>
    public static ClientHelloResult Read(ReadOnlySpan<byte> data, Span<byte> scratch, out ClientHello hello)
    {
        hello = default;
        if (data.Length > MaxLength) data = data[..MaxLength];
        ClientHelloResult result = FindMessage(data, scratch, out ReadOnlySpan<byte> message);
        if (result == ClientHelloResult.NeedMore && data.Length == MaxLength) return ClientHelloResult.Invalid;
        if (result != ClientHelloResult.Done) return result;
        return ClientHelloBody.TryRead(message, out hello) ? ClientHelloResult.Done : ClientHelloResult.Invalid;
    }

    /// <summary>Puts the message together from its records; its head is left out.</summary>
    private static ClientHelloResult FindMessage(ReadOnlySpan<byte> data, Span<byte> scratch, out ReadOnlySpan<byte> message)
    {
        message = default;
        int gathered = 0, length = -1;
        for (int records = 0; ; records++)
        {
            // Each byte is judged as soon as it is there: type 22, version 3.x, a length that plain text may have.
            ClientHelloResult wrong = records == 0 ? ClientHelloResult.NotTls : ClientHelloResult.Invalid;
            if (data.Length > 0 && data[0] != 22) return wrong;
            if (data.Length > 1 && data[1] != 3) return wrong;
            if (records == MaxRecords) return ClientHelloResult.Invalid;
            if (data.Length < RecordHead) return ClientHelloResult.NeedMore;
            int record = BinaryPrimitives.ReadUInt16BigEndian(data[3..]);
            if (record is 0 or > MaxRecord) return ClientHelloResult.Invalid;
            ReadOnlySpan<byte> fragment = data.Slice(RecordHead, Math.Min(record, data.Length - RecordHead));

            // Most come in one piece, which is read where it is.
            ReadOnlySpan<byte> all = fragment;
            if (gathered > 0)
            {
                fragment.CopyTo(scratch[gathered..]);
                all = scratch[..(gathered + fragment.Length)];
            }

            // The message's own head: type 1, its length in three bytes.
            if (all.Length > 0 && all[0] != 1) return ClientHelloResult.NotTls;
            if (all.Length >= MessageHead) length = (all[1] << 16) | (all[2] << 8) | all[3];
            if (length > MaxLength) return ClientHelloResult.Invalid;
            if (length >= 0 && all.Length >= MessageHead + length)
            {
                message = all.Slice(MessageHead, length);
                return ClientHelloResult.Done;
            }

            if (fragment.Length < record) return ClientHelloResult.NeedMore;
            if (gathered == 0) fragment.CopyTo(scratch);
            gathered += fragment.Length;
            data = data[(RecordHead + record)..];
        }
    }
}
