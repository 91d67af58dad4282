using System.Buffers.Binary;
using System.Net;

namespace Lb;

/// <summary>
/// An IP address with its port, held by value: the data path carries addresses without allocating. Any thread.
/// </summary>
/// <remarks>The default value means "no address" (a Unix socket, or not known). IPv4-mapped IPv6 addresses are stored as IPv4.</remarks>
public readonly record struct PeerAddress
{
    private readonly ulong _high;
    private readonly ulong _low;

    private PeerAddress(ulong high, ulong low, ushort port, bool isV6)
    {
        _high = high;
        _low = low;
        Port = port;
        Length = isV6 ? (byte)16 : (byte)4;
    }

    /// <summary>The port, 0 to 65535, in host order.</summary>
    public ushort Port { get; }

    /// <summary>Bytes of the address: 4 (IPv4), 16 (IPv6) or 0 (no address).</summary>
    public byte Length { get; }

    /// <summary>True when there is no address.</summary>
    public bool IsEmpty => Length == 0;

    /// <summary>True for an IPv6 address.</summary>
    public bool IsV6 => Length == 16;

    /// <summary>Makes an IPv4 address from its 32 bits in host order.</summary>
    /// <param name="address">The address, for example 0x7F000001 for 127.0.0.1.</param>
    /// <param name="port">The port in host order.</param>
    public static PeerAddress FromV4(uint address, ushort port) => new(0, address, port, isV6: false);

    /// <summary>Makes an address from its 4 or 16 bytes in network order.</summary>
    /// <param name="bytes">4 or 16 bytes.</param>
    /// <param name="port">The port in host order.</param>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> has another length.</exception>
    public static PeerAddress FromBytes(ReadOnlySpan<byte> bytes, ushort port)
    {
        if (bytes.Length == 4) return FromV4(BinaryPrimitives.ReadUInt32BigEndian(bytes), port);
        if (bytes.Length != 16) throw new ArgumentException($"An address has 4 or 16 bytes, not {bytes.Length}.", nameof(bytes));
        ulong high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        ulong low = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        return high == 0 && low >> 32 == 0xFFFF ? FromV4((uint)low, port) : new PeerAddress(high, low, port, isV6: true);
    }

    /// <summary>Makes it from an endpoint object.</summary>
    /// <param name="endPoint">An IPv4 or IPv6 endpoint.</param>
    public static PeerAddress From(IPEndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        Span<byte> bytes = stackalloc byte[16];
        endPoint.Address.TryWriteBytes(bytes, out int written);
        return FromBytes(bytes[..written], (ushort)endPoint.Port);
    }

    /// <summary>Reads <c>192.0.2.1</c>, <c>192.0.2.1:80</c>, <c>2001:db8::1</c> or <c>[2001:db8::1]:80</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="address">The address; port 0 when the text has none.</param>
    /// <returns>False when it is no address.</returns>
    public static bool TryParse(string? text, out PeerAddress address)
    {
        if (IPEndPoint.TryParse(text ?? "", out IPEndPoint? endPoint) && ServerAddress.IsWhole(endPoint.Address, text!))
        {
            address = From(endPoint);
            return true;
        }

        address = default;
        return false;
    }

    /// <summary>Writes the 4 or 16 bytes in network order.</summary>
    /// <param name="destination">At least <see cref="Length"/> bytes.</param>
    /// <returns>The number of bytes written: <see cref="Length"/>.</returns>
    public int WriteBytes(Span<byte> destination)
    {
        if (Length == 4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)_low);
        }
        else if (Length == 16)
        {
            BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
            BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
        }

        return Length;
    }

    /// <summary>
    /// The exclusive or of the address's 32-bit big-endian words; the port is left out. This is HAProxy's key of <c>balance source</c>.
    /// </summary>
    public uint FoldedWords => (uint)(_high >> 32) ^ (uint)_high ^ (uint)(_low >> 32) ^ (uint)_low;

    /// <summary>The address as a number; 0 when there is none.</summary>
    internal UInt128 Number => new(_high, _low);

    /// <summary>An address of so many bytes from its number.</summary>
    internal static PeerAddress FromNumber(UInt128 number, byte length) => new((ulong)(number >> 64), (ulong)number, 0, isV6: length == 16);

    /// <summary>Writes the address without the port as text: <c>192.0.2.1</c> or <c>2001:db8::1</c>. Does not allocate for IPv4.</summary>
    /// <param name="destination">At least 64 bytes.</param>
    /// <returns>The number of bytes written.</returns>
    internal int WriteAddressText(Span<byte> destination)
    {
        if (IsEmpty) return 0;
        if (IsV6)
        {
            Span<byte> bytes = stackalloc byte[16];
            WriteBytes(bytes);
            new IPAddress(bytes).TryFormat(destination, out int length);
            return length;
        }

        int written = 0;
        for (int shift = 24; shift >= 0; shift -= 8)
        {
            ((byte)(_low >> shift)).TryFormat(destination[written..], out int digits, default, System.Globalization.CultureInfo.InvariantCulture);
            written += digits;
            if (shift > 0) destination[written++] = (byte)'.';
        }

        return written;
    }

    /// <summary>An endpoint object of the same value. Allocates.</summary>
    /// <exception cref="InvalidOperationException">There is no address.</exception>
    public IPEndPoint ToIPEndPoint()
    {
        if (IsEmpty) throw new InvalidOperationException("There is no address.");
        Span<byte> bytes = stackalloc byte[16];
        return new IPEndPoint(new IPAddress(bytes[..WriteBytes(bytes)]), Port);
    }

    /// <summary><c>192.0.2.1:80</c>, <c>[2001:db8::1]:80</c>, or <c>-</c> when there is no address.</summary>
    public override string ToString() => IsEmpty ? "-" : ToIPEndPoint().ToString();
}
