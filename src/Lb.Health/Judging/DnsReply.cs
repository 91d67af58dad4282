using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Lb.Health;

/// <summary>An answer of a name server, read strictly: header, question and answer section (RFC 1035, 4.1). Pure.</summary>
/// <param name="Rcode">The answer's code.</param>
/// <param name="IsTruncated">True when not all of it fitted in a datagram.</param>
/// <param name="Records">What the records of the type asked for say: an address, a name, a text, or nothing.</param>
internal sealed record DnsReply(int Rcode, bool IsTruncated, IReadOnlyList<string> Records)
{
    /// <summary>True when a datagram is for the query at all: others, late or forged, are not looked at.</summary>
    public static bool IsFor(ushort id, ReadOnlySpan<byte> packet) => packet.Length >= 2 && BinaryPrimitives.ReadUInt16BigEndian(packet) == id;

    /// <summary>Reads a message that <see cref="IsFor"/> the query.</summary>
    /// <param name="question">What was asked.</param>
    /// <param name="packet">The whole datagram; any bytes.</param>
    /// <param name="reply">What it says.</param>
    /// <param name="error">Why it can't be understood.</param>
    public static bool TryRead(DnsQuestion question, ReadOnlySpan<byte> packet, out DnsReply reply, out string error)
    {
        reply = new DnsReply(0, false, []);
        error = "cut off";
        if (packet.Length < 12) return false;
        int flags = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        int questions = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]), answers = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]);
        error = "not an answer";
        if ((flags & 0x8000) == 0 || (flags & 0x7800) != 0) return false;
        int rcode = flags & 0xF;
        bool isTruncated = (flags & 0x0200) != 0;
        int position = 12;

        // A server that refuses may leave the question out.
        error = "answer to another question";
        if (questions != 1 ? questions != 0 || rcode == 0 : !IsQuestion(question, packet, ref position)) return false;

        List<string> records = [];
        for (int i = 0; i < answers; i++)
        {
            if (TryReadRecord(question, packet, ref position, records)) continue;
            if (isTruncated) break;
            error = "bad record";
            return false;
        }

        reply = new DnsReply(rcode, isTruncated, records);
        error = "";
        return true;
    }

    /// <summary>What is wrong with a reply that can be understood, or null.</summary>
    public string? Judge(DnsQuestion question)
    {
        if (Rcode != question.Rcode) return $"{DnsQuestion.RcodeName(Rcode)}, not {DnsQuestion.RcodeName(question.Rcode)}";
        string truncated = IsTruncated ? " in an answer that was cut off" : "";
        if (Records.Count < question.MinAnswers) return $"{Records.Count} records{truncated}, fewer than {question.MinAnswers}";
        if (question.Answer is null) return null;

        // Names do not care for case, texts do.
        StringComparison comparison = question.Type == DnsQuestion.Txt ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        return Records.Any(r => r.Equals(question.Answer, comparison)) ? null : $"no record is the one expected{truncated}";
    }

    private static bool IsQuestion(DnsQuestion question, ReadOnlySpan<byte> packet, ref int position)
    {
        // Servers keep our spelling or that of their zone.
        int length = question.Name.Length;
        if (packet.Length < position + length + 4 || !Ascii.EqualsIgnoreCase(packet.Slice(position, length), question.Name)) return false;
        position += length;
        bool same = BinaryPrimitives.ReadUInt16BigEndian(packet[position..]) == question.Type && BinaryPrimitives.ReadUInt16BigEndian(packet[(position + 2)..]) == 1;
        position += 4;
        return same;
    }

    private static bool TryReadRecord(DnsQuestion question, ReadOnlySpan<byte> packet, ref int position, List<string> records)
    {
        if (!DnsName.TryRead(packet, ref position, out _) || packet.Length < position + 10) return false;
        int type = BinaryPrimitives.ReadUInt16BigEndian(packet[position..]), @class = BinaryPrimitives.ReadUInt16BigEndian(packet[(position + 2)..]);
        int start = position + 10, end = start + BinaryPrimitives.ReadUInt16BigEndian(packet[(position + 8)..]);
        if (end > packet.Length) return false;
        position = end;
        if (@class != 1 || (type != question.Type && question.Type != DnsQuestion.Any)) return true;
        if (!TryReadData(type, packet[..end], start, out string text)) return false;
        records.Add(text);
        return true;
    }

    // The packet ends with the record, so nothing is read beyond it.
    private static bool TryReadData(int type, ReadOnlySpan<byte> packet, int start, out string text)
    {
        text = "";
        ReadOnlySpan<byte> data = packet[start..];
        switch (type)
        {
            case DnsQuestion.A or DnsQuestion.Aaaa:
                if (data.Length != (type == DnsQuestion.A ? 4 : 16)) return false;
                text = new IPAddress(data).ToString();
                return true;
            case DnsQuestion.Cname or DnsQuestion.Ns or DnsQuestion.Ptr:
                return DnsName.TryRead(packet, ref start, out text) && start == packet.Length;
            case DnsQuestion.Soa:
                return DnsName.TryRead(packet, ref start, out text) && DnsName.TryRead(packet, ref start, out _) && start + 20 == packet.Length;
            case DnsQuestion.Mx:
                start += 2;
                return DnsName.TryRead(packet, ref start, out text) && start == packet.Length;
            case DnsQuestion.Srv:
                start += 6;
                return DnsName.TryRead(packet, ref start, out text) && start == packet.Length;
            case DnsQuestion.Txt:
                List<byte> bytes = [];
                for (; !data.IsEmpty; data = data[(1 + data[0])..])
                {
                    if (data.Length < 1 + data[0]) return false;
                    bytes.AddRange(data.Slice(1, data[0]));
                }

                text = Encoding.UTF8.GetString([.. bytes]);
                return true;
            default:
                return true;
        }
    }
}
