namespace Lb;

/// <summary>
/// Builds a pool's scheduler of one policy for each priority level and zone. The policies stay from build to build, so that each goes on with its turn.
/// Called by the pool's single writer.
/// </summary>
internal sealed class Placement
{
    private readonly Func<ISchedulingPolicy> _make;
    private readonly SharedRandom _random;
    private readonly Dictionary<(int Priority, string? Zone), ISchedulingPolicy> _policies = [];

    /// <param name="make">Makes the policy, once for each level and zone.</param>
    /// <param name="random">Source of chance; default <see cref="Random.Shared"/>.</param>
    public Placement(Func<ISchedulingPolicy> make, Random? random = null)
    {
        _make = make;
        _random = new SharedRandom(random);
        Policy = make();
    }

    /// <summary>The policy of the first level: it speaks for all of them.</summary>
    public ISchedulingPolicy Policy { get; }

    /// <summary>With one level and no zones this is the policy's own scheduler: what is not used costs nothing.</summary>
    public IScheduler Build(PoolSnapshot snapshot, PlacementRules rules)
    {
        int[] priorities = Priorities(snapshot);
        if (priorities.Length == 1 && rules.LocalZone is null) return PolicyOf(priorities[0], zone: null).Build(snapshot);

        List<PlacedGroup> groups = [];
        List<PlacedLevel> levels = [];
        int[] loads = Loads(snapshot, rules, priorities);
        int until = 0;
        for (int i = 0; i < priorities.Length; i++)
        {
            until += loads[i];
            levels.Add(AddLevel(snapshot, rules, priorities[i], loads[i], until, groups));
        }

        if (groups.Count == 1) return groups[0].Scheduler;
        bool preserves = rules.PreservesAffinity ?? Policy.Traits.HasFlag(PolicyTraits.PreservesAffinity);
        return new PlacedScheduler([.. levels], [.. groups], Policy, preserves, _random);
    }

    private ISchedulingPolicy PolicyOf(int priority, string? zone)
    {
        if (_policies.TryGetValue((priority, zone), out ISchedulingPolicy? policy)) return policy;
        policy = _policies.Count == 0 ? Policy : _make();
        _policies.Add((priority, zone), policy);
        return policy;
    }

    private static int[] Priorities(PoolSnapshot snapshot)
    {
        SortedSet<int> priorities = [];
        foreach (Server server in snapshot.Servers) priorities.Add(server.Priority);
        return [.. priorities];
    }

    private static int[] Loads(PoolSnapshot snapshot, PlacementRules rules, int[] priorities)
    {
        var usable = new (int, int)[priorities.Length];
        var healthy = new (int, int)[priorities.Length];
        for (int i = 0; i < priorities.Length; i++)
        {
            int count = 0;
            foreach (Server server in snapshot.Servers) count += server.Priority == priorities[i] ? 1 : 0;
            usable[i] = (count, snapshot.Servers.Length);
            healthy[i] = (count, count);
            foreach (LevelHealth level in rules.Levels)
            {
                if (level.Priority == priorities[i]) healthy[i] = (level.Healthy, level.Total);
            }
        }

        // Nobody is healthy and yet there are servers to pick: by their number, as Envoy does in total panic.
        int[] loads = PrioritySplit.Loads(healthy, rules.OverprovisioningFactor);
        return loads.Sum() > 0 ? loads : PrioritySplit.Loads(usable, 100);
    }

    private PlacedLevel AddLevel(PoolSnapshot snapshot, PlacementRules rules, int priority, int load, int until, List<PlacedGroup> groups)
    {
        List<int> all = [.. Enumerable.Range(0, snapshot.Servers.Length).Where(i => snapshot.ServerArray[i].Priority == priority)];
        (string[] zones, ZonePlan plan) = Plan(snapshot, rules, all);
        int first = groups.Count;
        if (plan.Routing == ZoneRouting.None)
        {
            groups.Add(Group(snapshot, all, priority, zone: null));
            return new PlacedLevel(priority, load, until, first, 1, LocalShare: ZoneSplit.Whole, Residual: []);
        }

        // The local zone is the first of its level: what stays goes there, and what finds nobody elsewhere too.
        List<int> residual = [];
        int sum = 0;
        foreach (int zone in Enumerable.Range(0, zones.Length).OrderBy(z => zones[z] != rules.LocalZone))
        {
            if (plan.Routing == ZoneRouting.Split) sum += plan.Residual[zone] - (zone > 0 ? plan.Residual[zone - 1] : 0);
            List<int> members = all.FindAll(i => ZoneOf(snapshot.ServerArray[i]) == zones[zone]);
            if (members.Count == 0) continue;
            groups.Add(Group(snapshot, members, priority, zones[zone]));
            residual.Add(sum);
        }

        return new PlacedLevel(priority, load, until, first, groups.Count - first, plan.LocalShare, [.. residual]);
    }

    private static (string[] Zones, ZonePlan Plan) Plan(PoolSnapshot snapshot, PlacementRules rules, List<int> members)
    {
        if (rules.LocalZone is null) return ([], ZonePlan.NoZones);
        string[] zones =
        [
            .. members.Select(i => ZoneOf(snapshot.ServerArray[i])).Append(rules.LocalZone).Concat(rules.Balancers.Keys)
                .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
        ];
        int[] servers = new int[zones.Length];
        foreach (int i in members) servers[Array.IndexOf(zones, ZoneOf(snapshot.ServerArray[i]))]++;
        int[] balancers = rules.Balancers.Count == 0 ? [] : Array.ConvertAll(zones, z => rules.Balancers.GetValueOrDefault(z));
        return (zones, ZoneSplit.Plan(balancers, servers, Array.IndexOf(zones, rules.LocalZone), rules.MinimumServers));
    }

    private PlacedGroup Group(PoolSnapshot snapshot, List<int> members, int priority, string? zone)
    {
        Server[] servers = new Server[members.Count];
        int[] weights = new int[servers.Length], live = new int[servers.Length];
        for (int i = 0; i < servers.Length; i++)
            (servers[i], weights[i], live[i]) = (snapshot.Servers[members[i]], snapshot.Weights[members[i]], snapshot.LiveWeights[members[i]]);
        PoolSnapshot part = servers.Length == snapshot.Servers.Length ? snapshot : new PoolSnapshot(servers, weights, snapshot.Version, live, snapshot.LiveScale);
        return new PlacedGroup(PolicyOf(priority, zone).Build(part), servers, zone);
    }

    // Servers that stand nowhere are a zone of their own, without balancers.
    private static string ZoneOf(Server server) => server.Zone ?? "";
}
