using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Lb.Vrrp;

/// <summary>Translates addresses from and to the kernel's <c>sockaddr_in</c> and <c>sockaddr_in6</c>.</summary>
internal static unsafe class NativeAddress
{
    private const int V4Length = 16;

    /// <summary>Writes an address.</summary>
    /// <param name="address">Not empty. A port in it is written too.</param>
    /// <param name="scope">Index of the interface of a link-local address; 0 = none.</param>
    /// <param name="native">At least <see cref="Libc.AddressCapacity"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    public static uint Write(in PeerAddress address, int scope, byte* native)
    {
        Span<byte> bytes = new(native, Libc.AddressCapacity);
        bytes.Clear();
        *(ushort*)native = (ushort)(address.IsV6 ? Libc.FamilyV6 : Libc.FamilyV4);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], address.Port);
        if (!address.IsV6)
        {
            address.WriteBytes(bytes[4..]);
            return V4Length;
        }

        address.WriteBytes(bytes[8..]);
        MemoryMarshal.Write(bytes[24..], in scope);
        return Libc.AddressCapacity;
    }

    /// <summary>Reads an address; its port is left out, as everywhere among routers. Empty for another family.</summary>
    public static PeerAddress Read(byte* native) => *(ushort*)native switch
    {
        Libc.FamilyV4 => PeerAddress.FromBytes(new ReadOnlySpan<byte>(native + 4, 4), 0),
        Libc.FamilyV6 => PeerAddress.FromBytes(new ReadOnlySpan<byte>(native + 8, 16), 0),
        _ => default,
    };
}
