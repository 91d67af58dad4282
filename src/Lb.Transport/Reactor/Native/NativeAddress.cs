using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>Translates addresses from and to the kernel's <c>sockaddr</c>.</summary>
internal static unsafe class NativeAddress
{
    /// <summary>Room for every kind of address (<c>sockaddr_storage</c>).</summary>
    public const int Capacity = 128;

    private const int V4Length = 16;
    private const int V6Length = 28;

    /// <summary>Writes an endpoint.</summary>
    /// <param name="endPoint">An <see cref="IPEndPoint"/> or a <see cref="UnixDomainSocketEndPoint"/>.</param>
    /// <param name="address">At least <see cref="Capacity"/> bytes.</param>
    /// <param name="family">The address family for socket(2).</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentException">Another kind of endpoint.</exception>
    public static uint Write(EndPoint endPoint, byte* address, out int family)
    {
        Span<byte> bytes = new(address, Capacity);
        switch (endPoint)
        {
            case IPEndPoint { AddressFamily: AddressFamily.InterNetwork } ip:
                family = Libc.AddressFamilyV4;
                WriteHead(bytes, V4Length, family, ip);
                ip.Address.TryWriteBytes(bytes[4..], out _);
                return V4Length;
            case IPEndPoint ip:
                family = Libc.AddressFamilyV6;
                WriteHead(bytes, V6Length, family, ip);
                ip.Address.TryWriteBytes(bytes[8..], out _);
                uint scope = (uint)ip.Address.ScopeId;
                MemoryMarshal.Write(bytes[24..], in scope);
                return V6Length;
            case UnixDomainSocketEndPoint unix:
                family = Libc.AddressFamilyUnix;
                SocketAddress serialized = unix.Serialize();
                serialized.Buffer.Span[..serialized.Size].CopyTo(bytes);
                return (uint)serialized.Size;
            default:
                throw new ArgumentException($"An IPEndPoint or a UnixDomainSocketEndPoint is needed, not {endPoint}.", nameof(endPoint));
        }
    }

    /// <summary>Writes an address for a socket of IPv4 or of IPv6, which takes an IPv4 address as a mapped one.</summary>
    /// <returns>Bytes written.</returns>
    public static uint Write(in PeerAddress local, bool isV6, byte* address)
    {
        Span<byte> bytes = new(address, Capacity);
        bytes[..V6Length].Clear();
        *(ushort*)address = (ushort)(isV6 ? Libc.AddressFamilyV6 : Libc.AddressFamilyV4);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], local.Port);
        if (!isV6)
        {
            local.WriteBytes(bytes[4..]);
            return V4Length;
        }

        if (!local.IsV6) bytes[18] = bytes[19] = 0xFF;
        local.WriteBytes(bytes[(local.IsV6 ? 8 : 20)..]);
        return V6Length;
    }

    /// <summary>Reads an address; empty for a Unix socket.</summary>
    public static PeerAddress Read(byte* address) => *(ushort*)address switch
    {
        Libc.AddressFamilyV4 => PeerAddress.FromBytes(new ReadOnlySpan<byte>(address + 4, 4), Port(address)),
        Libc.AddressFamilyV6 => PeerAddress.FromBytes(new ReadOnlySpan<byte>(address + 8, 16), Port(address)),
        _ => default,
    };

    /// <summary>The local address of a socket; empty for a Unix socket.</summary>
    public static PeerAddress LocalOf(int descriptor)
    {
        byte* address = stackalloc byte[Capacity];
        uint length = Capacity;
        return Libc.GetSocketName(descriptor, address, &length) == 0 ? Read(address) : default;
    }

    /// <summary>The port the kernel gave to a listening socket.</summary>
    public static int LocalPortOf(int descriptor) => LocalOf(descriptor).Port;

    private static ushort Port(byte* address) => BinaryPrimitives.ReadUInt16BigEndian(new ReadOnlySpan<byte>(address + 2, 2));

    private static void WriteHead(Span<byte> bytes, int length, int family, IPEndPoint endPoint)
    {
        bytes[..length].Clear();
        ushort shortFamily = (ushort)family;
        MemoryMarshal.Write(bytes, in shortFamily);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)endPoint.Port);
    }
}
