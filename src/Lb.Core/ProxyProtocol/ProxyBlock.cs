using System.Buffers.Binary;

namespace Lb;

/// <summary>Version 2 of the PROXY protocol: a block of bytes (proxy-protocol.txt, 2.2). Pure.</summary>
internal static class ProxyBlock
{
    /// <summary>Bytes before the addresses.</summary>
    public const int FixedLength = 16;

    /// <summary>What version 2 begins with.</summary>
    public static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    public static ProxyHeaderResult Read(ReadOnlySpan<byte> data, out ProxyHeader header)
    {
        // Each byte is judged as soon as it is there and before the next, so that the verdict does not depend on how they arrive.
        header = default;
        int common = data.CommonPrefixLength(Signature);
        if (common < Signature.Length) return common == data.Length ? ProxyHeaderResult.NeedMore : ProxyHeaderResult.NotProxy;
        if (data.Length <= 12) return ProxyHeaderResult.NeedMore;
        if (data[12] >> 4 != 2) return ProxyHeaderResult.BadVersion;
        int command = data[12] & 0xF;
        if (command > 1) return ProxyHeaderResult.BadCommand;
        if (data.Length <= 13) return ProxyHeaderResult.NeedMore;

        // Of a connection of the sender's own the family is not looked at either.
        bool isLocal = command == 0;
        (int family, int transport) = (data[13] >> 4, data[13] & 0xF);
        if (!isLocal && (family > 3 || transport > 2)) return ProxyHeaderResult.BadFamily;
        if (data.Length < FixedLength) return ProxyHeaderResult.NeedMore;

        int length = FixedLength + BinaryPrimitives.ReadUInt16BigEndian(data[14..]);
        if (length > ProxyHeader.MaxLength) return ProxyHeaderResult.TooLong;
        bool isKnown = !isLocal && family != 0 && transport != 0;
        int addresses = isKnown ? AddressesLength(family) : 0;
        if (length < FixedLength + addresses) return ProxyHeaderResult.TooShort;
        if (data.Length < length) return ProxyHeaderResult.NeedMore;
        if (!isKnown)
        {
            header = new ProxyHeader(length, version: 2, isLocal);
            return ProxyHeaderResult.Done;
        }

        data = data[..length];
        ProxyHeaderResult tlvs = ProxyTlvs.Check(data, FixedLength + addresses);
        if (tlvs == ProxyHeaderResult.Done) header = Known(data, (ProxyFamily)data[13], addresses);
        return tlvs;
    }

    private static int AddressesLength(int family) => family switch { 1 => 12, 2 => 36, _ => 216 };

    private static ProxyHeader Known(ReadOnlySpan<byte> data, ProxyFamily family, int length)
    {
        PeerAddress source = default, destination = default;
        ReadOnlySpan<byte> addresses = data.Slice(FixedLength, length);
        if (family < ProxyFamily.UnixStream)
        {
            int each = (length - 4) / 2;
            source = PeerAddress.FromBytes(addresses[..each], BinaryPrimitives.ReadUInt16BigEndian(addresses[(2 * each)..]));
            destination = PeerAddress.FromBytes(addresses.Slice(each, each), BinaryPrimitives.ReadUInt16BigEndian(addresses[((2 * each) + 2)..]));
        }

        return new ProxyHeader(data.Length, version: 2, isLocal: false, family, source, destination, new ProxyTlvs(data[(FixedLength + length)..]));
    }
}
