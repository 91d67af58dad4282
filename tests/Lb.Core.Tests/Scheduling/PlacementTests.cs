using System.Globalization;
using Lb.Contracts.Policies;

namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S24")]
public sealed class PlacementTests
{
    private const int Picks = 100_000;

    [Fact]
    public void One_level_without_zones_is_the_policy_itself()
    {
        ServerPool pool = Pool(3);
        Placement placement = new(static () => new LastOne());
        Assert.Equal(placement.Policy.Build(pool.Snapshot!).GetType(), placement.Build(pool.Snapshot!, new PlacementRules()).GetType());
    }

    [Fact]
    public void A_level_of_which_forty_percent_are_down_keeps_84_percent()
    {
        // Six of ten are left of level 0: 0.6 × 1.4.
        ServerPool pool = Pool(16, static i => i < 6 ? 0 : 1);
        PlacementRules rules = new() { Levels = [new(0, 6, 10), new(1, 10, 10)] };
        int[] picks = Count(Build(pool, rules), pool);
        Assert.Equal(0.84, picks[..6].Sum() / (double)Picks, 0.01);
        Assert.Equal(0.16, picks[6..].Sum() / (double)Picks, 0.01);
        foreach (int n in picks[..6]) Assert.Equal(0.14, n / (double)Picks, 0.01);
    }

    [Fact]
    public void A_healthy_first_level_takes_all_and_the_next_stands_by()
    {
        ServerPool pool = Pool(4, static i => i / 2);
        IScheduler scheduler = Build(pool, new PlacementRules());
        Assert.Equal([50_000, 50_000, 0, 0], Count(scheduler, pool));

        ServerSet tried = default(ServerSet).With(pool.Servers[0]);
        Assert.Equal([0, Picks, 0, 0], Count(scheduler, pool, _ => new PickContext { Excluded = tried }));
        tried = tried.With(pool.Servers[1]);
        Assert.Equal([0, 0, 50_000, 50_000], Count(scheduler, pool, _ => new PickContext { Excluded = tried }));
    }

    [Fact]
    public void A_full_level_falls_to_the_next()
    {
        ServerPool pool = Pool(4, static i => i / 2);
        pool.SetMaxConnections(pool.Servers[0], 1);
        pool.SetMaxConnections(pool.Servers[1], 1);
        IScheduler scheduler = Build(pool, new PlacementRules());
        foreach (Server server in pool.Servers.Take(2)) Assert.True(server.TryEnter(isNewcomer: true));
        Assert.Equal([0, 0, 50_000, 50_000], Count(scheduler, pool));
    }

    [Fact]
    public void Servers_of_which_none_is_healthy_share_by_number()
    {
        ServerPool pool = Pool(4, static i => i == 0 ? 0 : 1);
        int[] picks = Count(Build(pool, new PlacementRules { Levels = [new(0, 0, 1), new(1, 0, 3)] }), pool);
        Assert.Equal(0.25, picks[0] / (double)Picks, 0.01);
    }

    [Fact]
    public void A_share_of_the_traffic_leaves_a_zone_with_too_few_servers()
    {
        // The example of ZoneSplitTests: 62.5 % stay, the rest goes 2 : 1 to the others.
        ServerPool pool = Pool(8, zone: static i => i < 2 ? "a" : i < 6 ? "b" : "c");
        PlacementRules rules = new() { LocalZone = "a", Balancers = new Dictionary<string, int>(StringComparer.Ordinal) { ["a"] = 4, ["b"] = 4, ["c"] = 2 } };
        int[] picks = Count(Build(pool, rules), pool);
        Assert.Equal(0.625, picks[..2].Sum() / (double)Picks, 0.01);
        Assert.Equal(0.25, picks[2..6].Sum() / (double)Picks, 0.01);
        Assert.Equal(0.125, picks[6..].Sum() / (double)Picks, 0.01);
    }

    [Fact]
    public void Traffic_stays_in_the_zone_until_nobody_there_can_be_had()
    {
        ServerPool pool = Pool(6, zone: static i => i % 2 == 0 ? "here" : "there");
        IScheduler scheduler = Build(pool, new PlacementRules { LocalZone = "here" });
        Assert.Equal(0, Count(scheduler, pool).Where(static (_, i) => i % 2 == 1).Sum());
        ServerSet here = default(ServerSet).With(pool.Servers[0]).With(pool.Servers[2]).With(pool.Servers[4]);
        Assert.Equal(Picks, Count(scheduler, pool, _ => new PickContext { Excluded = here }).Where(static (_, i) => i % 2 == 1).Sum());
    }

