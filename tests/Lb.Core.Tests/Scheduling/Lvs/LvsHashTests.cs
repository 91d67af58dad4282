namespace Lb.Core.Tests.Scheduling.Lvs;

// Buckets are hash_32(address + port, 8) = (x × 0x61C88647 mod 2³²) >> 24, worked out with a calculator: 192.0.2.1 -> 50, 192.0.2.2 -> 148,
// 192.0.2.77 -> 58, 10.0.0.5 -> 174, 10.1.0.5 -> 53, 2001:db8::1 (folded: 0x20010DB9) -> 63, 192.0.2.1:1234 -> 139, 192.0.2.1:1235 -> 237.
[Trait("Row", "S8")]
public sealed class LvsSourceHashTests
{
    // With three equal servers bucket n belongs to server n mod 3.
    [Theory]
    [InlineData("192.0.2.1", "c")]
    [InlineData("192.0.2.2", "b")]
    [InlineData("192.0.2.77", "b")]
    [InlineData("10.0.0.5", "a")]
    [InlineData("10.1.0.5", "c")]
    [InlineData("2001:db8::1", "a")]
    public void The_bucket_is_that_of_the_kernel(string client, string server)
    {
        ServerPool pool = LvsPool.Create(new LvsSourceHash(), 1, 1, 1);
        Assert.Equal(server, pool.Next(LvsPool.From(client)));
        Assert.Equal(server, pool.Next(LvsPool.From(client, 1234)));
    }

    [Theory]
    [InlineData(1234, "b")]
    [InlineData(1235, "a")]
    public void With_sh_port_the_port_is_added(int port, string server)
    {
        Assert.Equal(server, LvsPool.Create(new LvsSourceHash(port: true), 1, 1, 1).Next(LvsPool.From("192.0.2.1", port)));
    }

    // Dealt a a b a a b …: 50 mod 3 = 2 is b, 148 mod 3 = 1 is a.
    [Theory]
    [InlineData("192.0.2.1", "b")]
    [InlineData("192.0.2.2", "a")]
    public void A_server_has_as_many_buckets_in_a_row_as_its_weight(string client, string server)
    {
        Assert.Equal(server, LvsPool.Create(new LvsSourceHash(), 2, 1).Next(LvsPool.From(client)));
    }

    [Fact]
    public void Weights_beyond_256_together_leave_less_for_the_last()
    {
        // Without an address the buckets take turns, so 256 picks show the table.
        ServerPool pool = LvsPool.Create(new LvsSourceHash(), 200, 100, 50);
        pool.Sequence(256);
        Assert.Equal([200, 56, 0], pool.Servers.Select(static s => s.TotalLeases));
    }

    // The kernel adds the bucket to the hash, so the search starts at twice the bucket: 50 (c) -> 100 (b); 148 (b) -> 40 (b again) -> 41 (c);
    // 174 (a) -> 92 (c).
    [Theory]
    [InlineData("192.0.2.1", "c", "b")]
    [InlineData("192.0.2.2", "b", "c")]
    [InlineData("10.0.0.5", "a", "c")]
    public void With_sh_fallback_another_bucket_takes_over_for_a_full_server(string client, string home, string other)
    {
        ServerPool pool = LvsPool.Create(new LvsSourceHash(fallback: true), 1, 1, 1);
        Assert.Equal(home, pool.Next(LvsPool.From(client)));
        Assert.Equal(other, pool.Next(LvsPool.From(client) with { Avoid = pool.Get(home) }));
        pool.Fill(home);
        Assert.Equal(other, pool.Next(LvsPool.From(client)));
    }

    [Fact]
    public void Without_it_a_full_server_is_proposed_and_the_pool_takes_the_next_in_its_order()
    {
        ServerPool pool = LvsPool.Create(new LvsSourceHash(), 1, 1, 1);
        pool.Fill("c");
        Assert.Equal("a", pool.Next(LvsPool.From("192.0.2.1")));
    }

    [Fact]
    public void When_all_are_full_the_search_ends()
    {
        ServerPool pool = LvsPool.Create(new LvsSourceHash(fallback: true), 1, 1);
        pool.Fill("a");
        pool.Fill("b");
        Assert.Equal(PickFailure.AllFull, pool.FailToPick(LvsPool.From("192.0.2.1")));
    }

    [Fact]
    public void Clients_that_differ_in_the_middle_of_the_address_spread()
    {
        // Kernels before 2018 put all of 10.x.y.5 into one bucket.
        ServerPool pool = LvsPool.Create(new LvsSourceHash(), 1, 1, 1, 1);
        for (uint n = 0; n < 65_536; n++) pool.Next(new PickContext { Source = PeerAddress.FromV4(0x0A000005 + (n << 8), 1) });
        Assert.All(pool.Servers, s => Assert.InRange(s.TotalLeases, 15_000, 18_000));
    }
}

[Trait("Row", "S9")]
public sealed class LvsDestinationHashTests
{
    // The same buckets as above, by the address that the client connected to.
    [Theory]
    [InlineData("192.0.2.1", "c")]
    [InlineData("192.0.2.2", "b")]
    [InlineData("10.0.0.5", "a")]
    [InlineData("2001:db8::1", "a")]
    public void The_bucket_is_that_of_the_kernel_and_weights_do_not_count(string destination, string server)
    {
        ServerPool pool = LvsPool.Create(new LvsDestinationHash(), 1, 100, 3);
        Assert.Equal(server, pool.Next(LvsPool.To(destination, 80)));
        Assert.Equal(server, pool.Next(LvsPool.To(destination, 443) with { Source = LvsPool.From("10.1.0.5", 9).Source }));
    }

    [Fact]
    public void Without_a_destination_the_buckets_take_turns()
    {
        Assert.Equal("a b c a", LvsPool.Create(new LvsDestinationHash(), 3, 2, 1).Sequence(4));
    }
}
