namespace Lb;

/// <summary>What <see cref="ProxyHeader.Read"/> made of the first bytes of a connection. Everything after <see cref="NeedMore"/> says why they are refused.</summary>
public enum ProxyHeaderResult
{
    /// <summary>A whole header, which is right.</summary>
    Done,

    /// <summary>The beginning of one; more bytes decide.</summary>
    NeedMore,

    /// <summary>No PROXY header: it begins neither with <c>PROXY </c> nor with the signature of version 2.</summary>
    NotProxy,

    /// <summary>Version 1: the line is not what the grammar allows.</summary>
    BadLine,

    /// <summary>Version 1: no end of the line within its 107 bytes.</summary>
    LineTooLong,

    /// <summary>The signature is right and the version is not 2.</summary>
    BadVersion,

    /// <summary>Version 2: the command is neither LOCAL nor PROXY.</summary>
    BadCommand,

    /// <summary>Version 2: a family or a transport that the specification does not know.</summary>
    BadFamily,

    /// <summary>Version 2: longer than <see cref="ProxyHeader.MaxLength"/>.</summary>
    TooLong,

    /// <summary>Version 2: too short for the addresses of its family.</summary>
    TooShort,

    /// <summary>Version 2: a TLV that does not fit, or whose value has a length that its type does not allow.</summary>
    BadTlv,

    /// <summary>Version 2: the checksum is not that of the header.</summary>
    BadChecksum,
}

/// <summary>Address family and transport as version 2 writes them in one byte; version 1 knows the two of TCP over IP.</summary>
public enum ProxyFamily : byte
{
    /// <summary>Not known, or of no consequence: <c>UNKNOWN</c>, UNSPEC, LOCAL.</summary>
    Unspecified = 0x00,

    /// <summary>TCP over IPv4.</summary>
    Tcp4 = 0x11,

    /// <summary>UDP over IPv4.</summary>
    Udp4 = 0x12,

    /// <summary>TCP over IPv6.</summary>
    Tcp6 = 0x21,

    /// <summary>UDP over IPv6.</summary>
    Udp6 = 0x22,

    /// <summary>A Unix socket of streams; it has no <see cref="PeerAddress"/>.</summary>
    UnixStream = 0x31,

    /// <summary>A Unix socket of datagrams; it has no <see cref="PeerAddress"/>.</summary>
    UnixDatagram = 0x32,
}

/// <summary>Types of the values behind the addresses of version 2 (PP2_TYPE_*). Others may occur and are passed over.</summary>
public enum ProxyTlvType : byte
{
    /// <summary>Protocol chosen above TLS, as <c>h2</c>.</summary>
    Alpn = 0x01,

    /// <summary>The host name that the client asked for: SNI, in UTF-8.</summary>
    Authority = 0x02,

    /// <summary>CRC-32C of the whole header, 4 bytes in network order; checked by the reader.</summary>
    Crc32C = 0x03,

    /// <summary>Padding.</summary>
    Noop = 0x04,

    /// <summary>What tells this connection from all others, up to 128 bytes.</summary>
    UniqueId = 0x05,

    /// <summary>What is known of the client's TLS: see <see cref="ProxyTls"/>.</summary>
    Tls = 0x20,

    /// <summary>Within <see cref="Tls"/>: the version, as <c>TLSv1.3</c>.</summary>
    TlsVersion = 0x21,

    /// <summary>Within <see cref="Tls"/>: the Common Name of the client's certificate.</summary>
    TlsCommonName = 0x22,

    /// <summary>Within <see cref="Tls"/>: the cipher, as <c>ECDHE-RSA-AES128-GCM-SHA256</c>.</summary>
    TlsCipher = 0x23,

    /// <summary>Within <see cref="Tls"/>: how the certificate shown to the client is signed, as <c>RSA-SHA256</c>.</summary>
    TlsSignatureAlgorithm = 0x24,

    /// <summary>Within <see cref="Tls"/>: the key of the certificate shown to the client, as <c>RSA2048</c>.</summary>
    TlsKeyAlgorithm = 0x25,

    /// <summary>Name of the network namespace.</summary>
    NetworkNamespace = 0x30,
}
