using Lb.Vrrp;

namespace Lb.Testing;

/// <summary>
/// Nodes with real <see cref="VirtualRouter"/>s on one network, in virtual time: hours of failover in milliseconds, the same for the same seed. It loses,
/// delays and repeats packets, cuts links and directions, kills and pauses processes, and shows what a client of the virtual addresses sees.
/// </summary>
/// <remarks>
/// Not thread-safe. The client of each address has a neighbour cache like a Linux host's: it believes the last announcement that reached it, and asks
/// again only when it has had no answer for <see cref="ArpTimeout"/>.
/// </remarks>
public sealed class VrrpSimulation
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _queue = new();
    private readonly List<VrrpNode> _nodes = [];
    private readonly List<VrrpSimulationEntry> _timeline = [];
    private readonly SortedDictionary<int, SimulatedAddress> _addresses = [];
    private readonly HashSet<(VrrpNode From, VrrpNode To, int Link)> _cuts = [];
    private SimulationRandom _random;
    private long _order;

    /// <summary>Makes an empty network.</summary>
    /// <param name="seed">What chance does: the same seed, the same run.</param>
    public VrrpSimulation(int seed = 1)
    {
        _random = new SimulationRandom(SimulationRandom.Seed((ulong)seed, part: 1));
        Clock = new SimulationClock(this);
    }

    /// <summary>Time since the beginning.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>How long a packet is under way at least; default 100 µs.</summary>
    public TimeSpan Latency { get; set; } = TimeSpan.FromMicroseconds(100);

    /// <summary>What chance adds to <see cref="Latency"/> at most; default 0. Packets may so overtake each other.</summary>
    public TimeSpan Jitter { get; set; }

    /// <summary>Share of adverts that get lost, 0 to 1; default 0.</summary>
    public double Loss { get; set; }

    /// <summary>Share of adverts that arrive twice, 0 to 1; default 0.</summary>
    public double Duplication { get; set; }

    /// <summary>After how long without an answer a client asks again who has the address; default 6.7 s, as measured with Linux.</summary>
    public TimeSpan ArpTimeout { get; set; } = TimeSpan.FromSeconds(6.7);

    /// <summary>The nodes, in the order they were added.</summary>
    public IReadOnlyList<VrrpNode> Nodes => _nodes;

    /// <summary>All changes of state, of addresses, and of what clients see.</summary>
    public IReadOnlyList<VrrpSimulationEntry> Timeline => _timeline;

    /// <summary>Names of the running nodes whose first router is Active.</summary>
    public IReadOnlyList<string> ActiveNodes => ActiveOf(First.RouterId);

    /// <summary>Names of the nodes that have the address of the first router.</summary>
    public IReadOnlyList<string> Holders => First.Holders;

    /// <summary>Times in which the client had no answer from the address of the first router, once it had had one.</summary>
    public IReadOnlyList<VrrpSimulationSpan> Outages => First.Outages;

    /// <summary>The longest time that two running nodes were Active for the first router.</summary>
    public TimeSpan LongestDualActive => First.DualActive.Select(static s => s.Length).DefaultIfEmpty().Max();

    internal TimeProvider Clock { get; }

    private SimulatedAddress First => _addresses.Count > 0 ? _addresses.First().Value : throw new InvalidOperationException("There is no router yet.");

    /// <summary>Adds a node that has one router: number 1, address 192.0.2.100/24 (fe80::100/64), interval 1 s. It starts at once.</summary>
    /// <param name="name">Name of the node.</param>
    /// <param name="address">Its own address on the link.</param>
    /// <param name="configure">Changes the options.</param>
    public VrrpNode AddNode(string name, string address, Action<RouterOptions>? configure = null) => Add(name, address, configure, isPlain: false);

    /// <summary>
    /// Adds a node that does as keepalived does by default: when it loses, it gives up the address silently, so that the winner never learns that there
    /// were two; no refresh of announcements, no handover, no lease.
    /// </summary>
    /// <param name="name">Name of the node.</param>
    /// <param name="address">Its own address on the link.</param>
    /// <param name="configure">Changes the options.</param>
    public VrrpNode AddPlainNode(string name, string address, Action<RouterOptions>? configure = null) => Add(name, address, configure, isPlain: true);

    /// <summary>What is known of the address of a router.</summary>
    /// <param name="routerId">Number of the router (VRID).</param>
    public SimulatedAddress Address(int routerId) => _addresses[routerId];

    /// <summary>Names of the running nodes that are Active for a router.</summary>
    /// <param name="routerId">Number of the router (VRID).</param>
    public IReadOnlyList<string> ActiveOf(int routerId) => [.. _nodes.Where(n => n.IsActive(routerId)).Select(static n => n.Name)];

    /// <summary>Lets time go on.</summary>
    /// <param name="time">For how long.</param>
    public void Run(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        TimeSpan end = Now + time;
        while (_queue.TryPeek(out Action? next, out (TimeSpan At, long Order) due) && due.At <= end)
        {
            _queue.Dequeue();
            Now = due.At;
            next();
        }

        Now = end;
    }

    /// <summary>Does something at a later time.</summary>
    /// <param name="at">When, counted from the beginning; not in the past.</param>
    /// <param name="action">What.</param>
    public void At(TimeSpan at, Action action)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(at, Now);
        _queue.Enqueue(action, (at, _order++));
    }

    /// <summary>Two nodes hear each other no more; clients still reach both.</summary>
    /// <param name="a">A node.</param>
    /// <param name="b">Another.</param>
    /// <param name="link">0 = the routers' own link (default), 1 = the second heartbeat.</param>
    public void Partition(VrrpNode a, VrrpNode b, int link = 0)
    {
        CutOneWay(a, b, link);
        CutOneWay(b, a, link);
    }

    /// <summary>Adverts of one node reach another no more; the other way they do.</summary>
    /// <param name="from">Who is not heard.</param>
    /// <param name="to">By whom.</param>
    /// <param name="link">0 = the routers' own link (default), 1 = the second heartbeat.</param>
    public void CutOneWay(VrrpNode from, VrrpNode to, int link = 0) => _cuts.Add((from, to, link));

    /// <summary>All cuts between nodes are mended.</summary>
    public void Heal() => _cuts.Clear();

    internal int CountActive(int routerId)
    {
        int count = 0;
        foreach (VrrpNode node in _nodes)
        {
            if (node.IsActive(routerId)) count++;
        }

        return count;
    }

    internal TimeSpan Delay() => Latency + (Jitter * (Jitter > TimeSpan.Zero ? _random.NextDouble() : 0));

    internal int Random(int count) => _random.Next(count);

    internal SimulatedAddress AddressOf(int routerId)
    {
        if (!_addresses.TryGetValue(routerId, out SimulatedAddress? address)) _addresses.Add(routerId, address = new SimulatedAddress(this, routerId));
        return address;
    }

    internal void Note(string who, string what) => _timeline.Add(new VrrpSimulationEntry(Now, who, what));

    internal void Deliver(VrrpNode from, int link, PeerAddress source, PeerAddress destination, byte[] message)
    {
        if (!from.IsOn(link)) return;
        foreach (VrrpNode to in _nodes)
        {
            if (to == from || _cuts.Contains((from, to, link)) || !from.SendsTo(to, message)) continue;
            int copies = Chance(Loss) ? 0 : Chance(Duplication) ? 2 : 1;
            for (int i = 0; i < copies; i++) At(Now + Delay(), () => to.Arrive(message, link, source, destination));
        }
    }

    private bool Chance(double share) => share > 0 && _random.NextDouble() < share;

    private VrrpNode Add(string name, string address, Action<RouterOptions>? configure, bool isPlain)
    {
        VrrpNode node = new(this, name, InMemoryVrrpTransport.Parse(address), _nodes.Count, isPlain);
        _nodes.Add(node);
        node.AddRouter(configure ?? (static _ => { }));
        return node;
    }

    private sealed class SimulationClock(VrrpSimulation simulation) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(50) + simulation.Now;
    }
}

/// <summary>Something that happened in a simulation.</summary>
/// <param name="At">When, counted from the beginning.</param>
/// <param name="Who">A node, or <c>client</c> and the number of the router.</param>
/// <param name="What">What, for people.</param>
public sealed record VrrpSimulationEntry(TimeSpan At, string Who, string What);

/// <summary>A stretch of time.</summary>
/// <param name="From">Its beginning.</param>
/// <param name="To">Its end, or now.</param>
public readonly record struct VrrpSimulationSpan(TimeSpan From, TimeSpan To)
{
    /// <summary>Its length.</summary>
    public TimeSpan Length => To - From;
}
