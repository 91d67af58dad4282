namespace Lb.Core.Tests.Scheduling.Lvs;

// Tables, slots and fallbacks are those of a second implementation (tests/Golden/lvs/make.py), written from the description of ip_vs_mh.c: offset = hsiphash(address + port,
// 2654435761) mod M, skip = hsiphash(address + port, 2654446892) mod (M - 1) + 1, turns = weight ÷ gcd >> shift but at least 1. Without a client
// address the slots take turns, so the first picks show the table from its start.
[Trait("Row", "S18")]
public sealed class LvsMaglevTests
{
    [Theory]
    [InlineData(251, "abaaaabbbaaabbbbbbccaaaabbbaaaabbbbaacccaaabccaa", 1, 1, 1)]
    [InlineData(4093, "abbccabccaabbaacbbaacbccbabaaccbaccbcacababbabbc", 1, 1, 1)]
    [InlineData(4093, "abbccabccaabbaacbbaacbccbabaaccbaccbcacababbabbc", 7, 7, 7)]
    [InlineData(251, "baaaaabbbaaabbbbbbbaaaaabbbaaaabbbbaaccaaaabcaaa", 4, 3, 2)]
    [InlineData(251, "aaaaaabbbaaaaaaaabaaaaaabbbaaaaaaaaaaaaaaaabaaaa", 256, 1)]
    [InlineData(4093, "aabaaabccaabbaaabaaacbccaabaaaabacabaacababaabbb", 200, 100, 50)]
    public void The_table_is_that_of_the_kernel(int size, string start, params int[] weights)
    {
        ServerPool pool = LvsPool.Create(new LvsMaglev(tableSize: size), weights);
        Assert.Equal(start, pool.Sequence(start.Length).Replace(" ", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(251, new[] { 1, 1, 1 }, new[] { 84L, 84, 83 })]
    [InlineData(4093, new[] { 1, 1, 1 }, new[] { 1365L, 1364, 1364 })]

    // 200:100:50 are 4:2:1, turns as they are.
    [InlineData(4093, new[] { 200, 100, 50 }, new[] { 2340L, 1169, 584 })]

    // 256 has 9 bits, a table of 251 takes 4: shifted by 5 it is 8 turns against 1.
    [InlineData(251, new[] { 256, 1 }, new[] { 224L, 27 })]
    public void Slots_are_shared_by_weight(int size, int[] weights, long[] slots)
    {
        ServerPool pool = LvsPool.Create(new LvsMaglev(tableSize: size), weights);
        pool.Sequence(size);
        Assert.Equal(slots, pool.Servers.Select(static s => s.TotalLeases));
    }

    [Theory]
    [InlineData("192.0.2.1", "c", "b")]
    [InlineData("192.0.2.2", "b", "c")]
    [InlineData("192.0.2.3", "b", "a")]
    [InlineData("198.51.100.7", "a", "b")]
    [InlineData("2001:db8::1", "b", "a")]
    public void Clients_and_their_fallbacks_are_those_of_the_kernel(string client, string home, string other)
    {
        ServerPool pool = LvsPool.Create(new LvsMaglev(fallback: true), 1, 1, 1);
        Assert.Equal(home, pool.Next(LvsPool.From(client)));
        Assert.Equal(home, pool.Next(LvsPool.From(client, 1234)));
        Assert.Equal(other, pool.Next(LvsPool.From(client) with { Avoid = pool.Get(home) }));
        pool.Fill(home);
        Assert.Equal(other, pool.Next(LvsPool.From(client)));
    }

    [Theory]
    [InlineData(1234, "b")]
    [InlineData(1235, "c")]
    [InlineData(1240, "a")]
    public void With_mh_port_the_port_is_added(int port, string server)
    {
        Assert.Equal(server, LvsPool.Create(new LvsMaglev(port: true), 1, 1, 1).Next(LvsPool.From("192.0.2.1", port)));
    }

    [Fact]
    public void Without_mh_fallback_a_full_server_is_proposed_and_the_pool_takes_the_next_in_its_order()
    {
        ServerPool pool = LvsPool.Create(new LvsMaglev(), 1, 1, 1);
        pool.Fill("a");
        Assert.Equal("b", pool.Next(LvsPool.From("198.51.100.7")));
        pool.Fill("c");
        Assert.Equal("b", pool.Next(LvsPool.From("192.0.2.1")));
        pool.Fill("b");
        Assert.Equal(PickFailure.AllFull, pool.FailToPick(LvsPool.From("192.0.2.1")));
    }

    [Theory]
    [InlineData("drain")]
    [InlineData("weight")]
    public void Draining_moves_nobody_elses_clients(string how)
    {
        ServerPool pool = LvsPool.Create(new LvsMaglev(), 1, 2, 3);
        string[] before = Homes(pool);
        Drain("b");
        string[] drained = Homes(pool);
        Assert.DoesNotContain("b", drained);
        for (int n = 0; n < before.Length; n++) Assert.True(before[n] == "b" || before[n] == drained[n]);

        // Another change while it is drained does not make it forgotten.
        pool.SetMaxConnections(pool.Get("a"), 5);
        Assert.Equal(drained, Homes(pool));

        if (how == "drain") pool.SetAdmin(pool.Get("b"), ServerAdmin.Ready);
        else pool.SetWeight(pool.Get("b"), 2);
        Assert.Equal(before, Homes(pool));

        void Drain(string name)
        {
            if (how == "drain") pool.SetAdmin(pool.Get(name), ServerAdmin.Drain);
            else pool.SetWeight(pool.Get(name), 0);
        }
    }

    [Fact]
    public void A_server_that_goes_down_moves_few_of_the_others_clients()
    {
        ServerPool pool = LvsPool.Create(new LvsMaglev(), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
        string[] before = Homes(pool);
        pool.Down("d");
        string[] after = Homes(pool);
        int others = before.Count(static s => s != "d"), moved = before.Zip(after).Count(static p => p.First != "d" && p.First != p.Second);
        Assert.InRange(moved, 0, others / 20);
    }

    [Fact]
    public void A_drained_server_that_leaves_is_forgotten()
    {
        ServerPool pool = LvsPool.Create(new LvsMaglev(), 1, 1);
        pool.SetAdmin(pool.Get("b"), ServerAdmin.Drain);
        pool.Remove(pool.Get("b"), force: true);
        Assert.Equal(Homes(LvsPool.Create(new LvsMaglev(), 1)), Homes(pool));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(250)]
    [InlineData(257)]
    [InlineData(65_537)]
    public void Other_sizes_are_refused(int size)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new LvsMaglev(tableSize: size));
    }

    [Theory]
    [InlineData(131_071)]
    [InlineData(509)]
    public void The_kernels_sizes_are_taken(int size)
    {
        ServerPool pool = LvsPool.Create(new LvsMaglev(tableSize: size), 1, 1);
        pool.Sequence(size);
        Assert.All(pool.Servers, s => Assert.InRange(s.TotalLeases, size / 2, (size + 1) / 2));
    }

    [Fact]
    public void Servers_without_an_IP_address_have_slots_too()
    {
        PoolOptions options = new() { Policy = static () => new LvsMaglev() };
        options.Servers.Add(new ServerOptions { Name = "a", Address = "unix:/run/a.sock" });
        options.Servers.Add(new ServerOptions { Name = "b", Address = "b.example:80" });
        ServerPool pool = new("lvs", options);
        Assert.Equal(["a", "b"], Homes(pool).Distinct().Order(StringComparer.Ordinal));
    }

    private static string[] Homes(ServerPool pool) =>
        [.. Enumerable.Range(0, 5_000).Select(n => pool.Next(new PickContext { Source = PeerAddress.FromV4(0x0A000000u + (uint)n, 1) }))];
}
