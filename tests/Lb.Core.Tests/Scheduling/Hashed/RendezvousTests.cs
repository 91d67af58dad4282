namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S25")]
public sealed class RendezvousTests
{
    [Fact]
    public void The_logarithm_is_one()
    {
        Random random = new(1);
        Assert.Equal(0, Rendezvous.NegativeLog(1L << 53));
        for (int n = 0; n < 100_000; n++)
        {
            long score = random.NextInt64(1, (1L << 53) + 1) >> random.Next(53);
            if (score == 0) continue;
            double expected = -Math.Log(score * Math.ScaleB(1, -53));
            Assert.InRange(Rendezvous.NegativeLog(score), expected - 1e-14 - (expected * 1e-14), expected + 1e-14 + (expected * 1e-14));
        }
    }

    [Fact]
    public void A_million_keys_are_shared_by_weight()
    {
        int[] weights = [1, 2, 3, 4, 10];
        IScheduler scheduler = new Rendezvous().Build(TablePool.Make(() => new RoundRobin(), 9001, weights).Snapshot!);
        int[] counts = new int[weights.Length];
        const int keys = 1_000_000;
        byte[] bytes = new byte[4];
        for (int n = 0; n < keys; n++)
        {
            BitConverter.TryWriteBytes(bytes, n);
            counts[scheduler.Pick(new PickContext { Key = AffinityKey.From(bytes) }, 1).Id - 1]++;
        }

        for (int i = 0; i < weights.Length; i++) Assert.InRange(counts[i] / (keys * weights[i] / 20.0), 0.99, 1.01);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(12)]
    [InlineData(200)]
    public void Bounds_decide_as_logarithms_of_all_servers_would(int servers)
    {
        int[] weights = [.. Enumerable.Range(0, servers).Select(static i => 1 + (i * 7 % 13))];
        PoolSnapshot snapshot = TablePool.Make(() => new RoundRobin(), 9001, weights).Snapshot!;
        IScheduler scheduler = new Rendezvous().Build(snapshot);
        for (uint n = 0; n < 5_000; n++)
        {
            PickContext context = new() { Source = PeerAddress.FromV4(n * 2_654_435_761, 1) };
            Server first = Naive(snapshot, in context, null);
            Assert.Same(first, scheduler.Pick(in context, 1));
            Assert.Same(Naive(snapshot, in context, first), scheduler.Pick(context with { Avoid = first }, 1));
        }
    }

    [Fact]
    public void Only_the_keys_of_a_weighted_server_that_goes_move()
    {
        ServerPool pool = TablePool.Make(() => new Rendezvous(), 9001, [1, 2, 3, 4, 10]);
        Dictionary<string, string> before = TablePool.PickAll(pool, 20_000);
        pool.SetHealth(pool.Get("s4"), ServerHealth.Down);
        Dictionary<string, string> without = TablePool.PickAll(pool, 20_000);
        Assert.All(before, p => Assert.True(p.Value == "s4" || without[p.Key] == p.Value));
        Assert.DoesNotContain("s4", without.Values);
    }

    private static Server Naive(PoolSnapshot snapshot, in PickContext context, Server? avoid)
    {
        Span<byte> address = stackalloc byte[4];
        context.Source.WriteBytes(address);
        ulong hash = XxHash64.Hash(address);
        Server? best = null;
        double least = double.PositiveInfinity;
        for (int i = 0; i < snapshot.Servers.Length; i++)
        {
            ulong seed = XxHash64.Hash(System.Text.Encoding.UTF8.GetBytes(snapshot.Servers[i].EndPoint.ToString()!));
            double time = -Math.Log(((PickHash.Mix(hash ^ seed) >> 11) + 1) * Math.ScaleB(1, -53)) / snapshot.Weights[i];
            if (time >= least || ReferenceEquals(snapshot.Servers[i], avoid)) continue;
            (best, least) = (snapshot.Servers[i], time);
        }

        return best!;
    }
}
