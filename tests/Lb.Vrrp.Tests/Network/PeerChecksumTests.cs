using static Lb.Vrrp.Tests.Heard;

namespace Lb.Vrrp.Tests;

public sealed class PeerChecksumTests
{
    [Theory]
    [InlineData("10.0.0.1", "10.0.0.2", "192.168.255.254")]
    [InlineData("10.0.0.1", "255.255.255.255", "0.0.0.1")]
    [InlineData("fe80::1", "fe80::2", "2001:db8:ffff::ffff")]
    [Trait("Row", "V12")]
    public void Another_destination_gets_the_checksum_it_would_have_had_from_the_start(string source, string from, string to)
    {
        byte[] message = Message(7, "10.0.0.100");
        SetChecksum(message, PseudoHeader(source, from, message.Length));
        PeerChecksum.Readdress(message, Address(from), Address(to));
        Assert.Equal(0xFFFF, Total(message, PseudoHeader(source, to, message.Length)));
    }

    [Fact]
    [Trait("Row", "V12")]
    public void A_checksum_over_the_message_alone_stays_as_it_is()
    {
        byte[] bare = Message(7);
        byte[] full = Message(7);
        SetChecksum(full, PseudoHeader("10.0.0.1", "10.0.0.2", full.Length));
        byte[] version2 = Message(7);
        version2[0] = 0x21;
        byte[] withTrailer = [.. bare, 1, 2, 3, 4, 5, 6];
        Assert.Equal((false, true, false, false), (Covers(bare), Covers(full), Covers(version2), Covers(withTrailer)));
        Assert.True(PeerChecksum.CoversAddresses(bare, isV6: true));
        Assert.False(Covers([0x31, 7]));

        static bool Covers(byte[] message) => PeerChecksum.CoversAddresses(message, isV6: false);
    }
}
