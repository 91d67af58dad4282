using System.Text;
using System.Text.RegularExpressions;

namespace Lb.Transport.Tests;

/// <summary>ClientHellos, whole and cut up. The judge takes byte after byte out of the records, then reads the message with a cursor that throws at its end.</summary>
internal sealed partial class ClientHelloFuzz() : FuzzTarget("clienthello")
{
    private readonly byte[] _scratch = new byte[ClientHello.MaxLength];

    protected override byte[][] Seeds { get; } =
    [
        Hello.For("a.example"), Hello.For("www.example.com", "h2", "http/1.1"), Hello.For(null), Hello.For("x.example.", "h2"),
        Hello.Records(Hello.Message("cut.example", ["h2"]), 7), Hello.Records(Hello.Message("cut.example", ["h2"], padding: 900), 300),
        Hello.Records([1, 0, 0, 41, 3, 1, .. new byte[32], 0, 0, 2, 0, 47, 1, 0]),
    ];

    protected override int Read(ReadOnlySpan<byte> data)
    {
        ClientHelloResult result = ClientHello.Read(data, _scratch, out ClientHello hello);
        return result switch
        {
            ClientHelloResult.Done => (hello.ServerName.Length * 1000) + hello.Protocols.Length,
            ClientHelloResult.NeedMore => NeedMore,
            ClientHelloResult.NotTls => -10,
            _ => -11,
        };
    }

    protected override int Judge(byte[] data) => Judge(data, out _);

    protected override (string Ours, string Judges) Describe(byte[] data)
    {
        ClientHello.Read(data, _scratch, out ClientHello hello);
        Judge(data, out string judges);
        return ($"{Encoding.Latin1.GetString(hello.ServerName)} {Convert.ToHexString(hello.Protocols)} {hello.Version:x4}", judges);
    }

    protected override void Repair(Random random, Span<byte> data)
    {
        if (data.Length < 9) return;
        (data[0], data[1], data[3], data[4], data[5]) = (22, 3, (byte)((data.Length - 5) >> 8), (byte)(data.Length - 5), 1);
        (data[6], data[7], data[8]) = (0, (byte)((data.Length - 9) >> 8), (byte)(data.Length - 9));
    }

    private static int Judge(byte[] data, out string found)
    {
        found = "";
        List<byte> message = [];
        int records = 0, inRecord = 0, left = 0;
        for (int i = 0; i < Math.Min(data.Length, 16384); i++)
        {
            if (left == 0)
            {
                // The head of a record.
                if (inRecord == 0 && ++records > 128) return -11;
                if (inRecord == 0 && data[i] != 22) return records == 1 ? -10 : -11;
                if (inRecord == 1 && data[i] != 3) return records == 1 ? -10 : -11;
                if (++inRecord < 5) continue;
                left = (data[i - 1] * 256) + data[i];
                if (left is 0 or > 16384) return -11;
                inRecord = 0;
                if (records == 128 && i + 1 == data.Length) break;
                continue;
            }

            left--;
            message.Add(data[i]);
            if (message[0] != 1) return -10;
            if (message.Count < 4) continue;
            int length = (message[1] * 65536) + (message[2] * 256) + message[3];
            if (length > 16384) return -11;
            if (message.Count < 4 + length)
            {
                // The last record that may be is over, and something is missing.
                if (records == 128 && left == 0) return -11;
                continue;
            }

            try
            {
                return Message(new Cursor([.. message.Skip(4)]), out found);
            }
            catch (FormatException)
            {
                return -11;
            }
        }

        return data.Length >= 16384 ? -11 : NeedMore;
    }

    private static int Message(Cursor all, out string found)
    {
        int version = all.Number(2);
        all.Bytes(32);
        if (all.Sized(1).Length > 32) throw new FormatException();
        if (all.Sized(2) is not { Length: >= 2 } suites || suites.Length % 2 == 1) throw new FormatException();
        if (all.Sized(1).Length == 0) throw new FormatException();
        string name = "";
        byte[] protocols = [];
        if (!all.IsAtEnd)
        {
            Cursor extensions = new(all.Sized(2));
            if (!all.IsAtEnd) throw new FormatException();
            HashSet<int> seen = [];
            for (int count = 1; !extensions.IsAtEnd; count++)
            {
                int type = extensions.Number(2);
                Cursor body = new(extensions.Sized(2));
                if (count > 128 || (type is 0 or 16 or 43 && !seen.Add(type))) throw new FormatException();
                if (type == 0) name = HostOf(body);
                if (type == 16) protocols = Protocols(body);
                if (type == 43) version = Version(body, version);
            }
        }

        found = $"{name} {Convert.ToHexString(protocols)} {version:x4}";
        return (name.Length * 1000) + protocols.Length;
    }

    private static string HostOf(Cursor body)
    {
        Cursor list = new(body.Sized(2));
        if (list.Number(1) != 0) throw new FormatException();
        string name = Encoding.Latin1.GetString(list.Sized(2));
        if (!list.IsAtEnd || !body.IsAtEnd || !HostName().IsMatch(name)) throw new FormatException();
        name = name[^1] == '.' ? name[..^1] : name;
        return name.Length <= 253 ? name : throw new FormatException();
    }

    private static byte[] Protocols(Cursor body)
    {
        byte[] list = body.Sized(2);
        if (list.Length == 0 || !body.IsAtEnd) throw new FormatException();
        Cursor each = new(list);
        while (!each.IsAtEnd)
        {
            if (each.Sized(1).Length == 0) throw new FormatException();
        }

        return list;
    }

    private static int Version(Cursor body, int legacy)
    {
        Cursor list = new(body.Sized(1));
        if (!body.IsAtEnd || list.IsAtEnd) throw new FormatException();
        List<int> offered = [];
        while (!list.IsAtEnd) offered.Add(list.Number(2));
        string[] reserved = ["0a0a", "1a1a", "2a2a", "3a3a", "4a4a", "5a5a", "6a6a", "7a7a", "8a8a", "9a9a", "aaaa", "baba", "caca", "dada", "eaea", "fafa"];
        int highest = offered.Where(v => !reserved.Contains($"{v:x4}")).DefaultIfEmpty(0).Max();
        return highest > 0 ? highest : legacy;
    }

    private sealed class Cursor(byte[] bytes)
    {
        private int _at;

        public bool IsAtEnd => _at == bytes.Length;

        public byte[] Bytes(int count)
        {
            if (count > bytes.Length - _at) throw new FormatException();
            _at += count;
            return bytes[(_at - count).._at];
        }

        public int Number(int size) => Bytes(size).Aggregate(0, static (sum, b) => (sum * 256) + b);

        public byte[] Sized(int size) => Bytes(Number(size));
    }

    [GeneratedRegex(@"\A([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?\z")]
    private static partial Regex HostName();
}
