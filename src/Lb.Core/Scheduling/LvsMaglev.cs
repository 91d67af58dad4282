using System.Buffers.Binary;
using System.Numerics;

namespace Lb;

/// <summary>
/// LVS Maglev hashing (<c>mh</c>): as <see cref="LvsSourceHash"/>, but a server that comes or goes moves hardly any other's clients. Every server walks the
/// table in an order of its own and takes the free slots it meets, as many in a row as its reduced weight says. Without a client address: the slots take
/// turns.
/// </summary>
/// <remarks>
/// <para>The table is the one that a 64-bit little-endian kernel fills when its destinations stand in the order of declaration (ipvsadm lists them the other
/// way round when added in that order); 32-bit kernels hash differently. Servers are known by address and port; one without an IP address by a hash of
/// its text.</para>
/// <para>A server that is drained keeps its slots with the weight it had, so that only its own clients move. Where the kernel refuses (the server is full
/// or drained, without <c>mh-fallback</c>), the pool takes the next one with room for a full one and the fallback's way for a drained one. Retries, which
/// avoid the server that failed, go the fallback's way.</para>
/// <para>Eisenbud et al.: "Maglev: a fast and reliable software network load balancer", NSDI 2016, 3.4.</para>
/// </remarks>
public sealed class LvsMaglev : ISchedulingPolicy, IKeyedPolicy
{
    /// <summary>Slots of the table unless told otherwise: the kernel's default, CONFIG_IP_VS_MH_TAB_INDEX=12.</summary>
    public const int DefaultTableSize = 4093;

    private const ulong OffsetKey = 2_654_435_761, SkipKey = 2_654_446_892;

    private readonly int _size;
    private readonly int _weightBits;
    private readonly bool _port;
    private readonly bool _fallback;

    // The kernel's last_weight: what a server weighed before it was drained.
    private readonly Dictionary<Server, int> _lastWeights = [];
    private long _turn;

    /// <summary>Makes the policy.</summary>
    /// <param name="port">Adds the client's port to the key: connections of one client spread (<c>mh-port</c>). Default false.</param>
    /// <param name="fallback">Hashes again when the server is full (<c>mh-fallback</c>). Default false.</param>
    /// <param name="tableSize">Slots: 251, 509, 1021, 2039, 4093 (default), 8191, 16381, 32749, 65521 or 131071. At least 100 for each server is wise.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="tableSize"/> is none of these.</exception>
    public LvsMaglev(bool port = false, bool fallback = false, int tableSize = DefaultTableSize)
    {
        int place = TableSizes.IndexOf(tableSize);
        if (place < 0) throw new ArgumentOutOfRangeException(nameof(tableSize), tableSize, $"The size of the table must be one of {TableSizesText}.");
        _size = tableSize;
        _weightBits = (place + 8) / 2;
        _port = port;
        _fallback = fallback;
    }

    // The largest primes below the powers of two from 2^8 to 2^17.
    internal static ReadOnlySpan<int> TableSizes => [251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071];

    internal static string TableSizesText => string.Join(", ", TableSizes.ToArray());

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        HashSet<Server> usable = [.. snapshot.ServerArray];
        for (int i = 0; i < snapshot.Servers.Length; i++) _lastWeights[snapshot.Servers[i]] = snapshot.Weights[i];
        foreach (Server server in _lastWeights.Keys)
        {
            bool drained = server is { InUse: true, Status: ServerStatus.Drain or ServerStatus.Stopping };
            if (!drained && !usable.Contains(server)) _lastWeights.Remove(server);
        }

        Server?[] slots = Fill([.. _lastWeights.OrderBy(static e => e.Key.Id)]);
        for (int i = 0; i < slots.Length && _lastWeights.Count > usable.Count; i++)
        {
            if (!usable.Contains(slots[i]!)) slots[i] = null;
        }

