namespace Lb.Vrrp.Tests;

/// <summary>Every check of RFC 9568 7.1 and RFC 3768 7.1 has its own answer.</summary>
[Trait("Row", "V1")]
[Trait("Row", "V32")]
public sealed class ReceiveFaultTests
{
    private static readonly byte[] Ours = Wire.Bytes("10.77.0.200", "10.77.0.201");

    private static byte[] Good => Wire.Version3(51, 100, 100, Ours);

    private static byte[] Good2 => Wire.Version2(51, 100, 1, Ours);

    [Theory]
    [InlineData(255, ReceiveFault.None)]
    [InlineData(-1, ReceiveFault.None)]
    [InlineData(254, ReceiveFault.TimeToLive)]
    [InlineData(1, ReceiveFault.TimeToLive)]
    [InlineData(0, ReceiveFault.TimeToLive)]
    [Trait("Point", "1")]
    public void The_TTL_must_be_255(int ttl, ReceiveFault expected)
        => Assert.Equal(expected, Wire.Read(Good, Wire.Rules(), Wire.From("10.77.0.1", ttl: ttl), out _));

    [Fact]
    [Trait("Point", "2")]
    public void The_hop_limit_must_be_255()
    {
        ReceiveRules rules = new() { RouterId = 51, IsV6 = true, Interval = TimeSpan.FromSeconds(1), Group = Wire.Ip("ff02::12") };
        Assert.Equal(ReceiveFault.TimeToLive, Wire.Read(Good, rules, Wire.From("fe80::1", "ff02::12", 64), out _));
    }

    [Theory]
    [InlineData(3, false, 0x21, ReceiveFault.Version)]
    [InlineData(2, false, 0x31, ReceiveFault.Version)]
    [InlineData(3, true, 0x41, ReceiveFault.Version)]
    [InlineData(3, false, 0x01, ReceiveFault.Version)]
    [Trait("Point", "3")]
    public void Another_version_is_dropped(int version, bool also, byte first, ReceiveFault expected)
    {
        byte[] message = Good;
        message[0] = first;
        Assert.Equal(expected, Wire.Read(Wire.Summed(message), Wire.Rules(version, alsoVersion2: also), null, out _));
    }

    [Theory]
    [InlineData(0x30)]
    [InlineData(0x32)]
    [InlineData(0x3F)]
    [Trait("Point", "4")]
    public void What_is_no_advert_is_dropped(byte first)
    {
        byte[] message = Good;
        message[0] = first;
        Assert.Equal(ReceiveFault.Type, Wire.Read(Wire.Summed(message), Wire.Rules(), null, out _));
    }

    [Fact]
    [Trait("Point", "5")]
    public void The_length_must_be_exact()
    {
        foreach (byte[] good in new[] { Good, Good2 })
        {
            ReceiveRules rules = Wire.Rules(good[0] >> 4);
            Assert.Equal(ReceiveFault.None, Wire.Read(good, rules, null, out _));
            for (int length = 0; length < good.Length; length++) Assert.Equal(ReceiveFault.LengthShort, Wire.Read(good[..length], rules, null, out _));
            for (int more = 1; more < 100; more++) Assert.Equal(ReceiveFault.LengthLong, Wire.Read([.. good, .. new byte[more]], rules, null, out _));
        }
    }

