namespace Lb;

/// <summary>Version 1 of the PROXY protocol: one line of text, read to the letter of the grammar (proxy-protocol.txt, 2.1). Pure.</summary>
internal static class ProxyLine
{
    private static ReadOnlySpan<byte> Start => "PROXY "u8;

    private static ReadOnlySpan<byte> Unknown => "UNKNOWN"u8;

    public static ProxyHeaderResult Read(ReadOnlySpan<byte> data, out ProxyHeader header)
    {
        header = default;
        int common = data.CommonPrefixLength(Start);
        if (common < Start.Length) return common == data.Length ? ProxyHeaderResult.NeedMore : ProxyHeaderResult.NotProxy;

        // Both characters of the end, in this order, are the first of their kind: a CR or LF alone ends nothing and belongs nowhere.
        ReadOnlySpan<byte> head = data.Length > ProxyHeader.MaxLineLength ? data[..ProxyHeader.MaxLineLength] : data;
        int end = head.IndexOfAny((byte)'\r', (byte)'\n');
        if (end < 0 || (end == head.Length - 1 && head[end] == '\r')) return head.Length == ProxyHeader.MaxLineLength ? ProxyHeaderResult.LineTooLong : ProxyHeaderResult.NeedMore;
        if (head[end] != '\r' || head[end + 1] != '\n') return ProxyHeaderResult.BadLine;
        return ReadFields(head[Start.Length..end], end + 2, out header) ? ProxyHeaderResult.Done : ProxyHeaderResult.BadLine;
    }

    private static bool ReadFields(ReadOnlySpan<byte> fields, int length, out ProxyHeader header)
    {
        header = new ProxyHeader(length, version: 1);
        if (fields.StartsWith(Unknown)) return fields.Length == Unknown.Length || fields[Unknown.Length] == ' ';

        bool isV6 = fields.StartsWith("TCP6 "u8);
        if (!isV6 && !fields.StartsWith("TCP4 "u8)) return false;
        fields = fields[5..];

        Span<byte> source = stackalloc byte[16], destination = stackalloc byte[16];
        int bytes = isV6 ? 16 : 4;
        if (!TryAddress(Next(ref fields), isV6, source) || !TryAddress(Next(ref fields), isV6, destination)) return false;
        if (!AddressText.TryReadNumber(Next(ref fields), 65_535, out uint sourcePort) || !AddressText.TryReadNumber(fields, 65_535, out uint destinationPort)) return false;
        header = new ProxyHeader(
            length,
            version: 1,
            isLocal: false,
            isV6 ? ProxyFamily.Tcp6 : ProxyFamily.Tcp4,
            PeerAddress.FromBytes(source[..bytes], (ushort)sourcePort),
            PeerAddress.FromBytes(destination[..bytes], (ushort)destinationPort));
        return true;
    }

    private static bool TryAddress(ReadOnlySpan<byte> text, bool isV6, Span<byte> bytes) => isV6 ? AddressText.TryReadV6(text, bytes) : AddressText.TryReadV4(text, bytes);

    // Up to the next space, which is passed; a missing one leaves nothing for the fields after it.
    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> fields)
    {
        int space = fields.IndexOf((byte)' ');
        ReadOnlySpan<byte> field = space < 0 ? fields : fields[..space];
        fields = space < 0 ? default : fields[(space + 1)..];
        return field;
    }
}
