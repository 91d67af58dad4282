using System.Globalization;

namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S19")]
public sealed class BoundedLoadsTests
{
    private const int Servers = 100, Leases = 10_000;

    // The ranges are those of twenty runs of an independent simulation: 10 000 leases, the bound fixed at factor × 100, each key with a random order of
    // its own.
    [Theory]
    [InlineData(105, 0.015, 0.036)]
    [InlineData(110, 0.005, 0.018)]
    [InlineData(125, 0, 0.002)]
    [InlineData(200, 0, 0)]
    public void Uniform_keys_overflow_little(int factor, double least, double most)
    {
        (double overflow, _) = Fill(factor, static n => n);
        Assert.InRange(overflow, least, most);
    }

    // Zipf(1.0) over 1000 keys: the busiest server would have 13 times the average. Going clockwise looks at 4.7 servers and at 2.1.
    [Theory]
    [InlineData(125, 0.41, 0.49, 2.6, 3.1)]
    [InlineData(200, 0.26, 0.34, 1.65, 1.9)]
    public void Hot_keys_overflow_by_jumps(int factor, double least, double most, double fewest, double mostProbes)
    {
        double[] cumulative = new double[1000];
        double sum = 0;
        for (int i = 0; i < cumulative.Length; i++) cumulative[i] = sum += 1.0 / (i + 1);
        Random random = new(3);
        (double overflow, double probes) = Fill(factor, _ => Math.Min(999, ~Array.BinarySearch(cumulative, random.NextDouble() * sum)));
        Assert.InRange(overflow, least, most);
        Assert.InRange(probes, fewest, mostProbes);
    }

    [Theory]
    [InlineData("maglev")]
    [InlineData("ketama")]
    [InlineData("ring")]
    [InlineData("rendezvous")]
    [InlineData("jump")]
    [InlineData("anchor")]
    public void No_server_gets_more_than_its_share_times_the_factor(string balance)
    {
        PoolOptions options = new() { Balance = balance, BalanceOptions = { HashBalanceFactor = 125 } };
        for (int i = 0; i < 10; i++) options.Servers.Add(new ServerOptions { Address = $"127.0.0.1:{1000 + i}", Weight = 1 + (i % 2) });
        ServerPool pool = new("web", options);
        PickContext hot = Key(1);
        for (int n = 1; n <= 1500; n++)
        {
            pool.Pick(hot);
            foreach (Server server in pool.Servers) Assert.InRange(server.InFlight, 0, Math.Max(1, Math.Ceiling(Math.Ceiling(n * 1.25) * server.Weight / 15)));
        }
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    public void The_same_key_overflows_to_the_same_servers(int servers)
    {
        ServerPool pool = Pool(servers, 125);
        PickContext key = Key(7);
        IScheduler scheduler = new BoundedLoads(new Maglev(), 125).Build(pool.Snapshot!);
        Server first = scheduler.Pick(in key, 1);
        for (int n = 0; n < 10; n++) Assert.True(first.TryEnter(isNewcomer: true));
        Server second = scheduler.Pick(in key, 10_000_000);
        Assert.NotSame(first, second);
        for (int n = 0; n < 10; n++) Assert.Same(second, scheduler.Pick(in key, 10_000_000));
        IScheduler again = new BoundedLoads(new Maglev(), 125).Build(pool.Snapshot!);
        Assert.Same(second, again.Pick(in key, 10_000_000));
        Assert.Same(second, again.Explain(in key, 10_000_000).Choice ?? second);
    }

    [Fact]
    public void Picks_without_a_key_are_bounded_too()
    {
        ServerPool pool = Pool(10, 110);
        for (int n = 0; n < 1000; n++) pool.Pick();
        Assert.All(pool.Servers, static s => Assert.InRange(s.InFlight, 1, 111));
    }

    [Fact]
    public void With_many_servers_the_load_is_counted_once_a_millisecond()
    {
        ServerPool pool = Pool(Servers, 150);
        long millisecond = pool.TimestampsPerSecond / 1000;
        IScheduler scheduler = new BoundedLoads(new LastOne(), 150).Build(pool.Snapshot!);
        Server last = pool.Servers[^1];
        Assert.Same(last, scheduler.Pick(default, 1));

        // 150 × (200 + 1) / 100 slots for 100 servers: three or four each; the old count says one or two.
        foreach (Server server in pool.Servers)
        {
            for (int n = 0; n < 2; n++) Assert.True(server.TryEnter(isNewcomer: true));
        }

        Assert.Same(last, scheduler.Pick(default, 1 + millisecond));
        for (int n = 0; n < 2; n++) Assert.True(last.TryEnter(isNewcomer: true));
        Assert.NotSame(last, scheduler.Pick(default, 1 + millisecond));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(100_001)]
    public void A_factor_that_makes_no_sense_is_refused(int factor) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new BoundedLoads(new Maglev(), factor));

    [Theory]
    [InlineData("uri", "map-based", "Lb:Pools:web:BalanceOptions:HashBalanceFactor = '125': has no effect with HashType map-based; set consistent")]
    [InlineData("SOURCE", "map-based", "Lb:Pools:web:BalanceOptions:HashBalanceFactor = '125': has no effect with HashType map-based; set consistent")]
    [InlineData("uri", "consistent", null)]
    [InlineData("maglev", "map-based", null)]
    public void A_factor_without_effect_is_told(string balance, string type, string? message)
    {
        PoolOptions options = new() { Balance = balance, BalanceOptions = { HashBalanceFactor = 125, HashType = type }, Servers = { TestPool.Server("a") } };
        List<ConfigurationError> errors = [];
        PoolValidation.Validate("Lb:Pools:web", options, SchedulingPolicies.BuiltIn, errors);
        Assert.Equal(message, errors.SingleOrDefault()?.ToString());
    }

    // The bound does not grow with the load here: as if as many had left as come.
    private static (double Overflow, double Probes) Fill(int factor, Func<int, int> key)
    {
        ServerPool pool = Pool(Servers, factor);
        IScheduler inner = new Maglev().Build(pool.Snapshot!);
        BoundedLoads.Scheduler bounded = new(new BoundedLoads(new Maglev(), factor), pool.Snapshot!);
        int total = BoundedLoad.Slots(Leases, factor), overflow = 0, looked = 0;
        for (int n = 0; n < Leases; n++)
        {
            PickContext context = Key(key(n));
            Server server = inner.Pick(in context, 0);
            looked++;
            if (!bounded.CanTake(server.Id - 1, total, in context))
            {
                overflow++;
                server = bounded.Jump(server, total, in context, out int probes);
                looked += probes;
            }

            Assert.True(server.TryEnter(isNewcomer: true));
        }

        return ((double)overflow / Leases, (double)looked / Leases);
    }

    private static PickContext Key(int n) => new() { Key = AffinityKey.From(n.ToString(CultureInfo.InvariantCulture)) };

    private static ServerPool Pool(int servers, int factor) => TablePool.Make(() => new BoundedLoads(new Maglev(), factor), 1000, [.. Enumerable.Repeat(1, servers)]);
}

[Trait("Row", "S19")]
public sealed class BoundedMaglevContract : KeyedContract
{
    // Picks that end at once: a server with one lease open is at its bound when nobody else has any.
    protected override bool HonoursWeights => true;

    protected override ISchedulingPolicy Create(int seed) => new BoundedLoads(new Maglev(), 125);
}
