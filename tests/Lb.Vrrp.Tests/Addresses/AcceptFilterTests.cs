using System.Net;
using System.Net.Sockets;
using Lb.Contracts.Commands;

namespace Lb.Vrrp.Tests;

[Trait("Row", "V17")]
[Trait("Point", "46")]
public sealed class AcceptFilterTests
{
    [Theory]
    [InlineData("10.9.0.5", "10.9.0.1", "24")]
    [InlineData("2001:db8::5", "2001:db8::1", "64")]
    public void Packets_to_a_virtual_address_are_dropped_and_neighbours_still_answered(string virtualAddress, string own, string prefix)
    {
        Assert.SkipUnless(AcceptFilter.IsSupported, "The program nft (nftables) is not installed.");
        (TestNamespace near, TestNamespace far) = TestNamespace.MakePair();
        using TestNamespace one = near, two = far;
        bool isV6 = virtualAddress.Contains(':', StringComparison.Ordinal);
        string[] flags = isV6 ? ["nodad"] : [];
        near.Ip(["address", "add", $"{own}/{prefix}", "dev", "e0", .. flags]);
        near.Ip(["address", "add", $"{virtualAddress}/{prefix}", "dev", "e0", .. flags]);
        far.Ip(["address", "add", $"{virtualAddress[..^1]}2/{prefix}", "dev", "e1", .. flags]);
        if (isV6) near.WaitForSolicitations("e0", "ff02::1:ff00:5");
        IPAddress any = isV6 ? IPAddress.IPv6Any : IPAddress.Any;
        using Socket server = near.Run(() => new Socket(any.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        using Socket client = far.Run(() => new Socket(any.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        server.Bind(new IPEndPoint(any, 4000));
        server.ReceiveTimeout = 10_000;
        near.Run(() =>
        {
            using (AcceptFilter filter = new("e0", 51, isV6, [TestNamespace.Parse(virtualAddress)]))
            {
                filter.Install();
                filter.Install();
                Send(1, virtualAddress);
                Send(2, own);

                // In order on one cable: the first one is lost by now.
                Assert.Equal(2, Heard());
                using DuplicateProbe asker = far.Run(() => new DuplicateProbe("e1", [TestNamespace.Parse(virtualAddress)]));
                Assert.True(asker.Ask(0));
                Assert.True(SpinWait.SpinUntil(() => asker.TryReceive(out _), TimeSpan.FromSeconds(10)), "Nobody answers for the virtual address.");
            }

            Send(3, virtualAddress);
            Assert.Equal(3, Heard());
        });

        void Send(byte number, string to) => client.SendTo([number], new IPEndPoint(IPAddress.Parse(to), 4000));

        int Heard()
        {
            byte[] buffer = new byte[16];
            Assert.Equal(1, server.Receive(buffer));
            return buffer[0];
        }
    }

    [Fact]
    public void Routers_have_chains_of_their_own()
    {
        Assert.SkipUnless(AcceptFilter.IsSupported, "The program nft (nftables) is not installed.");
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using AcceptFilter first = new("e0", 51, isV6: false, [TestNamespace.Parse("10.9.0.5")]), second = new("e0", 52, isV6: false, [TestNamespace.Parse("10.9.0.6")]);
            first.Install();
            second.Install();
            first.Remove();
            string rules = TestNamespace.Execute("nft", ["list", "table", "inet", AcceptFilter.Table]).Text;
            Assert.DoesNotContain("10.9.0.5", rules, StringComparison.Ordinal);
            Assert.Contains("10.9.0.6", rules, StringComparison.Ordinal);

            // What an earlier run has left is known by its addresses, whatever it was named.
            Assert.Empty(AcceptFilter.ChainsOf(rules, [TestNamespace.Parse("10.9.0.5"), TestNamespace.Parse("10.9.0.66")]));
            Assert.StartsWith("router_4_52_", Assert.Single(AcceptFilter.ChainsOf(rules, [TestNamespace.Parse("10.9.0.7"), TestNamespace.Parse("10.9.0.6")])), StringComparison.Ordinal);
        });
    }

    [Fact]
    public void One_that_ends_before_it_has_read_its_rules_is_named_by_its_own_words()
    {
        using ProgramDirectory programs = new();

        // More rules than a pipe holds, so that the writer meets its end.
        PeerAddress[] many = [.. Enumerable.Range(0, 10_000).Select(static i => PeerAddress.FromV4((uint)(0xC6336400 + i), 0))];
        using AcceptFilter filter = new("e0", 51, isV6: false, many, programs.Script("echo 'Error: cache initialization failed: Operation not permitted' >&2; exit 1"));
        Assert.Equal("nft refuses the rules of the virtual addresses: Error: cache initialization failed: Operation not permitted", Assert.Throws<IOException>(filter.Install).Message);
    }
}
