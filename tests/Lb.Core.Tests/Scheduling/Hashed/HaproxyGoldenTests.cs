using System.Globalization;
using System.Text;

namespace Lb.Core.Tests;

/// <summary>The picks of a real HAProxy (tests/Golden/haproxy/make.py) for every hash-type, function and modifier.</summary>
public class HaproxyGoldenTests
{
    private static readonly string[] Lines = [.. File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Golden", "haproxy", "picks.csv")).Where(l => !l.StartsWith('#'))];

    public static TheoryData<string> Variants => [.. Lines.Select(l => l.Split(',')[0]).Distinct()];

    [Theory]
    [MemberData(nameof(Variants))]
    [Trait("Row", "S10")]
    [Trait("Row", "S11")]
    [Trait("Row", "S12")]
    [Trait("Row", "S17")]
    public void PicksWhatHaproxyPicks(string variant)
    {
        string[] words = variant.Split('|');
        HashOptions options = new(
            Consistent: words[0] == "consistent",
            Function: Enum.Parse<HashFunction>(words[1], ignoreCase: true),
            Avalanche: words[2] == "avalanche");
        ISchedulingPolicy policy = words[3] switch
        {
            "uri" => KeyedHash.ByUri(options: options),
            "uri whole" => KeyedHash.ByUri(whole: true, options: options),
            "uri len 8" => KeyedHash.ByUri(length: 8, options: options),
            "uri depth 2" => KeyedHash.ByUri(depth: 2, options: options),
            "url_param user" => KeyedHash.ByParameter("user", options: options),
            "hdr(X-Key)" => KeyedHash.ByHeader("X-Key", options: options),
            "hdr(Host) use_domain_only" => KeyedHash.ByHeader("Host", useDomainOnly: true, options: options),
            _ => throw new InvalidOperationException($"The golden file has a balance that the test does not know: {words[3]}"),
        };
        PoolOptions pool = new() { Policy = () => policy };
        int number = 0;
        foreach (int weight in (int[])[1, 2, 3, 1, 5])
        {
            number++;
            pool.Servers.Add(new ServerOptions { Name = $"s{number}", Address = $"127.0.0.1:{21000 + number}", Weight = weight });
        }

        ServerPool servers = new("golden", pool);
        List<string> wrong = [];
        int at = 0;
        foreach (string line in Lines.Where(l => l.StartsWith(variant + ",", StringComparison.Ordinal)))
        {
            string[] fields = line.Split(',');
            PickContext context = new() { Request = new Request(fields[1], at++) };
            Assert.True(servers.TryPick(in context, out ServerLease lease, out _));
            lease.Complete(LeaseOutcome.Success);
            if (lease.Server.Name != fields[2]) wrong.Add($"{fields[1]}: HAProxy {fields[2]}, Lb {lease.Server.Name}");
        }

        Assert.Equal(40, at);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private sealed class Request(string target, int number) : IPickRequest
    {
        private readonly byte[] _target = Encoding.ASCII.GetBytes(target);
        private readonly byte[] _key = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"user-{number}"));
        private readonly byte[] _host = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"www.shop{number}.example"));

        public ReadOnlySpan<byte> Target => _target;

        public ReadOnlySpan<byte> Body => default;

        public ReadOnlySpan<byte> FirstBytes => default;

        public bool TryGetHeader(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
        {
            value = name.SequenceEqual("X-Key"u8) ? _key : name.SequenceEqual("Host"u8) ? _host : default;
            return !value.IsEmpty;
        }
    }
}