    [Fact]
    public void A_key_keeps_its_level_and_both_levels_use_all_of_their_servers_evenly()
    {
        ServerPool pool = Pool(20, static i => i < 10 ? 0 : 1);
        PlacementRules half = new() { Levels = [new(0, 5, 14), new(1, 10, 10)] };
        Assert.Equal(50, 140 * 5 / 14);
        Placement placement = new(static () => new Maglev(4093), new Random(1));
        IScheduler scheduler = placement.Build(pool.Snapshot!, half);
        int[] picks = Count(scheduler, pool, Key);
        foreach (int n in picks) Assert.InRange(n, Picks / 20 * 0.94, Picks / 20 * 1.06);
        Assert.Equal(picks, Count(scheduler, pool, Key));

        // Less load on level 0 moves only keys that leave it.
        IScheduler less = placement.Build(pool.Snapshot!, half with { Levels = [new(0, 4, 14), new(1, 10, 10)] });
        for (int n = 0; n < 1_000; n++)
        {
            Server before = scheduler.Pick(Key(n), 0), after = less.Pick(Key(n), 0);
            Assert.True(ReferenceEquals(before, after) || (before.Priority == 0 && after.Priority == 1));
        }
    }

    [Fact]
    public void What_a_policy_hashes_decides_the_level_and_nothing_else()
    {
        ServerPool pool = Pool(20, static i => i % 2);
        IScheduler scheduler = new Placement(static () => new LvsDestinationHash()).Build(pool.Snapshot!, new PlacementRules { Levels = [new(0, 5, 14), new(1, 10, 10)] });
        for (uint n = 0; n < 100; n++)
        {
            PickContext one = new() { Destination = PeerAddress.FromV4(n * 7919, 80), Source = PeerAddress.FromV4(n, 1) };
            Assert.Same(scheduler.Pick(one, 0), scheduler.Pick(one with { Source = PeerAddress.FromV4(~n, 2), Key = AffinityKey.From("other") }, 0));
        }
    }

    [Fact]
    public void Each_level_goes_on_with_its_turn_after_a_change()
    {
        ServerPool pool = Pool(4, static i => i / 2);
        PlacementRules rules = new() { Levels = [new(0, 0, 2), new(1, 2, 2)] };
        int made = 0;
        Placement placement = new(() =>
        {
            made++;
            return new StaticRoundRobin();
        });
        Server first = placement.Build(pool.Snapshot!, rules).Pick(default, 0);
        Server second = placement.Build(pool.Snapshot!, rules).Pick(default, 0);
        Assert.NotSame(first, second);
        Assert.Equal(2, made);
    }

    [Fact]
    public void It_tells_the_shares_and_where_a_key_goes()
    {
        ServerPool pool = Pool(16, static i => i < 6 ? 0 : 1);
        PlacementRules rules = new() { Levels = [new(0, 6, 10), new(1, 10, 10)] };
        Assert.Equal("chance decides: level 0 84 %, level 1 16 %", Build(pool, rules).Explain(default, 0).Note);
        IScheduler keyed = new Placement(static () => new Maglev(251)).Build(pool.Snapshot!, rules);
        PickContext context = Key(1);
        Assert.StartsWith($"level {keyed.Pick(in context, 0).Priority} of level 0 84 %, level 1 16 %", keyed.Explain(in context, 0).Note, StringComparison.Ordinal);
    }

    private static PickContext Key(int n) => new() { Key = AffinityKey.From(n.ToString(CultureInfo.InvariantCulture)) };

    private static IScheduler Build(ServerPool pool, PlacementRules rules) => new Placement(static () => new RoundRobin(), new Random(1)).Build(pool.Snapshot!, rules);

    private static ServerPool Pool(int servers, Func<int, int>? priority = null, Func<int, string>? zone = null)
    {
        ServerPool pool = TestPool.Create(servers, configure: o =>
        {
            for (int i = 0; i < servers; i++) o.Servers[i].Address = $"127.0.0.{i + 1}:80";
        });
        for (int i = 0; i < servers; i++)
        {
            pool.Servers[i].Priority = priority?.Invoke(i) ?? 0;
            pool.Servers[i].Zone = zone?.Invoke(i);
        }

        return pool;
    }

    private static int[] Count(IScheduler scheduler, ServerPool pool, Func<int, PickContext>? context = null)
    {
        int[] picks = new int[pool.Servers.Count];
        for (int n = 0; n < Picks; n++) picks[scheduler.Pick(context?.Invoke(n) ?? default, n).Id - 1]++;
        return picks;
    }
}

/// <summary>Two levels in two zones: the contract of a policy holds for them together, but for the weights.</summary>
[Trait("Row", "S24")]
public sealed class PlacedContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new Placed(seed);

    private sealed class Placed(int seed) : ISchedulingPolicy
    {
        private readonly Placement _placement = new(static () => new RoundRobin(), new Random(seed));

        public IScheduler Build(PoolSnapshot snapshot)
        {
            foreach (Server server in snapshot.Servers)
            {
                server.Priority = server.Id % 2;
                server.Zone = server.Id % 3 == 0 ? "here" : "there";
            }

            PlacementRules rules = new()
            {
                LocalZone = "here",
                MinimumServers = 2,
                Balancers = new Dictionary<string, int>(StringComparer.Ordinal) { ["here"] = 2, ["there"] = 1 },
                Levels = [new(0, 4, 10)],
            };
            return _placement.Build(snapshot, rules);
        }
    }
}
