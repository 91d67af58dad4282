namespace Lb;

/// <summary>
/// HAProxy's <c>hash-balance-factor</c>: no server takes more than its weight's share of the load times a factor. Mirrokni, Thorup, Zadimoghaddam:
/// "Consistent Hashing with Bounded Loads" (2016).
/// </summary>
internal sealed class BoundedLoad
{
    private readonly Server[] _servers;
    private readonly int[] _weights;
    private readonly int[] _weightBefore;
    private readonly int _weightSum;
    private readonly int _factor;

    public BoundedLoad(PoolSnapshot snapshot, int factor, bool live = false)
    {
        _servers = snapshot.ServerArray;
        _weights = (live ? snapshot.LiveWeights : snapshot.Weights).ToArray();
        _weightBefore = new int[_weights.Length];
        for (int i = 0; i < _weights.Length; i++)
        {
            _weightBefore[i] = _weightSum;
            _weightSum += _weights[i];
        }

        _factor = factor;
    }

    /// <summary>The slots to share out: the load with one more lease, times the factor, rounded up.</summary>
    public int Total()
    {
        long load = 1;
        foreach (Server server in _servers) load += server.InFlight;
        return Slots(load, _factor);
    }

    /// <summary>The slots for a load: times the factor in percent, rounded up.</summary>
    public static int Slots(long load, int factor) => (int)Math.Min(int.MaxValue, ((load * factor) + 99) / 100);

    /// <summary>True when a server has fewer leases than its part of the slots. What the division leaves over is dealt by weight, so the parts add up.</summary>
    public bool HasRoom(int index, int total)
    {
        int inFlight = _servers[index].InFlight, weight = _weights[index];
        (int whole, int rest) = Math.DivRem(total, _weightSum);
        long sure = (long)weight * whole;

        // What is dealt is no more than one a unit of weight: mostly there is nothing to work out.
        if (inFlight < Math.Max(1, sure)) return true;
        if (inFlight >= sure + weight) return false;
        long before = _weightBefore[index];
        return inFlight < sure + ((before + weight) * rest / _weightSum) - (before * rest / _weightSum);
    }
}
