using System.Buffers.Binary;

namespace Lb;

/// <summary>
/// The connection request that a Remote Desktop client sends first: TPKT (RFC 1006), X.224, and mostly a cookie ([MS-RDPBCGR] 2.2.1.1). Pure; never throws,
/// allocates nothing.
/// </summary>
public static class RdpRequest
{
    /// <summary>Most bytes of a request: its length must fit in the one byte of X.224.</summary>
    public const int MaxLength = TpktLength + 1 + 254;

    private const int TpktLength = 4, HeadLength = 11;

    /// <summary>Finds out whether a connection begins with a request. Once the answer is not <see cref="RdpRequestResult.NeedMore"/> further bytes don't change it.</summary>
    /// <param name="data">All bytes of the connection so far, from its first.</param>
    /// <param name="length">Bytes of the request, when the answer is <see cref="RdpRequestResult.Done"/>; else 0.</param>
    public static RdpRequestResult Read(ReadOnlySpan<byte> data, out int length)
    {
        // TPKT: version 3, reserved, length of the whole. X.224: its length without this byte, connection request, destination 0, source, class 0.
        length = 0;
        if (data.Length > 0 && data[0] != 3) return RdpRequestResult.NotRdp;
        int whole = data.Length < TpktLength ? MaxLength : BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        if (whole is < HeadLength or > MaxLength) return RdpRequestResult.NotRdp;
        if (data.Length > 4 && data[4] != whole - TpktLength - 1) return RdpRequestResult.NotRdp;
        if (data.Length > 5 && data[5] != 0xE0) return RdpRequestResult.NotRdp;
        if ((data.Length > 6 && data[6] != 0) || (data.Length > 7 && data[7] != 0) || (data.Length > 10 && data[10] != 0)) return RdpRequestResult.NotRdp;
        if (data.Length < TpktLength || data.Length < whole) return RdpRequestResult.NeedMore;
        length = whole;
        return RdpRequestResult.Done;
    }

    /// <summary>The value of the request's cookie: what stands between <c>Cookie: name=</c> and the end of the line.</summary>
    /// <param name="data">Bytes that begin with a request.</param>
    /// <param name="name">Its name in ASCII, <c>mstshash</c> (the user) or <c>msts</c> (the server); compared without regard to case.</param>
    /// <param name="value">The value; never empty when there is one.</param>
    /// <returns>False when it is no request, or has no such cookie.</returns>
    public static bool TryGetCookie(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (Read(data, out int length) != RdpRequestResult.Done) return false;
        ReadOnlySpan<byte> rest = data[HeadLength..length], start = "Cookie: "u8;
        if (!rest.StartsWith(start)) return false;
        rest = rest[start.Length..];
        if (rest.Length <= name.Length || !System.Text.Ascii.EqualsIgnoreCase(rest[..name.Length], name) || rest[name.Length] != '=') return false;
        rest = rest[(name.Length + 1)..];
        int end = rest.IndexOf("\r\n"u8);
        if (end <= 0) return false;
        value = rest[..end];
        return true;
    }

    /// <summary>
    /// Reads the server that a cookie <c>msts</c> names, as a session broker hands it out: <c>3640205228.15629.0000</c> is 172.31.249.216:3389. Its numbers
    /// are address and port in network order, read as little-endian ones. IPv4 only.
    /// </summary>
    /// <param name="value">The cookie's value.</param>
    /// <param name="server">The server.</param>
    /// <returns>False when it names none.</returns>
    public static bool TryGetServer(ReadOnlySpan<byte> value, out PeerAddress server)
    {
        server = default;
        int first = value.IndexOf((byte)'.'), second = first < 0 ? -1 : value[(first + 1)..].IndexOf((byte)'.');
        if (second < 0 || !AddressText.TryReadNumber(value[..first], uint.MaxValue, out uint address) || !AddressText.TryReadNumber(value.Slice(first + 1, second), ushort.MaxValue, out uint port)) return false;
        server = PeerAddress.FromV4(BinaryPrimitives.ReverseEndianness(address), BinaryPrimitives.ReverseEndianness((ushort)port));
        return true;
    }
}

/// <summary>What <see cref="RdpRequest.Read"/> made of the first bytes of a connection.</summary>
public enum RdpRequestResult
{
    /// <summary>A whole request.</summary>
    Done,

    /// <summary>The beginning of one; more bytes decide.</summary>
    NeedMore,

    /// <summary>Something else.</summary>
    NotRdp,
}
