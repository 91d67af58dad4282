using System.Buffers.Binary;

namespace Lb;

/// <summary>
/// Writes a header of the PROXY protocol into a buffer of the caller's: version 2 with as many values as one likes, or version 1 in one call. Not
/// thread-safe; allocates nothing.
/// </summary>
public ref struct ProxyHeaderWriter
{
    private readonly Span<byte> _buffer;
    private int _length;

    /// <summary>Begins a header of version 2 with the command PROXY.</summary>
    /// <param name="buffer">Where it goes: at least 52 bytes and those of the values. Servers must take 536, which is why that is a good limit.</param>
    /// <param name="source">The client; without an address (a Unix socket, or not known) the family is UNSPEC.</param>
    /// <param name="destination">What the client connected to; of another family than the client's, both are written as IPv6.</param>
    /// <param name="isDatagram">UDP instead of TCP.</param>
    /// <exception cref="ArgumentException">The buffer is too small.</exception>
    public ProxyHeaderWriter(Span<byte> buffer, in PeerAddress source, in PeerAddress destination, bool isDatagram = false)
    {
        _buffer = buffer;
        Room(0, ProxyBlock.FixedLength).Clear();
        ProxyBlock.Signature.CopyTo(buffer);
        buffer[12] = 0x21;
        if (source.IsEmpty || destination.IsEmpty) return;
        bool isV6 = source.IsV6 || destination.IsV6;
        int each = isV6 ? 16 : 4;
        Span<byte> addresses = Room(ProxyBlock.FixedLength, (2 * each) + 4);
        buffer[13] = (byte)((isV6 ? 0x20 : 0x10) | (isDatagram ? 2 : 1));
        WriteAddress(addresses[..each], source);
        WriteAddress(addresses.Slice(each, each), destination);
        BinaryPrimitives.WriteUInt16BigEndian(addresses[(2 * each)..], source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(addresses[((2 * each) + 2)..], destination.Port);
    }

    /// <summary>Version 1 of a connection of the sender's own or of nobody knows whom: <c>PROXY UNKNOWN</c> with its end of line.</summary>
    public static ReadOnlySpan<byte> UnknownLine => "PROXY UNKNOWN\r\n"u8;

    /// <summary>Version 2 of a connection of the sender's own, a health check for example: LOCAL, 16 bytes.</summary>
    public static ReadOnlySpan<byte> Local => "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"u8;

    /// <summary>Writes a header of version 1. Of addresses that are missing or of two families it says <c>UNKNOWN</c>.</summary>
    /// <param name="buffer">At least <see cref="ProxyHeader.MaxLineLength"/> bytes.</param>
    /// <param name="source">The client.</param>
    /// <param name="destination">What the client connected to.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentException">The buffer is too small.</exception>
    public static int WriteLine(Span<byte> buffer, in PeerAddress source, in PeerAddress destination)
    {
        if (buffer.Length < ProxyHeader.MaxLineLength) throw new ArgumentException($"A line needs {ProxyHeader.MaxLineLength} bytes, not {buffer.Length}.", nameof(buffer));
        if (source.IsEmpty || source.Length != destination.Length)
        {
            UnknownLine.CopyTo(buffer);
            return UnknownLine.Length;
        }

        int length = Append(buffer, 0, source.IsV6 ? "PROXY TCP6 "u8 : "PROXY TCP4 "u8);
        length += WriteText(buffer[length..], source);
        length = Append(buffer, length, " "u8);
        length += WriteText(buffer[length..], destination);
        length = Append(buffer, length, " "u8);
        length += WriteNumber(buffer[length..], source.Port);
        length = Append(buffer, length, " "u8);
        length += WriteNumber(buffer[length..], destination.Port);
        return Append(buffer, length, "\r\n"u8);
    }

    /// <summary>Adds a value to a header of version 2.</summary>
    /// <param name="type">Its type; <see cref="ProxyTlvType.Crc32C"/> is <see cref="Finish"/>'s.</param>
    /// <param name="value">Its bytes; of <see cref="ProxyTlvType.UniqueId"/> at most 128.</param>
    /// <exception cref="ArgumentException">The buffer is too small, or the value too long for its type.</exception>
    public void Add(ProxyTlvType type, scoped ReadOnlySpan<byte> value)
    {
        if (type == ProxyTlvType.Crc32C || (type == ProxyTlvType.UniqueId && value.Length > ProxyTlvs.MaxUniqueId))
            throw new ArgumentException($"No value of {value.Length} bytes for {type}.", nameof(value));
        value.CopyTo(Tlv(type, value.Length));
    }

    /// <summary>Adds what is known of the client's TLS; empty texts are left out.</summary>
    /// <param name="tls">What is known.</param>
    /// <exception cref="ArgumentException">The buffer is too small.</exception>
    public void AddTls(scoped ProxyTls tls)
    {
        int start = _length;
        Span<byte> head = Tlv(ProxyTlvType.Tls, 5);
        head[0] = (byte)tls.Client;
        BinaryPrimitives.WriteUInt32BigEndian(head[1..], tls.Verify);
        AddText(ProxyTlvType.TlsVersion, tls.Version);
        AddText(ProxyTlvType.TlsCommonName, tls.CommonName);
        AddText(ProxyTlvType.TlsCipher, tls.Cipher);
        AddText(ProxyTlvType.TlsSignatureAlgorithm, tls.SignatureAlgorithm);
        AddText(ProxyTlvType.TlsKeyAlgorithm, tls.KeyAlgorithm);
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[(start + 1)..], (ushort)(_length - start - ProxyTlvs.HeadLength));
    }

    /// <summary>Ends a header of version 2; called once, at last.</summary>
    /// <param name="addChecksum">True: with its CRC-32C, which takes 7 bytes more.</param>
    /// <returns>Bytes of the whole header.</returns>
    /// <exception cref="ArgumentException">The buffer is too small.</exception>
    public int Finish(bool addChecksum = false)
    {
        int checksumAt = _length + ProxyTlvs.HeadLength;
        if (addChecksum) Tlv(ProxyTlvType.Crc32C, 4).Clear();
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[14..], (ushort)(_length - ProxyBlock.FixedLength));
        if (addChecksum) BinaryPrimitives.WriteUInt32BigEndian(_buffer[checksumAt..], ProxyTlvs.Checksum(_buffer[.._length], checksumAt));
        return _length;
    }

    private void AddText(ProxyTlvType type, scoped ReadOnlySpan<byte> text)
    {
        if (!text.IsEmpty) Add(type, text);
    }

    private Span<byte> Tlv(ProxyTlvType type, int length)
    {
        Span<byte> all = Room(_length, ProxyTlvs.HeadLength + length);
        all[0] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(all[1..], (ushort)length);
        return all[ProxyTlvs.HeadLength..];
    }

    private Span<byte> Room(int at, int length)
    {
        if (length > ushort.MaxValue - ProxyBlock.FixedLength || at + length > Math.Min(_buffer.Length, ProxyHeader.MaxLength))
            throw new ArgumentException($"The header would have {at + length} bytes; there is room for {Math.Min(_buffer.Length, ProxyHeader.MaxLength)}.", nameof(length));
        _length = at + length;
        return _buffer.Slice(at, length);
    }

    // Of two families: the IPv4 one within IPv6, as HAProxy does.
    private static void WriteAddress(Span<byte> destination, in PeerAddress address)
    {
        if (address.Length < destination.Length)
        {
            destination[..10].Clear();
            destination[10..12].Fill(0xFF);
            destination = destination[12..];
        }

        address.WriteBytes(destination);
    }

    private static int WriteText(Span<byte> destination, in PeerAddress address)
    {
        if (!address.IsV6) return address.WriteAddressText(destination);
        Span<byte> bytes = stackalloc byte[16];
        address.WriteBytes(bytes);
        return AddressText.WriteV6(bytes, destination);
    }

    private static int WriteNumber(Span<byte> destination, ushort number)
    {
        number.TryFormat(destination, out int written, default, System.Globalization.CultureInfo.InvariantCulture);
        return written;
    }

    private static int Append(Span<byte> destination, int at, ReadOnlySpan<byte> text)
    {
        text.CopyTo(destination[at..]);
        return at + text.Length;
    }
}
