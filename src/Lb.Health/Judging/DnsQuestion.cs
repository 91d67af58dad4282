using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Lb.Health;

/// <summary>The question of a <c>dns</c> check and what its answer must be. Immutable; pure.</summary>
/// <param name="Name">The name as written on the wire.</param>
/// <param name="Type">Type of the records.</param>
/// <param name="Rcode">The code that passes.</param>
/// <param name="MinAnswers">Fewest records of the type.</param>
/// <param name="Answer">What one record must say, in the form of <see cref="DnsReply"/>; null: anything.</param>
internal sealed record DnsQuestion(byte[] Name, ushort Type, int Rcode, int MinAnswers, string? Answer)
{
    public const ushort A = 1, Ns = 2, Cname = 5, Soa = 6, Ptr = 12, Mx = 15, Txt = 16, Aaaa = 28, Srv = 33, Any = 255;

    private static readonly Dictionary<string, ushort> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        ["A"] = A, ["NS"] = Ns, ["CNAME"] = Cname, ["SOA"] = Soa, ["PTR"] = Ptr, ["MX"] = Mx, ["TXT"] = Txt, ["AAAA"] = Aaaa, ["SRV"] = Srv, ["CAA"] = 257, ["ANY"] = Any,
    };

    private static readonly string[] Rcodes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

    /// <summary>The name of a code, or its number.</summary>
    public static string RcodeName(int code) => code < Rcodes.Length ? Rcodes[code] : string.Create(CultureInfo.InvariantCulture, $"code {code}");

    /// <summary>Reads the options; faults are added to <paramref name="errors"/>.</summary>
    public static bool TryRead(string path, CheckDnsOptions options, ICollection<ConfigurationError> errors, [NotNullWhen(true)] out DnsQuestion? question)
    {
        int before = errors.Count;
        if (!DnsName.TryEncode(options.Name, out byte[] name) && options.Name.Length > 0)
            errors.Add(new($"{path}:Dns:Name", CheckRules.Printable(options.Name), "must be a domain name: labels of 1 to 63 visible characters, 253 in all"));
        if (!Types.TryGetValue(options.Type, out ushort type) && (!ushort.TryParse(options.Type, NumberStyles.None, CultureInfo.InvariantCulture, out type) || type == 0))
            errors.Add(new($"{path}:Dns:Type", CheckRules.Printable(options.Type), $"must be one of {string.Join(", ", Types.Keys.Order(StringComparer.Ordinal))}, or a number from 1 to 65535"));
        int rcode = Array.FindIndex(Rcodes, r => r.Equals(options.Rcode, StringComparison.OrdinalIgnoreCase));
        if (rcode < 0 && (!int.TryParse(options.Rcode, NumberStyles.None, CultureInfo.InvariantCulture, out rcode) || rcode > 15))
            errors.Add(new($"{path}:Dns:Rcode", CheckRules.Printable(options.Rcode), $"must be one of {string.Join(", ", Rcodes)}, or a number from 0 to 15"));
        string? answer = null;
        if (options.Answer is { } wanted && !TryReadAnswer(type, wanted, out answer, out string? error)) errors.Add(new($"{path}:Dns:Answer", CheckRules.Printable(wanted), error));
        question = errors.Count == before ? new DnsQuestion(name, type, rcode, options.MinAnswers, answer) : null;
        return question is not null;
    }

    /// <summary>Writes the query: one question, recursion desired (RFC 1035, 4.1).</summary>
    public byte[] Write(ushort id)
    {
        byte[] packet = new byte[12 + Name.Length + 4];
        BinaryPrimitives.WriteUInt16BigEndian(packet, id);
        packet[2] = 1;
        packet[5] = 1;
        Name.CopyTo(packet, 12);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(12 + Name.Length), Type);
        packet[^1] = 1;
        return packet;
    }

    private static bool TryReadAnswer(ushort type, string text, [NotNullWhen(true)] out string? answer, [NotNullWhen(false)] out string? error)
    {
        answer = null;
        error = null;
        switch (type)
        {
            case A or Aaaa:
                AddressFamily family = type == A ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
                if (IPAddress.TryParse(text, out IPAddress? address) && address.AddressFamily == family) answer = address.ToString();
                else error = $"must be an IPv{(type == A ? 4 : 6)} address";
                break;
            case Cname or Mx or Ns or Ptr or Soa or Srv:
                int position = 0;
                if (DnsName.TryEncode(text, out byte[] name) && DnsName.TryRead(name, ref position, out answer)) break;
                error = "must be a domain name";
                break;
            case Txt:
                answer = text;
                break;
            default:
                error = "can be given for A, AAAA, CNAME, MX, NS, PTR, SOA, SRV and TXT";
                break;
        }

        return answer is not null;
    }
}
