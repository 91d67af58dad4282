using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Vrrp;

/// <summary>What the others on the link see of a node: its adverts, its announcements, and what it answers.</summary>
[Trait("Row", "V1")]
public sealed class WireTests
{
    private const string Own = "02:77:00:00:00:01";

    // What the kernel has made of that MAC address (RFC 4291, appendix A).
    private const string LinkLocal = "fe80::77:ff:fe00:1";

    private const string WithVirtualMac = """ "VirtualMac": { "Enabled": true } """;
    private static readonly RouterSpec s_v4 = new(200), s_v2 = new(201, Version: 2, Centiseconds: 100), s_v6 = new(202, IsV6: true), s_mac4 = new(203), s_mac6 = new(204, IsV6: true);

    [Fact(Timeout = 120_000)]
    [Trait("Row", "V10")]
    [Trait("Row", "V11")]
    [Trait("Point", "22")]
    [Trait("Point", "23")]
    [Trait("Point", "24")]
    [Trait("Point", "29")]
    [Trait("Point", "47")]
    [Trait("Point", "48")]
    public async Task Adverts_and_announcements_have_the_addresses_that_the_RFC_wants()
    {
        await using HostNetwork network = new(1);
        Capture seen = network.CaptureAtClient();

        // The flag R tells what the host is, as the kernel's own answers do.
        network.Host(1).Run(static () => File.WriteAllText("/proc/sys/net/ipv6/conf/all/forwarding", "1"));
        await using LbNode node = new LbNode(network, 1).With([.. new[] { s_v4, s_v2, s_v6 }.Select(static r => r.ForLb(1, 200)), s_mac4.ForLb(1, 200, WithVirtualMac), s_mac6.ForLb(1, 200, WithVirtualMac)]);
        node.Start();
        foreach ((RouterSpec router, string mac) in new[] { (s_v4, Own), (s_v2, Own), (s_v6, Own), (s_mac4, "00:00:5e:00:01:cb"), (s_mac6, "00:00:5e:00:02:cc") })
        {
            foreach (string address in router.Addresses)
            {
                Frame told = await seen.Frames.WhenAsync(f => IsAnnouncement(f, address), 0, $"An announcement of {address}");

                // It was not sent before the address was there, so it is there now.
                Assert.Contains(address, network.Host(1).Ip("address", "show"), StringComparison.Ordinal);
                Assert.Equal(mac, told.From);
                if (router.IsV6)
                {
                    Assert.Equal(("33:33:00:00:00:01", "ff02::1", 255, 0b101, mac), (told.To, told.Destination, told.Hops, told.NeighborFlags, told.NeighborMac));
                    Assert.Contains($"ff02::1:ff{System.Net.IPAddress.Parse(address).GetAddressBytes()[13]:x2}:1", network.Host(1).Ip("-6", "maddr", "show"), StringComparison.Ordinal);
                }
                else
                {
                    Assert.Equal(("ff:ff:ff:ff:ff:ff", 1, mac, address), (told.To, told.ArpOperation, told.ArpSenderMac, told.ArpTarget));
                }
            }

            // Adverts of a node that has its addresses: now it could take one of them for its own.
            Frame advert = await seen.Frames.WhenAsync(f => f.IsAdvert && f.Message[1] == router.Id, seen.Frames.Count, $"An advert of {router.Id}");
            Assert.Equal(
                router.IsV6 ? (mac, "33:33:00:00:00:12", "ff02::12", 255, 0xC0) : (mac, "01:00:5e:00:00:12", "224.0.0.18", 255, 0xC0),
                (advert.From, advert.To, advert.Destination, advert.Hops, advert.Service));
            if (router == s_mac6) Assert.True(advert.Source.StartsWith("fe80::", StringComparison.Ordinal) && !router.Addresses.Contains(advert.Source), advert.Source);
            else Assert.Equal(router.IsV6 ? LinkLocal : "10.77.0.1", advert.Source);
        }

        (int adverts, string bad) = await seen.JudgeAsync();
        Assert.NotEqual(0, adverts);
        Assert.Equal("", bad);
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "V11")]
    [Trait("Point", "44")]
    [Trait("Point", "45")]
    public async Task A_backup_answers_nobody_for_the_address()
    {
        string[] on4 = [WithVirtualMac];
        await using Pair pair = new();
        pair.First.With([s_mac4.ForLb(1, 200, on4), s_v6.ForLb(1, 200)]);
        pair.Second.With([s_mac4.ForLb(2, 100, on4), s_v6.ForLb(2, 100)]);
        await pair.StartAsync(s_mac4);
        await pair.First.WhenAnswersAsync(s_v6);
        await pair.Second.WhenIsAsync(s_v6, "Backup");

        // Who has it? Both hear the question; the virtual MAC address is the only answer, and of the backup there is none.
        Capture seen = pair.Network.CaptureAtClient();
        pair.Network.Client.Ip("neigh", "flush", "dev", "eth0");
        await pair.First.WhenAnswersAsync(s_mac4);
        await pair.First.WhenAnswersAsync(s_v6);
        await pair.Network.WhenAnsweredAsync("10.77.0.2", 2);
        Frame[] answers = [.. seen.Frames.All.Where(static f => f.IsArp && f.ArpOperation == 2 && f.ArpSender == s_mac4.Address)];
        Assert.NotEmpty(answers);
        Assert.All(answers, static f => Assert.Equal("00:00:5e:00:01:cb", f.ArpSenderMac));
        answers = [.. seen.Frames.All.Where(static f => f.IsNeighbor && f.NeighborTarget == s_v6.Address)];
        Assert.NotEmpty(answers);
        Assert.All(answers, static f => Assert.Equal(Own, f.NeighborMac ?? f.From));

        // Packets that reach it all the same get no answer; a later question to its own address does.
        foreach ((RouterSpec router, string own) in new[] { (s_mac4, "10.77.0.2"), (s_v6, "fd77::2") })
        {
            await pair.Network.WhenAnsweredAsync(own, 2);
            pair.Network.Client.Ip("neigh", "replace", router.Address, "lladdr", "02:77:00:00:00:02", "dev", "eth0", "nud", "permanent");
            await AssertUnansweredAsync(pair.Network, router.Address, own, 2);
        }
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "V17")]
    [Trait("Point", "46")]
    public async Task Without_Accept_the_address_is_found_and_takes_nothing()
    {
        Peer.Demand(("/usr/sbin/nft", "nftables"));
        const string Not = """ "Accept": false """;
        await using HostNetwork network = new(1);
        Capture seen = network.CaptureAtClient();
        await using LbNode node = new LbNode(network, 1).With([s_v4.ForLb(1, 200, Not), s_v6.ForLb(1, 200, Not)]);
        node.Start();
        foreach (RouterSpec router in new[] { s_v4, s_v6 })
        {
            await node.WhenIsAsync(router, "Active");

            // Announcements would tell the client too: it has to find out by itself.
            network.Client.Ip("neigh", "flush", "dev", "eth0");
            int from = seen.Frames.Count;
            Task<int?> asked = network.AskAsync(router.Address, TimeSpan.FromMinutes(1));
            await seen.Frames.WhenAsync(f => router.IsV6 ? f.IsNeighbor && f.NeighborTarget == router.Address && (f.NeighborFlags & 2) != 0 : f.IsArp && f.ArpOperation == 2 && f.ArpSender == router.Address, from);
            await AssertUnansweredAsync(network, router.Address, router.IsV6 ? "fd77::1" : "10.77.0.1", 1);
            Assert.False(asked.IsCompleted);
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData(3, "fd77::77", "must be link-local")]
    [InlineData(2, "fe80::77", "does not know IPv6")]
    [Trait("Row", "V16")]
    [Trait("Point", "25")]
    public async Task IPv6_is_of_version_3_and_begins_with_a_link_local_address(int version, string address, string named)
    {
        using PeerHome home = new();
        string file = home.Write("lb.json", $$"""
            { "Lb": { "Routers": { "a": { "Interface": "eth0", "RouterId": 7, "Version": {{version}}, "Addresses": [ { "Address": "{{address}}/64" } ] } } } }
            """);
        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Peer.RunAsync(home, ["/usr/bin/env", "dotnet", Path.Combine(AppContext.BaseDirectory, "lb.dll"), "check", "-c", file]));
        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
    }

    private static bool IsAnnouncement(Frame frame, string address) =>
        frame.IsArp ? frame.ArpSender == address && frame.ArpTarget == address : frame.IsNeighbor && frame.NeighborTarget == address && (frame.NeighborFlags & 2) == 0;

    /// <summary>One after the other to the same host: when the second question was answered, the first one will not be.</summary>
    private static async Task AssertUnansweredAsync(HostNetwork network, string silent, string answering, int host)
    {
        await network.WhenAnsweredAsync(answering, host);
        Task<int?> asked = network.AskAsync(silent, TimeSpan.FromMinutes(1));
        await network.WhenAnsweredAsync(answering, host);
        Assert.False(asked.IsCompleted, $"{silent} was answered.");
    }
}
