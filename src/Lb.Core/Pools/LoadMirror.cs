namespace Lb;

/// <summary>
/// The loads of a snapshot's servers side by side, for policies that compare many: <see cref="Server"/> keeps each alone on its cache lines, and a thousand of
/// those take microseconds to visit. Each server writes its own number through, as (load + 1) ÷ weight: HAProxy's key of leastconn.
/// </summary>
/// <remarks>
/// A server writes to one mirror, the newest that it was put in; an older one is then out of date and says so. Doubles are exact here: two different quotients
/// of a load below 2²⁵ and a weight below 2²⁵ differ by more than a rounding error, equal ones round alike.
/// </remarks>
internal sealed class LoadMirror
{
    private readonly double[] _keys;
    private readonly int[] _weights;
    private readonly ushort[] _placeOfSlot;
    private volatile bool _isCurrent = true;

    private LoadMirror(ReadOnlySpan<Server> servers, ReadOnlySpan<int> weights)
    {
        int slots = 0;
        foreach (Server server in servers) slots = Math.Max(slots, server.Slot + 1);
        _placeOfSlot = new ushort[slots];
        for (int i = 0; i < servers.Length; i++) _placeOfSlot[servers[i].Slot] = (ushort)i;
        _weights = weights.ToArray();
        _keys = new double[weights.Length];
    }

    /// <summary>Makes a mirror and has the servers write to it from now on.</summary>
    public static LoadMirror Attach(ReadOnlySpan<Server> servers, ReadOnlySpan<int> weights)
    {
        LoadMirror mirror = new(servers, weights);
        foreach (Server server in servers) server.Attach(mirror);
        return mirror;
    }

    /// <summary>False once a server writes elsewhere: then the keys say nothing.</summary>
    public bool IsCurrent => _isCurrent;

    /// <summary>In the order of the snapshot: 0 = idle, positive infinity = no room.</summary>
    public ReadOnlySpan<double> Keys => _keys;

    /// <summary>No server writes here any more.</summary>
    public void Retire() => _isCurrent = false;

    /// <summary>Takes over the load of a server.</summary>
    public void Update(Server server)
    {
        int place = _placeOfSlot[server.Slot];
        ref double key = ref _keys[place];

        // Two threads may write in the wrong order. So each looks again after its write, which is a full fence: the last to write saw what it wrote.
        double now;
        do
        {
            now = KeyOf(server, _weights[place]);
            Interlocked.Exchange(ref key, now);
        }
        while (now != KeyOf(server, _weights[place]));
    }

    private static double KeyOf(Server server, int weight)
    {
        if (!server.HasRoom) return double.PositiveInfinity;
        int load = server.Load;
        return load == 0 ? 0 : (load + 1.0) / weight;
    }
}
