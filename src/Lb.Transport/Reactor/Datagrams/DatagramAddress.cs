using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Lb.Transport;

/// <summary>
/// Who sent a datagram, or where it arrived: an IP address, port and scope by value. IPv4 is held as IPv4-mapped IPv6, so that comparing and hashing know one
/// kind only; words are in memory order. The default value is "not known".
/// </summary>
internal readonly struct DatagramAddress : IEquatable<DatagramAddress>
{
    // The words of ::ffff:a.b.c.d on a little-endian machine: bytes 0, 0, 0xFF, 0xFF, then the address.
    private const ulong MappedPrefix = 0xFFFF_0000;

    private readonly ulong _high;
    private readonly ulong _low;
    private readonly uint _scope;
    private readonly ushort _port;

    private DatagramAddress(ulong high, ulong low, ushort port, uint scope)
    {
        _high = high;
        _low = low;
        _port = port;
        _scope = scope;
    }

    /// <summary>True when nothing is known.</summary>
    public bool IsEmpty => (_high | _low) == 0;

    /// <summary>The scope of a link-local address, else 0.</summary>
    public uint Scope => _scope;

    private bool IsV4 => _high == 0 && (BitConverter.IsLittleEndian ? (uint)_low == MappedPrefix : _low >> 32 == 0xFFFF);

    /// <summary>From the kernel's <c>sockaddr</c>. Little-endian machines only, as the drivers that call it.</summary>
    public static unsafe DatagramAddress Read(byte* native) => *(ushort*)native == Libc.AddressFamilyV4
        ? new(0, (ulong)*(uint*)(native + 4) << 32 | MappedPrefix, *(ushort*)(native + 2), 0)
        : new(Unsafe.ReadUnaligned<ulong>(native + 8), Unsafe.ReadUnaligned<ulong>(native + 16), *(ushort*)(native + 2), *(uint*)(native + 24));

    /// <summary>From the 4 bytes of an address without port. Little-endian machines only.</summary>
    public static unsafe DatagramAddress ReadV4(byte* bytes) => new(0, (ulong)*(uint*)bytes << 32 | MappedPrefix, 0, 0);

    /// <summary>From the 16 bytes of an address without port.</summary>
    public static unsafe DatagramAddress ReadV6(byte* bytes, uint scope) =>
        new(Unsafe.ReadUnaligned<ulong>(bytes), Unsafe.ReadUnaligned<ulong>(bytes + 8), 0, bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80 ? scope : 0);

    /// <summary>From the framework's form.</summary>
    public static DatagramAddress From(IPAddress address, int port)
    {
        Span<byte> bytes = stackalloc byte[16];
        uint scope = address.AddressFamily == AddressFamily.InterNetworkV6 ? (uint)address.ScopeId : 0;
        address.MapToIPv6().TryWriteBytes(bytes, out _);
        ushort raw = 0;
        BinaryPrimitives.WriteUInt16BigEndian(System.Runtime.InteropServices.MemoryMarshal.AsBytes(new Span<ushort>(ref raw)), (ushort)port);
        return new(Unsafe.ReadUnaligned<ulong>(ref bytes[0]), Unsafe.ReadUnaligned<ulong>(ref bytes[8]), raw, scope);
    }

    /// <summary>Writes the kernel's <c>sockaddr</c> for a socket of this family.</summary>
    /// <returns>Bytes written, at most 28.</returns>
    public unsafe uint Write(byte* native, bool isV6Socket)
    {
        *(ushort*)(native + 2) = _port;
        if (!isV6Socket)
        {
            *(ushort*)native = Libc.AddressFamilyV4;
            *(uint*)(native + 4) = (uint)(_low >> 32);
            *(ulong*)(native + 8) = 0;
            return 16;
        }

        *(ushort*)native = Libc.AddressFamilyV6;
        *(uint*)(native + 4) = 0;
        WriteV6(native + 8);
        *(uint*)(native + 24) = _scope;
        return 28;
    }

    /// <summary>Writes the 4 bytes of an IPv4 address.</summary>
    public unsafe void WriteV4(byte* bytes) => *(uint*)bytes = (uint)(_low >> 32);

    /// <summary>Writes the 16 bytes of the address.</summary>
    public unsafe void WriteV6(byte* bytes)
    {
        Unsafe.WriteUnaligned(bytes, _high);
        Unsafe.WriteUnaligned(bytes + 8, _low);
    }

    /// <summary>As the pools know addresses.</summary>
    public PeerAddress ToPeer() => ToPeer(Port);

    /// <summary>The same with another port.</summary>
    public unsafe PeerAddress ToPeer(ushort port)
    {
        if (IsEmpty) return default;
        byte* bytes = stackalloc byte[16];
        WriteV6(bytes);
        return PeerAddress.FromBytes(new ReadOnlySpan<byte>(bytes, 16), port);
    }

    /// <summary>As the framework knows addresses. Allocates.</summary>
    /// <param name="isV6Socket">Whether IPv4 is to be mapped.</param>
    public unsafe IPEndPoint ToEndPoint(bool isV6Socket)
    {
        byte* bytes = stackalloc byte[16];
        WriteV6(bytes);
        ReadOnlySpan<byte> all = new(bytes, 16);
        return new(isV6Socket || !IsV4 ? new IPAddress(all, _scope) : new IPAddress(all[12..]), Port);
    }

    /// <summary>Mixes everything with two secret words.</summary>
    public ulong Hash(ulong first, ulong second)
    {
        ulong high = Math.BigMul(_high ^ first, _low ^ second, out ulong low);
        ulong more = Math.BigMul(high ^ low ^ second, ((ulong)_scope << 16 | _port) ^ first, out low);
        return more ^ low;
    }

    public bool Equals(DatagramAddress other) => _low == other._low && _port == other._port && _high == other._high && _scope == other._scope;

    public override bool Equals(object? obj) => obj is DatagramAddress other && Equals(other);

    public override int GetHashCode() => (int)Hash(0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93);

    public override string ToString() => ToPeer().ToString();

    private ushort Port => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(_port) : _port;
}
