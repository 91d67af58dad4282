namespace Lb.Vrrp.Tests;

/// <summary>
/// Frames against those that tcpdump has caught from keepalived 2.2.7 (Debian 12, <c>use_vmac</c>, VRID 51 and 52, addresses as below) and from the
/// duplicate address detection of Linux 6.18.
/// </summary>
[Trait("Row", "V10")]
public sealed class NeighborFramesTests
{
    private const string Kernel =
        "3333ff000001 020000000001 86dd 60000000 0020 3aff 00000000000000000000000000000000 ff0200000000000000000001ff000001"
        + "8700 94bc 00000000 fe80000000000000 000000fffe000001 0e01 d352b7eb4f21";

    [Theory]
    [Trait("Point", "47")]
    [InlineData("00005e000133", "10.9.0.5", "ffffffffffff 00005e000133 0806 0001 0800 06 04 0001 00005e000133 0a090005 ffffffffffff 0a090005")]
    [InlineData("020000000001", "10.9.0.7", "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a090007 ffffffffffff 0a090007")]
    public void Gratuitous_arp_is_that_of_keepalived(string mac, string address, string frame)
    {
        Assert.Equal(Bytes(frame), NeighborFrames.GratuitousArp(Bytes(mac), TestNamespace.Parse(address)));
    }

    [Theory]
    [Trait("Point", "47")]
    [InlineData("fe80::99", "fe800000000000000000000000000099", "f837")]
    [InlineData("2001:db8::5", "20010db8000000000000000000000005", "9aef")]
    [InlineData("2001:db8::6", "20010db8000000000000000000000006", "9aed")]
    public void An_unsolicited_advertisement_is_that_of_keepalived(string address, string bytes, string checksum)
    {
        string frame = $"333300000001 00005e000234 86dd 60000000 0020 3aff {bytes} ff020000000000000000000000000001 8800 {checksum} 20000000 {bytes} 0201 00005e000234";
        Assert.Equal(Bytes(frame), NeighborFrames.UnsolicitedAdvertisement(Bytes("00005e000234"), TestNamespace.Parse(address), isRouter: false));
    }

    [Fact]
    public void A_router_says_that_it_is_one()
    {
        // keepalived's frame for 2001:db8::5 with the R flag: 0x8000 more in the message, so 0x8000 less in the checksum.
        byte[] frame = NeighborFrames.UnsolicitedAdvertisement(Bytes("00005e000234"), TestNamespace.Parse("2001:db8::5"), isRouter: true);
        Assert.Equal(Bytes("8800 1aef a0000000"), frame[54..62]);
    }

    [Fact]
    [Trait("Row", "V29")]
    public void An_arp_probe_claims_nothing()
    {
        // RFC 5227 2.1.1: sender address zero, target hardware address zero.
        Assert.Equal(Bytes("ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 00000000 000000000000 0a090005"), NeighborFrames.ArpProbe(Bytes("020000000001"), TestNamespace.Parse("10.9.0.5")));
    }

    [Fact]
    [Trait("Row", "V29")]
    public void A_solicitation_is_that_of_the_kernel_but_for_its_nonce()
    {
        byte[] expected = Bytes(Kernel), frame = NeighborFrames.SolicitationProbe(Bytes("020000000001"), TestNamespace.Parse("fe80::ff:fe00:1"));
        Assert.Equal(0, NeighborFrames.Checksum(frame));
        foreach (Range free in new[] { 56..58, 80..86 }) expected.AsSpan()[free].CopyTo(frame.AsSpan()[free]);
        Assert.Equal(expected, frame);
    }

    [Fact]
    public void The_kernels_own_checksum_is_right_by_ours()
    {
        byte[] frame = Bytes(Kernel);
        Assert.Equal(0, NeighborFrames.Checksum(frame));
        frame[60] ^= 1;
        Assert.NotEqual(0, NeighborFrames.Checksum(frame));
    }

    [Theory]
    [Trait("Row", "V11")]
    [Trait("Point", "24")]
    [InlineData(51, false, "00:00:5e:00:01:33")]
    [InlineData(52, true, "00:00:5e:00:02:34")]
    [InlineData(255, true, "00:00:5e:00:02:ff")]
    public void The_virtual_mac_has_the_routers_number(byte routerId, bool isV6, string expected)
    {
        MacAddress mac = MacAddress.OfRouter(routerId, isV6);
        Assert.Equal(expected, mac.ToString());
        Assert.Equal(mac, MacAddress.From(mac.ToBytes()));
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