        return new Scheduler(this, snapshot.ServerArray, slots);
    }

    private Server?[] Fill(KeyValuePair<Server, int>[] servers)
    {
        int gcd = 0, heaviest = 0;
        foreach ((_, int weight) in servers)
        {
            gcd = (int)BigInteger.GreatestCommonDivisor(gcd, weight);
            heaviest = Math.Max(heaviest, weight);
        }

        // Weights are cut to so many bits that even the heaviest can't fill the table before the others have their turn.
        int shift = Math.Max(0, BitLength(heaviest / gcd) - _weightBits);
        uint[] next = new uint[servers.Length], skip = new uint[servers.Length];
        int[] turns = new int[servers.Length];
        for (int i = 0; i < servers.Length; i++)
        {
            (uint address, uint port) = Identity(servers[i].Key);
            next[i] = Hash(address + port, OffsetKey) % (uint)_size;
            skip[i] = (Hash(address + port, SkipKey) % (uint)(_size - 1)) + 1;
            turns[i] = Math.Max(1, servers[i].Value / gcd >> shift);
        }

        Server?[] slots = new Server?[_size];
        for (int filled = 0, i = 0; filled < _size; i = (i + 1) % servers.Length)
        {
            for (int turn = 0; turn < turns[i] && filled < _size; turn++, filled++)
            {
                while (slots[next[i]] is not null)
                {
                    next[i] += skip[i];
                    if (next[i] >= (uint)_size) next[i] -= (uint)_size;
                }

                slots[next[i]] = servers[i].Key;
            }
        }

        return slots;
    }

    private static int BitLength(int value) => 32 - BitOperations.LeadingZeroCount((uint)value);

    private static (uint Address, uint Port) Identity(Server server)
    {
        if (server.EndPoint is not System.Net.IPEndPoint endPoint) return ((uint)XxHash64.Hash(System.Text.Encoding.UTF8.GetBytes(server.EndPoint.ToString()!)), 0);
        PeerAddress address = PeerAddress.From(endPoint);
        return (address.FoldedWords, address.Port);
    }

    private static uint Hash(uint value, ulong key)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return HSipHash.Hash(bytes, key, key);
    }

    bool IKeyedPolicy.TryGetKey(in PickContext context, out ulong key)
    {
        key = context.Source.FoldedWords + (_port ? context.Source.Port : 0u);
        return !context.Source.IsEmpty;
    }

    private sealed class Scheduler(LvsMaglev policy, Server[] servers, Server?[] slots) : IScheduler
    {
        public Server Pick(in PickContext context, long now)
        {
            if (context.Source.IsEmpty)
            {
                uint turn = (uint)Interlocked.Increment(ref policy._turn) - 1;
                return Find(turn, turn, in context);
            }

            uint key = Key(in context);
            return Find(key, Hash(key, OffsetKey), in context);
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            if (context.Source.IsEmpty)
            {
                uint turn = (uint)Volatile.Read(ref policy._turn);
                return new SchedulerAnswer(Find(turn, turn, in context), null, "no address: the slots take turns");
            }

            uint key = Key(in context), hash = Hash(key, OffsetKey);
            return new SchedulerAnswer(Find(key, hash, in context), hash, "the address's slot in the table");
        }

        private uint Key(in PickContext context) => context.Source.FoldedWords + (policy._port ? context.Source.Port : 0u);

        private Server Find(uint key, uint hash, in PickContext context)
        {
            uint size = (uint)slots.Length;
            uint slot = hash % size;
            Server? server = slots[slot];
            if (server is not null && !context.HasExclusions && !policy._fallback) return server;
            if (server is not null && LvsRules.CanTake(server, in context)) return server;
            if (!LvsRules.AnyCanTake(servers, in context)) return server ?? servers[0];

            // The kernel hashes the key again with the numbers of the following slots added; it need not visit every slot.
            for (uint offset = 0; offset < size; offset++)
            {
                Server? other = slots[Hash(((offset + slot) % size) + key, OffsetKey) % size];
                if (other is not null && LvsRules.CanTake(other, in context)) return other;
            }

            return server ?? servers[0];
        }
    }
}