    [Fact]
    [Trait("Point", "6")]
    [Trait("Point", "9")]
    public void Any_changed_bit_behind_the_checks_is_seen_by_the_checksum()
    {
        foreach (byte[] good in new[] { Good, Good2 })
        {
            for (int bit = 4 * 8; bit < good.Length * 8; bit++)
            {
                byte[] message = [.. good];
                message[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.Equal(ReceiveFault.Checksum, Wire.Read(message, Wire.Rules(good[0] >> 4), null, out _));
            }
        }
    }

    [Fact]
    [Trait("Point", "7")]
    public void Both_forms_of_checksum_are_taken_and_strict_takes_one()
    {
        Assert.Equal(ReceiveFault.None, Wire.Read(Good, Wire.Rules(strict: true), null, out VrrpAdvertisement advert));
        Assert.Equal(VrrpChecksumForm.Message, advert.Checksum);

        // keepalived's "v3-ipv4": with the pseudo-header.
        byte[] pseudo = Convert.FromHexString("3135c802000a05b20a4d00c80a4d00c9");
        ReceiveRules Rules(bool strict) => new() { RouterId = 53, Interval = TimeSpan.FromMilliseconds(100), Addresses = Ours, Strict = strict };
        Assert.Equal(ReceiveFault.None, Wire.Read(pseudo, Rules(false), null, out advert));
        Assert.Equal(VrrpChecksumForm.PseudoHeader, advert.Checksum);
        Assert.Equal(ReceiveFault.Checksum, Wire.Read(pseudo, Rules(true), null, out _));
        Assert.Equal(ReceiveFault.Checksum, Wire.Read(pseudo, Rules(false), Wire.From("10.77.0.3"), out _));
    }

    [Fact]
    [Trait("Point", "10")]
    public void Another_routers_advert_is_dropped()
        => Assert.Equal(ReceiveFault.RouterId, Wire.Read(Wire.Version3(52, 100, 100, Ours), Wire.Rules(), null, out _));

    [Fact]
    [Trait("Point", "11")]
    public void An_advert_without_addresses_is_dropped() => Assert.Equal(ReceiveFault.Count, Wire.Read(Wire.Version3(51, 100, 100, []), Wire.Rules(), null, out _));

    [Theory]
    [InlineData(0)]
    [InlineData(0xF000)]
    [Trait("Point", "12")]
    public void An_interval_of_zero_is_dropped(int centiseconds)
        => Assert.Equal(ReceiveFault.IntervalZero, Wire.Read(Wire.Version3(51, 100, centiseconds, Ours), Wire.Rules(), null, out _));

    [Fact]
    [Trait("Point", "13")]
    public void Reserved_bits_are_ignored()
    {
        Assert.Equal(ReceiveFault.None, Wire.Read(Wire.Version3(51, 100, 0xF000 | 100, Ours), Wire.Rules(), null, out VrrpAdvertisement advert));
        Assert.Equal(TimeSpan.FromSeconds(1), advert.Interval);
    }

    [Fact]
    [Trait("Point", "14")]
    public void Another_interval_counts_in_version_3()
    {
        Assert.Equal(ReceiveFault.None, Wire.Read(Wire.Version3(51, 100, 4095, Ours), Wire.Rules(), null, out VrrpAdvertisement advert));
        Assert.Equal((TimeSpan.FromMilliseconds(40_950), ReceiveWarning.Interval), (advert.Interval, advert.Warnings));
    }

    [Theory]
    [InlineData(2, ReceiveFault.IntervalMismatch)]
    [InlineData(0, ReceiveFault.IntervalZero)]
    [Trait("Point", "15")]
    public void Another_interval_is_dropped_in_version_2(byte seconds, ReceiveFault expected)
        => Assert.Equal(expected, Wire.Read(Wire.Version2(51, 100, seconds, Ours), Wire.Rules(2), null, out _));

    [Theory]
    [InlineData(3, null, 100, ReceiveFault.None)]
    [InlineData(3, true, 100, ReceiveFault.AddressList)]
    [InlineData(3, true, 255, ReceiveFault.AddressList)]
    [InlineData(2, null, 100, ReceiveFault.AddressList)]
    [InlineData(2, null, 255, ReceiveFault.None)]
    [InlineData(2, false, 100, ReceiveFault.None)]
    [Trait("Point", "16")]
    public void Other_addresses_are_dropped_or_said(int version, bool? check, byte priority, ReceiveFault expected)
    {
        foreach (byte[] other in new[] { Wire.Bytes("10.77.0.200"), Wire.Bytes("10.77.0.200", "10.77.0.202"), Wire.Bytes("10.77.0.200", "10.77.0.200"), [.. Ours, 10, 77, 0, 202] })
        {
            byte[] message = version == 2 ? Wire.Version2(51, priority, 1, other) : Wire.Version3(51, priority, 100, other);
            Assert.Equal(expected, Wire.Read(message, Wire.Rules(version, check: check), null, out VrrpAdvertisement advert));
            Assert.Equal(expected == ReceiveFault.None ? ReceiveWarning.AddressList : ReceiveWarning.None, advert.Warnings);
        }
    }

    [Fact]
    [Trait("Point", "16")]
    public void The_order_of_addresses_does_not_matter()
    {
        byte[] message = Wire.Version3(51, 100, 100, Wire.Bytes("10.77.0.201", "10.77.0.200"));
        Assert.Equal(ReceiveFault.None, Wire.Read(message, Wire.Rules(check: true), null, out VrrpAdvertisement advert));
        Assert.Equal(ReceiveWarning.None, advert.Warnings);
    }

    [Fact]
    [Trait("Row", "V8")]
    [Trait("Point", "17")]
    public void Type_and_password_must_be_ours()
    {
        VrrpAuthentication ours = VrrpAuthentication.Pass("secret"u8);
        Assert.Equal(ReceiveFault.None, Wire.Read(Wire.Version2(51, 100, 1, Ours, 1, "secret"), Wire.Rules(2, ours), null, out _));
        Assert.Equal(ReceiveFault.AuthenticationPassword, Wire.Read(Wire.Version2(51, 100, 1, Ours, 1, "secreT"), Wire.Rules(2, ours), null, out _));
        Assert.Equal(ReceiveFault.AuthenticationType, Wire.Read(Good2, Wire.Rules(2, ours), null, out _));
        Assert.Equal(ReceiveFault.AuthenticationType, Wire.Read(Wire.Version2(51, 100, 1, Ours, 2), Wire.Rules(2, ours), null, out _));
        Assert.Equal(ReceiveFault.AuthenticationType, Wire.Read(Wire.Version2(51, 100, 1, Ours, 1, "secret"), Wire.Rules(2), null, out _));
    }

    [Fact]
    [Trait("Point", "50")]
    public void Beside_version_3_version_2_is_taken_with_any_interval()
    {
        foreach (byte[] message in new[] { Good, Good2, Wire.Version2(51, 100, 3, Ours) })
        {
            Assert.Equal(ReceiveFault.None, Wire.Read(message, Wire.Rules(alsoVersion2: true), null, out VrrpAdvertisement advert));
            Assert.Equal(message[0] >> 4, advert.Version);
        }
    }

    [Theory]
    [InlineData(10, 1)]
    [InlineData(1000, 1)]
    [InlineData(1010, 2)]
    [InlineData(40_950, 41)]
    [Trait("Point", "27")]
    [Trait("Point", "50")]
    public void Version_2_says_whole_seconds_and_version_3_hundredths(int milliseconds, byte seconds)
    {
        TimeSpan interval = TimeSpan.FromMilliseconds(milliseconds);
        Assert.Equal(seconds, new VrrpWriter(2, 51, interval, Ours, isV6: false, authentication: null).Write(100, Wire.Utc)[5]);
        ReadOnlySpan<byte> message = new VrrpWriter(3, 51, interval, Ours, isV6: false, authentication: null).Write(100, Wire.Utc);
        Assert.Equal(milliseconds / 10, (message[4] << 8) | message[5]);
    }

    [Fact]
    [Trait("Point", "18")]
    public void What_comes_from_this_node_is_ignored() => Assert.Equal(ReceiveFault.OwnSource, Wire.Read(Good, Wire.Rules(), Wire.From("10.77.0.2"), out _));

    [Fact]
    [Trait("Point", "19")]
    public void Multicast_mode_takes_only_what_went_to_the_group()
        => Assert.Equal(ReceiveFault.Destination, Wire.Read(Good, Wire.Rules(), Wire.From("10.77.0.1", "10.77.0.2"), out _));

    [Theory]
    [InlineData("10.77.0.1", "10.77.0.2", 255, ReceiveFault.None)]
    [InlineData("10.77.0.1", "10.77.0.2", 250, ReceiveFault.None)]
    [InlineData("10.77.0.1", "10.77.0.2", 249, ReceiveFault.TimeToLive)]
    [InlineData("10.77.0.9", "10.77.0.2", 255, ReceiveFault.NotAPeer)]
    [InlineData("10.77.0.1", "224.0.0.18", 255, ReceiveFault.Destination)]
    [InlineData("2001:db8::1", "10.77.0.2", 255, ReceiveFault.Family)]
    [Trait("Row", "V12")]
    [Trait("Point", "19")]
    [Trait("Point", "21")]
    public void Unicast_mode_takes_only_its_peers(string source, string destination, int ttl, ReceiveFault expected)
    {
        ReceiveRules rules = new() { RouterId = 51, Interval = TimeSpan.FromSeconds(1), Addresses = Ours, Peers = [Wire.Ip("10.77.0.1")], MinimumTtl = 250 };
        Assert.Equal(expected, Wire.Read(Good, rules, Wire.From(source, destination, ttl), out _));
    }

    [Theory]
    [InlineData("10.78.0.1", 24, false)]
    [InlineData("10.77.1.1", 24, false)]
    [InlineData("10.77.1.1", 23, true)]
    [InlineData("10.77.0.129", 25, false)]
    [InlineData("10.77.0.127", 25, true)]
    [Trait("Point", "20")]
    public void A_foreign_source_is_said_or_dropped(string source, int prefix, bool isNear)
    {
        ReceiveRules Rules(bool check) => new()
        {
            RouterId = 51, Interval = TimeSpan.FromSeconds(1), Addresses = Ours, CheckSubnet = check, Subnets = [new AddressPrefix(Wire.Ip("10.77.0.2"), prefix)],
        };
        Assert.Equal(ReceiveFault.None, Wire.Read(Good, Rules(false), Wire.From(source), out VrrpAdvertisement advert));
        Assert.Equal(isNear ? ReceiveWarning.None : ReceiveWarning.Subnet, advert.Warnings);
        Assert.Equal(isNear ? ReceiveFault.None : ReceiveFault.Subnet, Wire.Read(Good, Rules(true), Wire.From(source), out _));
    }
}
