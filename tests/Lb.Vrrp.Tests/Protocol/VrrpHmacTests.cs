namespace Lb.Vrrp.Tests;

/// <summary>
/// keepalived's authentication trailer. The two messages are the images of the draft's appendix, as keepalived's own test has them: key 00 to 1f with
/// number 1, VRID 51, priority 200, sequence 0x6800000080000000.
/// </summary>
[Trait("Row", "V8")]
public sealed class VrrpHmacTests
{
    private const string Image4 = "3133c80100644402c00002640101000068000000800000001b84bc4e8e43892dc6d98448f8ee2265";
    private const string Image6 = "3133c8010064a2e9fe800000000000000000000000000100010100006800000080000000c8c56146ebfd66ee10ec4d8186461b78";
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(static i => (byte)i)];

    private static VrrpAuthentication Auth(VrrpReplay replay = VrrpReplay.Monotonic, VrrpHmacMode mode = VrrpHmacMode.Enforce)
        => VrrpAuthentication.Hmac(new Dictionary<int, byte[]> { [1] = Key }, mode, replay, TimeSpan.FromSeconds(1));

    private static ReceiveRules Rules(bool isV6, VrrpAuthentication? authentication) => new()
    {
        RouterId = 51,
        IsV6 = isV6,
        Interval = TimeSpan.FromSeconds(1),
        Addresses = isV6 ? Wire.Bytes("fe80::100") : Wire.Bytes("192.0.2.100"),
        Authentication = authentication,
    };

    private static VrrpDatagram From(bool isV6) => isV6 ? Wire.From("fe80::10", "fe80::20") : Wire.From("198.51.100.10");

    private static ReceiveFault Read(byte[] message, ReceiveRules rules, DateTimeOffset? utc = null)
        => VrrpReader.Read(message, From(rules.IsV6), rules, utc ?? Wire.Utc, out _);

    [Theory]
    [InlineData(Image4, false)]
    [InlineData(Image6, true)]
    public void The_images_of_the_draft_are_read(string image, bool isV6)
    {
        ReceiveFault fault = VrrpReader.Read(Convert.FromHexString(image), From(isV6), Rules(isV6, Auth()), Wire.Utc, out VrrpAdvertisement advert);
        Assert.Equal((ReceiveFault.None, 1, (byte)200), (fault, advert.KeyId, advert.Priority));
        Assert.Equal(isV6 ? VrrpChecksumForm.PseudoHeader : VrrpChecksumForm.Message, advert.Checksum);
    }

    [Theory]
    [InlineData(Image4, false)]
    [InlineData(Image6, true)]
    public void The_images_of_the_draft_are_written(string image, bool isV6)
    {
        VrrpWriter writer = new(3, 51, TimeSpan.FromSeconds(1), Rules(isV6, null).Addresses.Span, isV6, Auth()) { Form = VrrpChecksumForm.Message };
        writer.Use(From(isV6).Source, From(isV6).Destination);

        // The sequence is the clock: 0x68000000 seconds and one half.
        Assert.Equal(image, Convert.ToHexStringLower(writer.Write(200, Wire.Utc.AddSeconds(0.5))));
    }

    [Theory]
    [InlineData(24, 0x01, ReceiveFault.AuthenticationMalformed)] // kind
    [InlineData(25, 0x01, ReceiveFault.AuthenticationUnknownKey)] // number of the key
    [InlineData(27, 0x01, ReceiveFault.AuthenticationMalformed)] // reserved
    [InlineData(31, 0x01, ReceiveFault.AuthenticationMismatch)] // seconds
    [InlineData(35, 0x01, ReceiveFault.AuthenticationMismatch)] // counter
    [InlineData(36, 0x01, ReceiveFault.AuthenticationMismatch)] // HMAC
    [InlineData(2, 0x01, ReceiveFault.AuthenticationMismatch)] // priority
    [InlineData(5, 0x01, ReceiveFault.AuthenticationMismatch)] // interval
    [InlineData(23, 0x01, ReceiveFault.AuthenticationMismatch)] // address
    [InlineData(6, 0x01, ReceiveFault.None)] // the checksum is not covered
    public void A_changed_byte_is_named(int offset, byte flip, ReceiveFault expected)
    {
        byte[] message = Convert.FromHexString(Image6);
        message[offset] ^= flip;

        // Without a destination the checksum is left to the kernel, so that what is judged is the trailer.
        VrrpDatagram datagram = new() { Source = Wire.Ip("fe80::10"), TimeToLive = 255 };
        Assert.Equal(expected, VrrpReader.Read(message, datagram, Rules(isV6: true, Auth()), Wire.Utc, out _));
    }

    [Fact]
    public void The_source_is_covered()
    {
        VrrpDatagram datagram = new() { Source = Wire.Ip("fe80::20"), TimeToLive = 255 };
        Assert.Equal(ReceiveFault.AuthenticationMismatch, VrrpReader.Read(Convert.FromHexString(Image6), datagram, Rules(isV6: true, Auth()), Wire.Utc, out _));
    }

    [Fact]
    public void A_replay_is_dropped_and_a_forgery_moves_no_mark()
    {
        ReceiveRules rules = Rules(isV6: false, Auth());
        byte[] message = Convert.FromHexString(Image4);
        byte[] forged = [.. message];
        forged[16] = 0x7F;
        Assert.Equal(ReceiveFault.AuthenticationMismatch, Read(forged, rules));
        Assert.Equal(ReceiveFault.None, Read(message, rules));
        Assert.Equal(ReceiveFault.AuthenticationReplay, Read(message, rules));
        Assert.Equal(ReceiveFault.None, Read(message, Rules(isV6: false, Auth(VrrpReplay.None))));
    }

    [Theory]
    [InlineData(-6, ReceiveFault.AuthenticationStale)]
    [InlineData(-5, ReceiveFault.None)]
    [InlineData(5, ReceiveFault.None)]
    [InlineData(6, ReceiveFault.AuthenticationStale)]
    public void The_time_must_be_within_the_window(int seconds, ReceiveFault expected)
    {
        Assert.Equal(expected, Read(Convert.FromHexString(Image4), Rules(isV6: false, Auth(VrrpReplay.Time)), Wire.Utc.AddSeconds(seconds)));
        Assert.Equal(ReceiveFault.None, Read(Convert.FromHexString(Image4), Rules(isV6: false, Auth()), Wire.Utc.AddSeconds(seconds)));
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 6)]
    [InlineData(40, 120)]
    public void The_window_is_three_intervals_and_at_least_5_s(int interval, int window)
        => Assert.Equal(TimeSpan.FromSeconds(window), VrrpAuthentication.Hmac(new Dictionary<int, byte[]> { [1] = Key }, default, default, TimeSpan.FromSeconds(interval)).Window);

    [Fact]
    public void A_mark_that_the_clock_left_behind_is_forgotten()
    {
        ReceiveRules rules = Rules(isV6: false, Auth(VrrpReplay.Time));
        Assert.Equal(ReceiveFault.None, Read(Signed(Wire.Utc.AddHours(1)), rules, Wire.Utc.AddHours(1)));
        Assert.Equal(ReceiveFault.None, Read(Signed(Wire.Utc), rules));
        ReceiveRules monotonic = Rules(isV6: false, Auth());
        Assert.Equal(ReceiveFault.None, Read(Signed(Wire.Utc.AddHours(1)), monotonic, Wire.Utc.AddHours(1)));
        Assert.Equal(ReceiveFault.AuthenticationReplay, Read(Signed(Wire.Utc), monotonic));
    }

    [Fact]
    public void Sequences_grow_though_the_clock_stands()
    {
        VrrpAuthentication byTime = Auth(VrrpReplay.Time);
        ulong first = VrrpHmac.Next(0, Wire.Utc, byTime);
        ulong second = VrrpHmac.Next(first, Wire.Utc, byTime);
        Assert.Equal((0x68000000UL << 32, first + 1), (first, second));
        Assert.Equal(second + 1, VrrpHmac.Next(second, Wire.Utc.AddSeconds(-5), byTime));
        Assert.Equal(VrrpHmac.SequenceOf(Wire.Utc.AddSeconds(-6)), VrrpHmac.Next(second, Wire.Utc.AddSeconds(-6), byTime));
        Assert.Equal(second + 1, VrrpHmac.Next(second, Wire.Utc.AddSeconds(-6), Auth()));
    }

    [Theory]
    [InlineData(VrrpHmacMode.Enforce, ReceiveFault.AuthenticationMissing, ReceiveWarning.None, true)]
    [InlineData(VrrpHmacMode.Permissive, ReceiveFault.None, ReceiveWarning.Unauthenticated, true)]
    [InlineData(VrrpHmacMode.ReceiveOnly, ReceiveFault.None, ReceiveWarning.Unauthenticated, false)]
    internal void A_missing_trailer_is_as_the_mode_says(VrrpHmacMode mode, ReceiveFault expected, ReceiveWarning warning, bool sends)
    {
        VrrpAuthentication authentication = Auth(mode: mode);
        byte[] plain = Convert.FromHexString(Image4)[..12];
        Assert.Equal(expected, VrrpReader.Read(plain, From(false), Rules(false, authentication), Wire.Utc, out VrrpAdvertisement advert));
        Assert.Equal((warning, -1), (advert.Warnings, advert.KeyId));
        Assert.Equal(sends ? 40 : 12, new VrrpWriter(3, 51, TimeSpan.FromSeconds(1), plain.AsSpan(8), false, authentication).Length);
    }

    [Fact]
    public void The_numbers_of_all_adverts_of_a_router_go_on_when_its_adverts_are_made_anew()
    {
        RouterOptions options = RouterBench.Make(static o =>
        {
            (o.AlsoVersion2, o.Authentication.Type, o.Authentication.Replay) = (true, "hmac", "monotonic");
            o.Authentication.Keys["1"] = "0x" + new string('a', 64);
        });
        Testing.ManualTimeProvider time = new();
        RouterLinks links = new() { Transport = new Testing.InMemoryVrrpTransport(RouterBench.Own) };
        RouterMessages before = new(options, links, time);
        ulong first = SequenceOf(before.Write(100)), second = SequenceOf(before.WriteVersion2(100));
        Assert.True(VrrpHmac.IsAfter(second, first));

        // Its clock stands, so only the number that was sent last tells what comes next.
        RouterMessages after = new(options, links, time, before);
        Assert.Equal(second + 1, SequenceOf(after.Write(100)));

        static ulong SequenceOf(ReadOnlySpan<byte> message) => System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(message[^24..]);
    }

    [Fact]
    public void Every_sender_of_a_link_is_remembered()
    {
        VrrpAuthentication authentication = Auth();
        ReplayGuard guard = new();
        for (int node = 1; node <= 60; node++) Assert.True(guard.Admit(Wire.Ip($"10.77.0.{node}"), 100, authentication, Wire.Utc));
        for (int node = 1; node <= 60; node++) Assert.False(guard.Admit(Wire.Ip($"10.77.0.{node}"), 99, authentication, Wire.Utc));
    }

    [Fact]
    public void A_trailer_that_nobody_expects_is_named()
        => Assert.Equal(ReceiveFault.AuthenticationUnexpected, Read(Convert.FromHexString(Image4), Rules(isV6: false, null)));

    private static byte[] Signed(DateTimeOffset utc)
    {
        VrrpWriter writer = new(3, 51, TimeSpan.FromSeconds(1), Wire.Bytes("192.0.2.100"), isV6: false, Auth());
        writer.Use(Wire.Ip("198.51.100.10"), Wire.Ip("224.0.0.18"));
        return writer.Write(200, utc).ToArray();
    }
}
