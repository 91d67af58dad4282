namespace Lb;

/// <summary>
/// A header of the PROXY protocol, version 1 or 2, as a proxy puts it before everything else to tell who its client is (haproxy.org, proxy-protocol.txt).
/// It lives in the bytes it was read from. Pure; allocates nothing.
/// </summary>
public readonly ref struct ProxyHeader
{
    /// <summary>Most bytes of a header of version 1, its end of line among them: 107.</summary>
    public const int MaxLineLength = 107;

    /// <summary>Most bytes of a header of version 2 that is taken: 4096. The specification would allow 65 551 and advises 536.</summary>
    public const int MaxLength = 4096;

    internal ProxyHeader(int length, int version, bool isLocal = false, ProxyFamily family = ProxyFamily.Unspecified, PeerAddress source = default, PeerAddress destination = default, ProxyTlvs tlvs = default)
    {
        Length = length;
        Version = version;
        IsLocal = isLocal;
        Family = family;
        Source = source;
        Destination = destination;
        Tlvs = tlvs;
    }

    /// <summary>Bytes that it takes; what follows is the client's.</summary>
    public int Length { get; }

    /// <summary>1 or 2; 0 in the default value.</summary>
    public int Version { get; }

    /// <summary>True for the command LOCAL of version 2: the sender's own connection, a health check for example. The real addresses hold.</summary>
    public bool IsLocal { get; }

    /// <summary>What the addresses are of.</summary>
    public ProxyFamily Family { get; }

    /// <summary>The client; empty when none is announced, and then the real addresses hold.</summary>
    public PeerAddress Source { get; }

    /// <summary>The address that the client connected to; empty when none is announced.</summary>
    public PeerAddress Destination { get; }

    /// <summary>The values behind the addresses of version 2. None of LOCAL and of unspecified families: where theirs begin is not said.</summary>
    public ProxyTlvs Tlvs { get; }

    /// <summary>
    /// Reads the header that a connection begins with. Once the answer is not <see cref="ProxyHeaderResult.NeedMore"/> further bytes don't change it. Never
    /// throws.
    /// </summary>
    /// <param name="data">All bytes of the connection so far, from its first.</param>
    /// <param name="header">The header, when the answer is <see cref="ProxyHeaderResult.Done"/>.</param>
    /// <returns>Whether it is whole, not yet, or why it is refused.</returns>
    public static ProxyHeaderResult Read(ReadOnlySpan<byte> data, out ProxyHeader header)
    {
        header = default;
        if (data.IsEmpty) return ProxyHeaderResult.NeedMore;
        return data[0] == 'P' ? ProxyLine.Read(data, out header) : ProxyBlock.Read(data, out header);
    }
}
