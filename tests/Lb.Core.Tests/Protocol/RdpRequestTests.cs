using System.Text;

namespace Lb.Core.Tests.Protocol;

[Trait("Row", "S13")]
[Trait("Row", "K8")]
public sealed class RdpRequestTests
{
    // A connection request with the negotiation behind the cookie, byte for byte that of [MS-RDPBCGR] 4.1.1.
    private static readonly byte[] Sample = Convert.FromHexString("0300002c27e00000000000436f6f6b69653a206d737473686173683d656c746f6e730d0a0100080000000000");

    [Fact]
    public void The_published_request_is_read_when_it_is_whole()
    {
        byte[] data = [.. Sample, 1, 2, 3];
        for (int i = 0; i < Sample.Length; i++) Assert.Equal(RdpRequestResult.NeedMore, RdpRequest.Read(data.AsSpan(0, i), out _));
        Assert.Equal((RdpRequestResult.Done, Sample.Length), (RdpRequest.Read(data, out int length), length));
        Assert.True(RdpRequest.TryGetCookie(data, "mstshash"u8, out ReadOnlySpan<byte> user));
        Assert.Equal("eltons", Encoding.ASCII.GetString(user));
        Assert.False(RdpRequest.TryGetCookie(data, "msts"u8, out _));
    }

    [Theory]
    [InlineData("04")]
    [InlineData("0300000a")]
    [InlineData("03000104")]
    [InlineData("0300002c26")]
    [InlineData("0300002c27d0")]
    [InlineData("0300002c27e001")]
    [InlineData("0300002c27e000000000f0")]
    [InlineData("160301")]
    public void Something_else_is_told_at_its_first_wrong_byte(string data)
    {
        byte[] bytes = Convert.FromHexString(data);
        Assert.Equal(RdpRequestResult.NotRdp, RdpRequest.Read(bytes, out _));
        if (bytes[0] == 3) Assert.Equal(RdpRequestResult.NeedMore, RdpRequest.Read(bytes.AsSpan(0, bytes.Length - 1), out _));
    }

    // The example of Microsoft's paper on session directories and load balancers: 172.31.249.216, port 3389.
    [Theory]
    [InlineData("3640205228.15629.0000", "172.31.249.216:3389")]
    [InlineData("16777343.15629.0000", "127.0.0.1:3389")]
    [InlineData("4294967296.15629.0000", null)]
    [InlineData("3640205228.65536.0000", null)]
    [InlineData("3640205228.15629", null)]
    [InlineData("-1.15629.0000", null)]
    [InlineData(".15629.0000", null)]
    [InlineData("alice", null)]
    [InlineData("", null)]
    public void A_token_names_a_server(string token, string? server)
    {
        Assert.Equal(server is not null, RdpRequest.TryGetServer(Encoding.ASCII.GetBytes(token), out PeerAddress address));
        if (server is not null) Assert.Equal(server, address.ToString());
    }
}
