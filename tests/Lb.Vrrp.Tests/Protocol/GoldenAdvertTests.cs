namespace Lb.Vrrp.Tests;

/// <summary>Adverts of a real keepalived 2.2.7, captured by tests/Golden/vrrp/make.py: read as it means them, and written byte for byte as it does.</summary>
[Trait("Row", "V1")]
[Trait("Point", "7")]
[Trait("Point", "8")]
[Trait("Point", "9")]
public sealed class GoldenAdvertTests
{
    private static readonly byte[] Addresses4 = Wire.Bytes("10.77.0.200", "10.77.0.201");
    private static readonly byte[] Addresses6 = Wire.Bytes("fe80::200", "2001:db8:77::200");

    // What the configurations in keepalived.txt say.
    private static readonly Dictionary<string, (int Version, byte Id, byte Priority, int Milliseconds, string? Password)> Configured = new(StringComparer.Ordinal)
    {
        ["v2"] = (2, 51, 150, 1000, null),
        ["v2-pass"] = (2, 52, 150, 1000, "secret12"),
        ["v3-ipv4"] = (3, 53, 200, 100, null),
        ["v3-ipv6"] = (3, 55, 254, 250, null),
        ["v3-unicast"] = (3, 56, 120, 100, null),
    };

    public static TheoryData<string, string, string, int, string> Lines
    {
        get
        {
            TheoryData<string, string, string, int, string> lines = [];
            foreach (string line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Golden", "vrrp", "keepalived.txt")))
            {
                if (line.Split(' ') is [var name, var source, var destination, var ttl, var hex] && name != "#") lines.Add(name, source, destination, int.Parse(ttl), hex);
            }

            return lines;
        }
    }

    [Fact]
    public void Every_case_was_captured_with_its_resignation() => Assert.Equal(2 * Configured.Count, Lines.Count);

    [Theory]
    [MemberData(nameof(Lines))]
    public void What_keepalived_sends_is_read(string name, string source, string destination, int ttl, string hex)
    {
        var (version, id, priority, milliseconds, password) = Configured[name];
        bool isV6 = source.Contains(':', StringComparison.Ordinal);
        ReceiveRules rules = new()
        {
            Version = version,
            RouterId = id,
            IsV6 = isV6,
            Interval = TimeSpan.FromMilliseconds(milliseconds),
            Addresses = isV6 ? Addresses6 : Addresses4,
            CheckAddresses = true,
            Group = name == "v3-unicast" ? default : Wire.Ip(destination),
            Peers = name == "v3-unicast" ? [Wire.Ip(source)] : null,
            Authentication = Authentication(password),
        };
        byte[] message = Convert.FromHexString(hex);
        ReceiveFault fault = VrrpReader.Read(message, Wire.From(source, destination, ttl), rules, Wire.Utc, out VrrpAdvertisement advert);

        Assert.Equal(ReceiveFault.None, fault);
        Assert.Equal((version, (int)id, 2, rules.Interval), (advert.Version, advert.RouterId, advert.AddressCount, advert.Interval));
        Assert.Contains(advert.Priority, new[] { priority, (byte)0 });
        Assert.Equal(version == 2 ? VrrpChecksumForm.Message : VrrpChecksumForm.PseudoHeader, advert.Checksum);
        Assert.Equal(ReceiveWarning.None, advert.Warnings);

        // One bit of it changed anywhere in the addresses or the header is seen by the checksum alone.
        message[^9] ^= 1;
        Assert.Equal(ReceiveFault.Checksum, VrrpReader.Read(message, Wire.From(source, destination, ttl), rules, Wire.Utc, out _));
    }

    [Theory]
    [MemberData(nameof(Lines))]
    [Trait("Point", "13")]
    [Trait("Point", "27")]
    public void What_keepalived_sends_is_written(string name, string source, string destination, int ttl, string hex)
    {
        Assert.Equal(255, ttl);
        var (version, id, _, milliseconds, password) = Configured[name];
        bool isV6 = source.Contains(':', StringComparison.Ordinal);
        VrrpWriter writer = new(version, id, TimeSpan.FromMilliseconds(milliseconds), isV6 ? Addresses6 : Addresses4, isV6, Authentication(password));
        writer.Use(Wire.Ip(source), Wire.Ip(destination));
        byte[] expected = Convert.FromHexString(hex);
        Assert.Equal(hex, Convert.ToHexStringLower(writer.Write(expected[2], Wire.Utc)));
    }

    [Fact]
    public void A_checksum_is_carried_over_to_another_destination()
    {
        VrrpWriter writer = new(3, 56, TimeSpan.FromMilliseconds(100), Addresses4, isV6: false, authentication: null);
        writer.Use(Wire.Ip("10.77.0.1"), Wire.Ip("10.77.0.9"));
        byte[] carried = writer.Write(120, Wire.Utc).ToArray();
        PeerChecksum.Readdress(carried, Wire.Ip("10.77.0.9"), Wire.Ip("10.77.0.2"));
        Assert.Equal(0x2B73, (carried[6] << 8) | carried[7]); // keepalived's to 10.77.0.2: case v3-unicast
    }

    private static VrrpAuthentication? Authentication(string? password)
        => password is null ? null : VrrpAuthentication.Pass(System.Text.Encoding.ASCII.GetBytes(password));
}
