using System.Buffers.Binary;
using System.Net;

namespace Lb.Health;

/// <summary>The bytes of SOCKS4 (the protocol's memo of 1992: CONNECT and its answer). Pure.</summary>
internal static class Socks4Wire
{
    public const int ReplyLength = 8;

    /// <summary>Asks for a connection. The user is who we are, for the proxy's log.</summary>
    public static byte[] Request(IPEndPoint target)
    {
        byte[] request = [4, 1, 0, 0, .. target.Address.GetAddressBytes(), .. "Lb\0"u8];
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(2), (ushort)target.Port);
        return request;
    }

    /// <summary>What is wrong with an answer, or null.</summary>
    public static string? Judge(ReadOnlySpan<byte> reply) => reply switch
    {
        [0, 90, ..] => null,
        [0, 91, ..] => "the SOCKS proxy refused, or could not connect",
        [0, 92 or 93, ..] => "the SOCKS proxy wants to know the user",
        _ => "no SOCKS4 proxy",
    };
}
