using System.Net;

namespace Lb.Core.Tests.Limits;

[Trait("Row", "A6")]
public sealed class AddressListTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.3/32")]
    [InlineData("10.1.2.4", "10.1.2.0/24")]
    [InlineData("10.1.3.0", "10.1.0.0/16")]
    [InlineData("10.2.0.0", "10.0.0.0/8")]
    [InlineData("9.255.255.255", null)]
    [InlineData("11.0.0.0", null)]
    [InlineData("255.255.255.255", "255.255.255.255/32")]
    [InlineData("::ffff:10.1.2.3", "10.1.2.3/32")]
    [InlineData("2001:db8:1::1", "2001:db8:1::/48")]
    [InlineData("2001:db8:2::1", "2001:db8::/32")]
    [InlineData("2001:db9::", null)]
    [InlineData("::a01:203", null)]
    public void The_narrowest_network_is_found(string client, string? expected)
    {
        AddressList list = Of("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3", "255.255.255.255", "2001:db8::/32", "2001:db8:1::/48");
        Assert.Equal(expected is not null, list.TryMatch(TestPool.Client(client), out AddressPrefix network));
        Assert.Equal(expected ?? "-", network.ToString());
        Assert.Equal(expected is not null, list.Contains(TestPool.Client(client)));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 40)]
    [InlineData(5, 400)]
    public void As_a_scan_of_all_networks_says(int seed, int networks)
    {
        Random random = new(seed);
        List<AddressPrefix> all = [.. Enumerable.Range(0, networks).Select(_ => Network(random, crowded: true))];
        AddressList list = new(all);
        List<PeerAddress> asked = [.. Enumerable.Range(0, 500).Select(_ => Network(random, crowded: true).Address), .. all.SelectMany(Edges)];
        asked.AddRange(((string[])["0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]).Select(TestPool.Client));
        Assert.All(asked, a => Assert.Equal(Scan(all, a), list.TryMatch(in a, out AddressPrefix found) ? found : null));
    }

    [Fact]
    public void A_hundred_thousand_networks_give_what_a_scan_gives()
    {
        Random random = new(6);
        List<AddressPrefix> all = [.. Enumerable.Range(0, 100_000).Select(_ => Network(random, crowded: false))];
        AddressList list = new(all);
        Assert.Equal(all.Select(static n => n.Network).Distinct().Count(), list.Count);
        for (int n = 0; n < 200; n++)
        {
            PeerAddress address = n % 2 == 0 ? Network(random, crowded: false).Address : Edges(all[random.Next(all.Count)]).First();
            Assert.Equal(Scan(all, address), list.TryMatch(in address, out AddressPrefix found) ? found : null);
        }
    }

    [Fact]
    public void A_network_that_holds_everything_and_one_that_ends_at_the_last_address()
    {
        AddressList list = Of("0.0.0.0/0", "255.0.0.0/8", "::/0", "ff00::/8");
        Assert.True(list.TryMatch(TestPool.Client("255.255.255.255"), out AddressPrefix last));
        Assert.True(list.TryMatch(TestPool.Client("254.255.255.255"), out AddressPrefix all));
        Assert.True(list.TryMatch(TestPool.Client("ffff::"), out AddressPrefix last6));
        Assert.True(list.TryMatch(TestPool.Client("::"), out AddressPrefix all6));
        Assert.Equal("255.0.0.0/8 0.0.0.0/0 ff00::/8 ::/0", $"{last} {all} {last6} {all6}");
        Assert.False(list.Contains(default));
    }

    [Fact]
    public void Hits_are_counted_by_network_and_survive_a_change()
    {
        AddressList list = Of("10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32");
        foreach (string client in (string[])["10.1.1.1", "10.1.1.2", "10.2.1.1", "2001:db8::1", "192.0.2.1"]) list.TryMatch(TestPool.Client(client), out _);
        Assert.True(list.Contains(TestPool.Client("10.1.1.1")));
        Assert.Equal("10.0.0.0/8=1 10.1.0.0/16=2 2001:db8::/32=1", Text(list));

        Assert.Equal(2, list.Change(add: [Prefix("192.0.2.77/24"), Prefix("10.1.99.0/16")], remove: [Prefix("2001:db8::9/32"), Prefix("203.0.113.0/24")]));
        Assert.True(list.TryMatch(TestPool.Client("10.1.1.3"), out _));
        Assert.Equal("10.0.0.0/8=1 10.1.0.0/16=3 192.0.2.0/24=0", Text(list));
        Assert.Equal((5L, 1L), (list.Hits, list.Version));

        Assert.False(list.Add(Prefix("10.0.0.0/8")));
        Assert.True(list.Remove(Prefix("10.0.0.0/8")));
        Assert.False(list.Contains(TestPool.Client("10.2.1.1")));
    }

    [Fact(Timeout = 60_000)]
    public async Task While_a_list_is_exchanged_everybody_sees_the_old_one_or_the_new_one()
    {
        // Both hold the client, by another network each; a mixture would hold none, or tell a network that is not there.
        AddressPrefix[] odd = [Prefix("10.0.0.0/8"), Prefix("192.0.2.0/24")], even = [Prefix("10.1.0.0/16"), Prefix("198.51.100.0/24"), Prefix("203.0.113.0/24")];
        AddressList list = new(odd);
        int stop = 0;
        Task<long>[] readers =
        [
            .. Enumerable.Range(0, 3).Select(_ => Task.Run(
                () =>
                {
                    long found = 0;
                    while (Volatile.Read(ref stop) == 0)
                    {
                        Assert.True(list.TryMatch(TestPool.Client("10.1.2.3"), out AddressPrefix network));
                        Assert.True(network == odd[0] || network == even[0]);
                        found++;
                    }

                    return found;
                },
                Ct)),
        ];
        for (int n = 0; n < 2_000; n++) list.Replace(n % 2 == 0 ? even : odd);
        Volatile.Write(ref stop, 1);
        long hits = (await Task.WhenAll(readers)).Sum();
        Assert.Equal((hits, 2_000L), (list.Hits, list.Version));
    }

    [Fact]
    public void Looking_up_allocates_nothing()
    {
        AddressList list = Of("10.0.0.0/8", "2001:db8::/32");
        PeerAddress v4 = TestPool.Client("10.1.2.3"), v6 = TestPool.Client("2001:db8::1");
        list.TryMatch(in v4, out _);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int n = 0; n < 1_000; n++) Assert.True(list.TryMatch(in v4, out _) && list.TryMatch(in v6, out _));
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static string Text(AddressList list) => string.Join(' ', list.Entries().Select(static e => $"{e.Network}={e.Hits}"));

    private static AddressList Of(params string[] networks) => new(networks.Select(Prefix));

    private static AddressPrefix Prefix(string text) => AddressPrefix.TryParse(text, out AddressPrefix prefix, out string? error) ? prefix : throw new FormatException(error);

    // The independent answer: every network, one after the other.
    private static AddressPrefix? Scan(List<AddressPrefix> all, PeerAddress address)
    {
        AddressPrefix? best = null;
        foreach (AddressPrefix network in all)
        {
            if (network.Contains(address) && (best is null || network.Bits > best.Value.Bits)) best = network;
        }

        return best?.Network;
    }

    // Crowded: networks of few different bits, so that they often contain each other.
    private static AddressPrefix Network(Random random, bool crowded)
    {
        bool isV6 = random.Next(2) == 0;
        byte[] bytes = new byte[isV6 ? 16 : 4];
        random.NextBytes(bytes);
        if (crowded) for (int i = 0; i < bytes.Length; i++) bytes[i] &= 0x81;
        if (isV6) bytes[0] = 0x20;
        return new AddressPrefix(PeerAddress.FromBytes(bytes, 0), crowded ? random.Next((bytes.Length * 8) + 1) : isV6 ? random.Next(29, 65) : random.Next(12, 33));
    }

    // The first and the last address of a network and their neighbours outside.
    private static IEnumerable<PeerAddress> Edges(AddressPrefix network)
    {
        Span<byte> bytes = stackalloc byte[16];
        int length = network.Address.WriteBytes(bytes), behind = (length * 8) - network.Bits;
        UInt128 number = 0, last = behind >= 128 ? UInt128.MaxValue : (UInt128.One << behind) - 1;
        for (int i = 0; i < length; i++) number = number << 8 | bytes[i];
        UInt128 first = number & ~last;
        return new[] { first, first | last, first - 1, (first | last) + 1 }.Select(n => From(n, length)).ToArray();

        static PeerAddress From(UInt128 number, int length)
        {
            byte[] bytes = new byte[length];
            for (int i = length - 1; i >= 0; i--, number >>= 8) bytes[i] = (byte)number;
            return PeerAddress.From(new IPEndPoint(new IPAddress(bytes), 0));
        }
    }
}
