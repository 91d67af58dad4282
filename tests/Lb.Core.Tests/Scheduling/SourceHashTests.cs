using System.Net;

namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S8")]
public sealed class SourceHashTests
{
    [Fact]
    public void A_client_stays_with_its_server_whatever_its_port()
    {
        ServerPool pool = TestPool.Create(5, new SourceHash());
        string first = pool.Next(From("192.0.2.77", 1));
        for (ushort port = 2; port < 100; port++) Assert.Equal(first, pool.Next(From("192.0.2.77", port)));
    }

    [Theory]
    [InlineData("192.0.2.1", 0xC0000201u)]
    [InlineData("::1", 1u)]
    [InlineData("2001:db8:1:2:3:4:5:6", 0x20010db8u ^ 0x00010002u ^ 0x00030004u ^ 0x00050006u)]
    [InlineData("::ffff:192.0.2.1", 0xC0000201u)]
    public void The_key_is_the_exclusive_or_of_the_words(string address, uint key)
    {
        Assert.True(PeerAddress.TryParse(address, out PeerAddress peer));
        Assert.Equal(key, peer.FoldedWords);

        ServerPool pool = TestPool.Create(7, new SourceHash());
        Assert.Equal(TestPool.Name((int)(key % 7)), pool.Next(new PickContext { Source = peer }));
    }

    [Fact]
    public void A_heavier_server_takes_more_of_65536_clients()
    {
        ServerPool pool = TestPool.Weighted(new SourceHash(), 5, 1, 2);
        for (uint n = 0; n < 65_536; n++) pool.Next(new PickContext { Source = PeerAddress.FromV4(0x0A000000 + n, 80) });
        Assert.Equal(65_536 * 5 / 8, pool.Get("a").TotalLeases);
        Assert.Equal(65_536 * 1 / 8, pool.Get("b").TotalLeases);
        Assert.Equal(65_536 * 2 / 8, pool.Get("c").TotalLeases);
    }

    [Fact]
    public void Avalanche_spreads_clients_that_differ_in_a_high_byte_only()
    {
        // x.0.0.5 with 8 servers: the plain key keeps its low bits, so all fall on one server.
        ServerPool plain = TestPool.Create(8, new SourceHash()), mixed = TestPool.Create(8, new SourceHash(new HashOptions(Avalanche: true)));
        for (uint n = 0; n < 256; n++)
        {
            PickContext context = new() { Source = PeerAddress.FromV4((n << 24) + 5, 80) };
            plain.Next(context);
            mixed.Next(context);
        }

        Assert.Equal(256, plain.Get("f").TotalLeases);
        Assert.All(mixed.Servers, s => Assert.InRange(s.TotalLeases, 16, 48));
    }

    [Fact]
    public void Without_an_address_servers_take_turns_over_the_table()
    {
        Assert.Equal("a a a b a a c a", TestPool.Weighted(new SourceHash(), 5, 1, 1).Sequence(8));
    }

    [Fact]
    public void A_client_comes_back_to_its_server_when_that_is_up_again()
    {
        ServerPool pool = TestPool.Create(3, new SourceHash());
        PickContext client = From("192.0.2.9", 1);
        string home = pool.Next(client);
        pool.Down(home);
        Assert.NotEqual(home, pool.Next(client));
        pool.Up(home);
        Assert.Equal(home, pool.Next(client));
    }

    [Fact]
    public void One_server_takes_all()
    {
        ServerPool pool = TestPool.Create(1, new SourceHash());
        Assert.Equal("a", pool.Next(From("192.0.2.9", 1)));
        Assert.Equal("a", pool.Next());
    }

    [Theory]
    [InlineData("0 0 0 1 0 0 2", 5, 1, 1)]
    [InlineData("0 1 0 1 2 0 0 1 2", 4, 3, 2)]
    [InlineData("0 1 2", 7, 7, 7)]
    [InlineData("0", 5)]
    [InlineData("0 0 1", 20, 10)]
    [InlineData("0 1 2 3 0 1 2 3 2 3", 2, 2, 3, 3)]
    public void The_table_is_that_of_HAProxy(string map, params int[] weights)
    {
        ServerPool pool = TestPool.Weighted(new SourceHash(), weights);
        Assert.Equal(map, string.Join(' ', WeightedMap.Build(pool.Snapshot!).Select(static s => s.Id - 1)));
    }

    private static PickContext From(string address, ushort port) =>
        new() { Source = PeerAddress.From(new IPEndPoint(IPAddress.Parse(address), port)) };
}
