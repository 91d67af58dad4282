using System.Buffers.Binary;
using System.Numerics;

namespace Lb;

/// <summary>The values behind the addresses of a PROXY header of version 2, each with its type. It lives in the bytes it was read from; allocates nothing.</summary>
public readonly ref struct ProxyTlvs
{
    internal const int HeadLength = 3;
    internal const int MaxUniqueId = 128;
    private const int TlsHeadLength = 5;

    private readonly ReadOnlySpan<byte> _bytes;

    internal ProxyTlvs(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>The first value of a type.</summary>
    /// <param name="type">The type.</param>
    /// <param name="value">The value; empty when there is none.</param>
    /// <returns>False when there is none.</returns>
    public bool TryGet(ProxyTlvType type, out ReadOnlySpan<byte> value)
    {
        foreach (ProxyTlv tlv in this)
        {
            if (tlv.Type != type) continue;
            value = tlv.Value;
            return true;
        }

        value = default;
        return false;
    }

    /// <summary>What is said of the client's TLS.</summary>
    /// <param name="tls">What is said; the default value when nothing is.</param>
    /// <returns>False when nothing is said.</returns>
    public bool TryGetTls(out ProxyTls tls)
    {
        tls = default;
        if (!TryGet(ProxyTlvType.Tls, out ReadOnlySpan<byte> value)) return false;
        ProxyTlvs inner = new(value[TlsHeadLength..]);
        inner.TryGet(ProxyTlvType.TlsVersion, out ReadOnlySpan<byte> version);
        inner.TryGet(ProxyTlvType.TlsCommonName, out ReadOnlySpan<byte> commonName);
        inner.TryGet(ProxyTlvType.TlsCipher, out ReadOnlySpan<byte> cipher);
        inner.TryGet(ProxyTlvType.TlsSignatureAlgorithm, out ReadOnlySpan<byte> signature);
        inner.TryGet(ProxyTlvType.TlsKeyAlgorithm, out ReadOnlySpan<byte> key);
        tls = new ProxyTls
        {
            Client = (ProxyTlsClient)value[0],
            Verify = BinaryPrimitives.ReadUInt32BigEndian(value[1..]),
            Version = version,
            CommonName = commonName,
            Cipher = cipher,
            SignatureAlgorithm = signature,
            KeyAlgorithm = key,
        };
        return true;
    }

    /// <summary>All of them in their order, for <c>foreach</c>.</summary>
    public Enumerator GetEnumerator() => new(_bytes);

    /// <summary>CRC-32C (Castagnoli) of a header whose checksum, 4 bytes at <paramref name="at"/>, counts as zero (RFC 4960, appendix B).</summary>
    internal static uint Checksum(ReadOnlySpan<byte> header, int at)
    {
        uint crc = Add(uint.MaxValue, header[..at]);
        crc = BitOperations.Crc32C(crc, 0u);
        return ~Add(crc, header[(at + 4)..]);

        static uint Add(uint crc, ReadOnlySpan<byte> bytes)
        {
            for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            foreach (byte b in bytes) crc = BitOperations.Crc32C(crc, b);
            return crc;
        }
    }

    /// <summary>Looks whether all that begins at <paramref name="from"/> of a header fits, and its checksum is right.</summary>
    internal static ProxyHeaderResult Check(ReadOnlySpan<byte> header, int from)
    {
        int checksumAt = -1;
        for (int at = from; at < header.Length;)
        {
            if (!TryNext(header[at..], out ProxyTlv tlv, out int length)) return ProxyHeaderResult.BadTlv;
            bool isRight = tlv.Type switch
            {
                ProxyTlvType.Crc32C => tlv.Value.Length == 4 && checksumAt < 0,
                ProxyTlvType.UniqueId => tlv.Value.Length <= MaxUniqueId,
                ProxyTlvType.Tls => tlv.Value.Length >= TlsHeadLength && AllFit(tlv.Value[TlsHeadLength..]),
                _ => true,
            };
            if (!isRight) return ProxyHeaderResult.BadTlv;
            if (tlv.Type == ProxyTlvType.Crc32C) checksumAt = at + HeadLength;
            at += length;
        }

        return checksumAt < 0 || BinaryPrimitives.ReadUInt32BigEndian(header[checksumAt..]) == Checksum(header, checksumAt) ? ProxyHeaderResult.Done : ProxyHeaderResult.BadChecksum;
    }

    private static bool AllFit(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (!TryNext(bytes, out _, out int length)) return false;
            bytes = bytes[length..];
        }

        return true;
    }

    private static bool TryNext(ReadOnlySpan<byte> bytes, out ProxyTlv tlv, out int length)
    {
        tlv = default;
        length = bytes.Length < HeadLength ? int.MaxValue : HeadLength + BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]);
        if (length > bytes.Length) return false;
        tlv = new ProxyTlv((ProxyTlvType)bytes[0], bytes[HeadLength..length]);
        return true;
    }

    /// <summary>Goes through the values. Not thread-safe.</summary>
    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> _rest;

        internal Enumerator(ReadOnlySpan<byte> bytes) => _rest = bytes;

        /// <summary>The value that <see cref="MoveNext"/> went to.</summary>
        public ProxyTlv Current { get; private set; }

        /// <summary>Goes to the next value.</summary>
        /// <returns>False when there is none.</returns>
        public bool MoveNext()
        {
            if (!TryNext(_rest, out ProxyTlv tlv, out int length)) return false;
            Current = tlv;
            _rest = _rest[length..];
            return true;
        }
    }
}

/// <summary>One value of a PROXY header of version 2.</summary>
public readonly ref struct ProxyTlv
{
    internal ProxyTlv(ProxyTlvType type, ReadOnlySpan<byte> value)
    {
        Type = type;
        Value = value;
    }

    /// <summary>Its type, which need not be one of those with a name.</summary>
    public ProxyTlvType Type { get; }

    /// <summary>Its bytes.</summary>
    public ReadOnlySpan<byte> Value { get; }
}

/// <summary>What a PROXY header says of the client's TLS; texts are ASCII (the Common Name UTF-8), and empty when nothing is said.</summary>
public readonly ref struct ProxyTls
{
    /// <summary>What the client did.</summary>
    public ProxyTlsClient Client { get; init; }

    /// <summary>0: the client showed a certificate and it was found good; anything else: not so.</summary>
    public uint Verify { get; init; }

    /// <summary>The version, as <c>TLSv1.3</c>.</summary>
    public ReadOnlySpan<byte> Version { get; init; }

    /// <summary>The Common Name of the client's certificate.</summary>
    public ReadOnlySpan<byte> CommonName { get; init; }

    /// <summary>The cipher.</summary>
    public ReadOnlySpan<byte> Cipher { get; init; }

    /// <summary>How the certificate shown to the client is signed.</summary>
    public ReadOnlySpan<byte> SignatureAlgorithm { get; init; }

    /// <summary>The key of the certificate shown to the client.</summary>
    public ReadOnlySpan<byte> KeyAlgorithm { get; init; }
}

/// <summary>What the client of a connection over TLS did (PP2_CLIENT_*).</summary>
[Flags]
public enum ProxyTlsClient : byte
{
    /// <summary>No TLS.</summary>
    None = 0,

    /// <summary>It came over TLS.</summary>
    Tls = 1,

    /// <summary>It showed a certificate on this connection.</summary>
    CertificateOnConnection = 2,

    /// <summary>It has shown a certificate in this TLS session, now or before.</summary>
    CertificateInSession = 4,
}
