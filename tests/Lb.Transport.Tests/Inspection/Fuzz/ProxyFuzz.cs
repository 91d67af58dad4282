using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Lb.Transport.Tests;

/// <summary>PROXY headers of both versions. The judge of lines is a regular expression and the framework's parser of addresses.</summary>
internal sealed partial class ProxyFuzz() : FuzzTarget("proxy")
{
    private const string Signature = "\r\n\r\n\0\r\nQUIT\n";

    protected override byte[][] Seeds { get; } =
    [
        .. ((string[])
        [
            "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET /", "PROXY TCP6 2001:db8::1 fe80:0:0:1:2:3:4:5 1 65535\r\n", "PROXY TCP6 ::ffff:1.2.3.4 1:2:3:4:5:6:7:: 0 0\r\n",
            "PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        ]).Select(Encoding.Latin1.GetBytes),
        Block(0x21, 0x11, "c0000201c000020bdc0401bb"),
        Block(0x21, 0x21, "20010db800000000000000000000000120010db8000000000000000000000002dc0401bb"),
        Block(0x21, 0x11, "c0000201c000020bdc0401bb" + "010002" + "6832" + "020005" + "612e636f6d" + "0500020102" + "03000400000000", withSum: true),
        Block(0x21, 0x12, "c0000201c000020bdc0401bb" + "20000d0100000000" + "210005544c537631" + "03000400000000", withSum: true),
        Block(0x21, 0x31, new string('0', 432) + "040000"),
        Block(0x20, 0x00, ""),
        Block(0x21, 0x00, "ff"),
    ];

    protected override int Read(ReadOnlySpan<byte> data)
    {
        ProxyHeaderResult result = ProxyHeader.Read(data, out ProxyHeader header);
        return result switch { ProxyHeaderResult.Done => header.Length, ProxyHeaderResult.NeedMore => NeedMore, _ => -10 };
    }

    protected override int Judge(byte[] data)
    {
        string text = Encoding.Latin1.GetString(data);
        if (data.Length == 0) return NeedMore;
        if (text[0] == 'P') return JudgeLine(text);
        if (!text.StartsWith(Signature, StringComparison.Ordinal)) return Signature.StartsWith(text, StringComparison.Ordinal) ? NeedMore : -10;
        return JudgeBlock(data);
    }

    protected override (string Ours, string Judges) Describe(byte[] data)
    {
        ProxyHeader.Read(data, out ProxyHeader header);
        string ours = $"{header.Source} {header.Destination}";
        if (data[0] == 'P')
        {
            string[] words = Encoding.Latin1.GetString(data, 0, header.Length - 2).Split(' ');
            return (ours, words[1].StartsWith("TCP", StringComparison.Ordinal) ? $"{Written(words[2], words[4])} {Written(words[3], words[5])}" : "- -");
        }

        int each = data[13] switch { 0x11 or 0x12 => 4, 0x21 or 0x22 => 16, _ => 0 };
        return (ours, data[12] == 0x21 && each > 0 ? $"{Point(each, 0)} {Point(each, 1)}" : "- -");

        string Point(int length, int index)
        {
            int port = 16 + (2 * length) + (2 * index);
            return Text(new IPAddress(data.AsSpan(16 + (index * length), length)), (data[port] << 8) + data[port + 1]);
        }

        static string Written(string address, string port) => Text(IPAddress.Parse(address), int.Parse(port, CultureInfo.InvariantCulture));

        static string Text(IPAddress address, int port) => new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port).ToString();
    }

    protected override void Repair(Random random, Span<byte> data)
    {
        if (data.Length < 16 || data[0] != '\r') return;
        if (random.Next(2) == 0) (data[14], data[15]) = ((byte)((data.Length - 16) >> 8), (byte)(data.Length - 16));
        byte[] copy = data.ToArray();
        int at = ChecksumAt(copy);
        if (at < 0) return;
        copy.AsSpan(at, 4).Clear();
        uint sum = Sum(copy.AsSpan(0, Math.Min(copy.Length, 16 + (copy[14] << 8) + copy[15])));
        for (int i = 0; i < 4; i++) data[at + i] = (byte)(sum >> (24 - (8 * i)));
    }

    private static int JudgeLine(string text)
    {
        const string start = "PROXY ";
        if (!text.StartsWith(start, StringComparison.Ordinal)) return start.StartsWith(text, StringComparison.Ordinal) ? NeedMore : -10;
        string head = text[..Math.Min(107, text.Length)];
        int end = head.IndexOfAny(['\r', '\n']);
        if (end < 0 || (head[end] == '\r' && end + 1 == head.Length)) return head.Length == 107 ? -10 : NeedMore;
        if (!head[end..].StartsWith("\r\n", StringComparison.Ordinal)) return -10;
        string line = head[..end];
        if (Unknown().IsMatch(line)) return end + 2;
        Match match = Line().Match(line);
        if (!match.Success || !IsPort(match.Groups[4].Value) || !IsPort(match.Groups[5].Value)) return -10;
        return IsAddress(match.Groups[2].Value, match.Groups[1].Value == "6") && IsAddress(match.Groups[3].Value, match.Groups[1].Value == "6") ? end + 2 : -10;

        static bool IsPort(string text) => int.Parse(text, CultureInfo.InvariantCulture) <= 65535;

        static bool IsAddress(string text, bool isV6)
        {
            if (!isV6) return Four().IsMatch(text) && text.Split('.').All(static n => int.Parse(n, CultureInfo.InvariantCulture) < 256);
            return Six().IsMatch(text) && IPAddress.TryParse(text, out _) && (!text.Contains('.', StringComparison.Ordinal) || IsAddress(text[(text.LastIndexOf(':') + 1)..], isV6: false));
        }
    }

    private static int JudgeBlock(byte[] data)
    {
        if (data.Length < 13) return NeedMore;
        if (data[12] is not (0x20 or 0x21)) return -10;
        if (data.Length < 14) return NeedMore;
        bool isProxy = data[12] == 0x21;
        if (isProxy && (data[13] >= 0x40 || (data[13] & 15) >= 3)) return -10;
        if (data.Length < 16) return NeedMore;
        int whole = 16 + (data[14] << 8) + data[15];
        if (whole > 4096) return -10;
        int addresses = !isProxy ? 0 : data[13] switch { 0x11 or 0x12 => 12, 0x21 or 0x22 => 36, 0x31 or 0x32 => 216, _ => 0 };
        if (whole - 16 < addresses) return -10;
        if (data.Length < whole) return NeedMore;
        if (addresses == 0) return whole;
        try
        {
            int sums = 0;
            foreach ((int type, byte[] value) in Values(data[(16 + addresses)..whole]))
            {
                if (type == 3 && (value.Length != 4 || ++sums > 1)) return -10;
                if (type == 5 && value.Length > 128) return -10;
                if (type == 0x20) _ = Values(value[5..]).Count();
            }

            int at = ChecksumAt(data);
            if (at < 0) return whole;
            byte[] copy = data[..whole];
            copy.AsSpan(at, 4).Clear();
            byte[] sum = BitConverter.GetBytes(Sum(copy)).Reverse().ToArray();
            return sum.AsSpan().SequenceEqual(data.AsSpan(at, 4)) ? whole : -10;
        }
        catch (ArgumentOutOfRangeException)
        {
            return -10;
        }
    }

    private static IEnumerable<(int Type, byte[] Value)> Values(byte[] bytes)
    {
        while (bytes.Length > 0)
        {
            if (bytes.Length < 3) throw new ArgumentOutOfRangeException(nameof(bytes));
            int length = (bytes[1] << 8) + bytes[2];
            if (bytes.Length < 3 + length) throw new ArgumentOutOfRangeException(nameof(bytes));
            yield return (bytes[0], bytes[3..(3 + length)]);
            bytes = bytes[(3 + length)..];
        }
    }

    // Of the first checksum of a block that has room for it; -1 = none.
    private static int ChecksumAt(byte[] data)
    {
        int at = 16 + data[13] switch { 0x11 or 0x12 => 12, 0x21 or 0x22 => 36, 0x31 or 0x32 => 216, _ => data.Length };
        int end = Math.Min(data.Length, 16 + (data[14] << 8) + data[15]);
        while (at + 3 <= end)
        {
            int length = (data[at + 1] << 8) + data[at + 2];
            if (data[at] == 3 && length == 4) return at + 7 <= end ? at + 3 : -1;
            at += 3 + length;
        }

        return -1;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }

        return ~crc;
    }

    private static byte[] Block(byte command, byte family, string hex, bool withSum = false)
    {
        byte[] rest = Convert.FromHexString(hex);
        byte[] block = [.. Encoding.Latin1.GetBytes(Signature), command, family, (byte)(rest.Length >> 8), (byte)rest.Length, .. rest];
        if (!withSum) return block;
        uint sum = Sum(block);
        for (int i = 0; i < 4; i++) block[^(4 - i)] = (byte)(sum >> (24 - (8 * i)));
        return block;
    }

    [GeneratedRegex(@"\APROXY UNKNOWN( .*)?\z", RegexOptions.Singleline)]
    private static partial Regex Unknown();

    [GeneratedRegex(@"\APROXY TCP([46]) (\S+) (\S+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})\z", RegexOptions.Singleline)]
    private static partial Regex Line();

    [GeneratedRegex(@"\A((0|[1-9][0-9]{0,2})(\.(?!\z)|\z)){4}\z")]
    private static partial Regex Four();

    [GeneratedRegex(@"\A[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\z")]
    private static partial Regex Six();
}
