namespace Lb;

/// <summary>What a balancer does with zones.</summary>
internal enum ZoneRouting
{
    /// <summary>Zones don't count.</summary>
    None,

    /// <summary>Everything stays in the local zone.</summary>
    LocalOnly,

    /// <summary>A part stays, the rest goes to zones that have more servers than traffic.</summary>
    Split,
}

/// <summary>How a balancer shares its traffic between zones.</summary>
/// <param name="Routing">Which of the three.</param>
/// <param name="LocalShare">With <see cref="ZoneRouting.Split"/>: ten-thousandths that stay in the local zone.</param>
/// <param name="Residual">With <see cref="ZoneRouting.Split"/>: for each zone what it and those before it can take over; the last is the sum, above 0.</param>
internal sealed record ZonePlan(ZoneRouting Routing, int LocalShare, int[] Residual)
{
    public static ZonePlan NoZones { get; } = new(ZoneRouting.None, 0, []);

    public static ZonePlan Local { get; } = new(ZoneRouting.LocalOnly, ZoneSplit.Whole, []);
}

/// <summary>
/// Envoy's zone-aware routing (<c>regenerateLocalityRoutingStructures</c>): traffic stays in the balancer's zone as far as the zone's share of the servers
/// covers its share of the balancers.
/// </summary>
internal static class ZoneSplit
{
    public const int Whole = 10_000;

    /// <summary>Works out the plan. Zones are numbers, the same in both lists.</summary>
    /// <param name="balancers">Balancers in each zone; empty = not known, taken as spread like the servers.</param>
    /// <param name="servers">Usable servers in each zone.</param>
    /// <param name="local">The zone of this balancer; -1 = none.</param>
    /// <param name="minimumServers">With fewer usable servers zones don't count.</param>
    public static ZonePlan Plan(ReadOnlySpan<int> balancers, ReadOnlySpan<int> servers, int local, int minimumServers)
    {
        (long serverSum, int serverZones) = Count(servers);
        if (local < 0 || serverSum < minimumServers || serverZones < 2) return ZonePlan.NoZones;
        if (balancers.IsEmpty) return servers[local] > 0 ? ZonePlan.Local : ZonePlan.NoZones;

        (long balancerSum, int balancerZones) = Count(balancers);
        if (balancerZones < 2) return ZonePlan.NoZones;

        long Here(ReadOnlySpan<int> counts, long sum, int zone) => Whole * (long)counts[zone] / sum;
        long up = Here(servers, serverSum, local), down = Here(balancers, balancerSum, local);
        if (up > 0 && up >= down) return ZonePlan.Local;

        int[] residual = new int[servers.Length];
        int last = 0;
        for (int i = 0; i < residual.Length; i++)
        {
            if (i != local) last += (int)Math.Max(0, Here(servers, serverSum, i) - Here(balancers, balancerSum, i));
            residual[i] = last;
        }

        // Only rounding can bring that about: then by the number of servers.
        for (int i = 0, sum = 0; last == 0 && i < residual.Length; i++)
        {
            if (i != local) sum += servers[i];
            residual[i] = sum;
        }

        return new ZonePlan(ZoneRouting.Split, down > 0 ? (int)(up * Whole / down) : 0, residual);
    }

    private static (long Sum, int Zones) Count(ReadOnlySpan<int> counts)
    {
        long sum = 0;
        int zones = 0;
        foreach (int count in counts)
        {
            sum += count;
            if (count > 0) zones++;
        }

        return (sum, zones);
    }
}
