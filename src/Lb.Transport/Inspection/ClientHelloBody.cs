using System.Buffers.Binary;

namespace Lb.Transport;

/// <summary>The fields of a ClientHello and of the extensions that matter here; everything must fit to the byte. Pure.</summary>
internal static class ClientHelloBody
{
    private const int ServerName = 0, Alpn = 16, SupportedVersions = 43;
    private const int MaxExtensions = 128;

    public static bool TryRead(ReadOnlySpan<byte> message, out ClientHello hello)
    {
        // Version, random, session id, cipher suites, compression methods, extensions, which the oldest clients have not.
        hello = default;
        if (message.Length < 34) return false;
        ushort version = BinaryPrimitives.ReadUInt16BigEndian(message);
        ReadOnlySpan<byte> rest = message[34..];
        if (!TryTake(ref rest, 1, out ReadOnlySpan<byte> session) || session.Length > 32) return false;
        if (!TryTake(ref rest, 2, out ReadOnlySpan<byte> suites) || suites.Length < 2 || suites.Length % 2 != 0) return false;
        if (!TryTake(ref rest, 1, out ReadOnlySpan<byte> compressions) || compressions.IsEmpty) return false;
        if (!rest.IsEmpty) return TryTake(ref rest, 2, out ReadOnlySpan<byte> extensions) && rest.IsEmpty && TryExtensions(extensions, version, out hello);
        hello = new ClientHello(default, default, version);
        return true;
    }

    private static bool TryExtensions(ReadOnlySpan<byte> extensions, ushort version, out ClientHello hello)
    {
        hello = default;
        ReadOnlySpan<byte> name = default, protocols = default;
        int seen = 0;
        for (int count = 0; !extensions.IsEmpty; count++)
        {
            if (count == MaxExtensions || extensions.Length < 2) return false;
            int type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TryTake(ref extensions, 2, out ReadOnlySpan<byte> body)) return false;

            // None may come twice (RFC 8446 4.2); of the others nobody looks.
            int bit = type switch { ServerName => 1, Alpn => 2, SupportedVersions => 4, _ => 0 };
            if ((seen & bit) != 0) return false;
            seen |= bit;
            bool isRight = type switch
            {
                ServerName => TryName(body, out name),
                Alpn => TryProtocols(body, out protocols),
                SupportedVersions => TryVersions(body, ref version),
                _ => true,
            };
            if (!isRight) return false;
        }

        hello = new ClientHello(name, protocols, version);
        return true;
    }

    private static bool TryName(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> name)
    {
        // A list of one: type 0 and a name. RFC 6066 allows one name of a type, and no other type was ever made.
        name = default;
        if (!TryTake(ref body, 2, out ReadOnlySpan<byte> list) || !body.IsEmpty || list.IsEmpty || list[0] != 0) return false;
        list = list[1..];
        if (!TryTake(ref list, 2, out name) || !list.IsEmpty) return false;
        if (name.Length > 1 && name[^1] == '.') name = name[..^1];
        if (name.Length is 0 or > 253) return false;
        int label = 0;
        foreach (byte c in name)
        {
            bool isDot = c == '.';
            if (isDot ? label == 0 : !(char.IsAsciiLetterOrDigit((char)c) || c is (byte)'-' or (byte)'_')) return false;
            label = isDot ? 0 : label + 1;
            if (label > 63) return false;
        }

        return label > 0;
    }

    private static bool TryProtocols(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> protocols)
    {
        if (!TryTake(ref body, 2, out protocols) || !body.IsEmpty || protocols.IsEmpty) return false;
        for (ReadOnlySpan<byte> rest = protocols; !rest.IsEmpty;)
        {
            if (!TryTake(ref rest, 1, out ReadOnlySpan<byte> protocol) || protocol.IsEmpty) return false;
        }

        return true;
    }

    private static bool TryVersions(ReadOnlySpan<byte> body, ref ushort version)
    {
        if (!TryTake(ref body, 1, out ReadOnlySpan<byte> versions) || !body.IsEmpty || versions.Length < 2 || versions.Length % 2 != 0) return false;
        ushort highest = 0;
        for (int i = 0; i < versions.Length; i += 2)
        {
            ushort offered = BinaryPrimitives.ReadUInt16BigEndian(versions[i..]);
            bool isReserved = (offered & 0x0F0F) == 0x0A0A && offered >> 8 == (offered & 0xFF);
            if (!isReserved && offered > highest) highest = offered;
        }

        if (highest > 0) version = highest;
        return true;
    }

    /// <summary>Takes what stands behind its own length of one or two bytes.</summary>
    private static bool TryTake(scoped ref ReadOnlySpan<byte> from, int head, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (from.Length < head) return false;
        int length = head == 1 ? from[0] : BinaryPrimitives.ReadUInt16BigEndian(from);
        if (length > from.Length - head) return false;
        taken = from.Slice(head, length);
        from = from[(head + length)..];
        return true;
    }
}
