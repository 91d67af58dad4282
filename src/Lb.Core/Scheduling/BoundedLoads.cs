using System.Runtime.CompilerServices;

namespace Lb;

/// <summary>
/// A bound on the load around any policy, most useful around one that hashes: a server that has its weight's share of the open leases times a factor gets
/// no more, and its keys go on to others. Mirrokni, Thorup, Zadimoghaddam: "Consistent Hashing with Bounded Loads" (2016). Which others is drawn by the
/// key's own hash, by weight, and not the next on a ring: so the overflow of one hot server does not fall on a single neighbour, and then on its.
/// </summary>
/// <remarks>
/// <para>The bound is for the leases of this pool: with several balancers each keeps its own. Without a key the policy's choice is bounded too.</para>
/// <para>With up to 64 servers the open leases are counted at every pick; with more at most once a millisecond, and again when no server seems to have room.</para>
/// </remarks>
public sealed class BoundedLoads : ISchedulingPolicy, IKeyedPolicy
{
    // Draws before all servers are looked at in turn. With a factor of 1.25 hardly a pick needs more than three.
    private const int Draws = 32;

    // Above, counting at each pick would cost more than the rest of it.
    private const int CountedEachTime = 64;

    private const ulong GoldenRatio = 0x9E3779B97F4A7C15;

    private readonly ISchedulingPolicy _inner;
    private readonly IKeyedPolicy? _keyed;
    private readonly int _factor;
    private readonly TurnCounter _turn = new();

    /// <summary>Puts a bound around a policy.</summary>
    /// <param name="inner">The policy.</param>
    /// <param name="factor">Percent of the average load that a server may have, 101 to 100 000; 125 is a good one.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="factor"/> is out of range.</exception>
    public BoundedLoads(ISchedulingPolicy inner, int factor)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 101);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(factor, 100_000);
        _inner = inner;
        _keyed = inner as IKeyedPolicy;
        _factor = factor;
    }

    /// <inheritdoc/>
    public PolicyTraits Traits => _inner.Traits;

    /// <inheritdoc/>
    public TimeSpan RebuildInterval => _inner.RebuildInterval;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new Scheduler(this, snapshot);
    }

    bool IKeyedPolicy.TryGetKey(in PickContext context, out ulong key) =>
        _keyed is null ? PickHash.TryGet(in context, out key) : _keyed.TryGetKey(in context, out key);

    internal sealed class Scheduler : IScheduler
    {
        private readonly BoundedLoads _policy;
        private readonly IScheduler _inner;
        private readonly Server[] _servers;
        private readonly int[] _indexOfSlot;
        private readonly BoundedLoad _bound;
        private readonly AliasTable _draw;
        private readonly long _millisecond;

        // Not read together: a total that is a millisecond older than it seems does no harm.
        private int _total;
        private long _counted;

        public Scheduler(BoundedLoads policy, PoolSnapshot snapshot)
        {
            _policy = policy;
            _inner = policy._inner.Build(snapshot);
            _servers = snapshot.ServerArray;
            _bound = new BoundedLoad(snapshot, policy._factor);
            _draw = new AliasTable(snapshot.Weights);
            _millisecond = Math.Max(1, _servers[0].Pool.TimestampsPerSecond / 1000);
            _indexOfSlot = new int[_servers.Max(static s => s.Slot) + 1];
            for (int i = 0; i < _servers.Length; i++) _indexOfSlot[_servers[i].Slot] = i;
        }

        public Server Pick(in PickContext context, long now)
        {
            Server server = _inner.Pick(in context, now);
            int total = Total(now);
            return CanTake(_indexOfSlot[server.Slot], total, in context) ? server : Jump(server, total, in context, out _);
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            SchedulerAnswer answer = _inner.Explain(in context, now);
            if (answer.Choice is not { } choice) return answer;
            int total = _bound.Total();
            if (CanTake(_indexOfSlot[choice.Slot], total, in context)) return answer;
            bool hasKey = ((IKeyedPolicy)_policy).TryGetKey(in context, out _);
            Server? other = hasKey ? Jump(choice, total, in context, out _) : null;
            return answer with { Choice = other, Note = $"{choice.Name} has its share of the load: a jump by the key{(answer.Note is null ? "" : $"; {answer.Note}")}" };
        }

        /// <summary>Another server than the one proposed.</summary>
        /// <param name="proposal">The server that has too much.</param>
        /// <param name="total">The slots to share out.</param>
        /// <param name="context">What the pick may depend on.</param>
        /// <param name="probes">How many servers were looked at.</param>
        [MethodImpl(MethodImplOptions.NoInlining)]
        internal Server Jump(Server proposal, int total, in PickContext context, out int probes)
        {
            if (!((IKeyedPolicy)_policy).TryGetKey(in context, out ulong hash)) hash = (ulong)Interlocked.Increment(ref _policy._turn.Value);

            // One bit for each server seen; with more than 64 they share bits, and one may be passed over by mistake.
            ulong seen = 1UL << (_indexOfSlot[proposal.Slot] & 63);
            int index = 0;
            probes = 0;
            for (ulong n = 1; n <= Draws; n++)
            {
                index = _draw.Draw((long)(PickHash.Mix(hash + (n * GoldenRatio)) >> 1));
                ulong bit = 1UL << (index & 63);
                if ((seen & bit) != 0) continue;
                seen |= bit;
                probes++;
                if (CanTake(index, total, in context)) return _servers[index];
            }

            // The servers' parts add up to more than the load, so one has room, unless it is excluded or the count is old.
            for (int n = 0; n < _servers.Length; n++, index = index + 1 == _servers.Length ? 0 : index + 1)
            {
                if (n == 0) total = Math.Max(total, Count());
                probes++;
                if (CanTake(index, total, in context)) return _servers[index];
            }

            return proposal;
        }

        internal bool CanTake(int index, int total, in PickContext context) =>
            _bound.HasRoom(index, total) && (!context.HasExclusions || !context.Excludes(_servers[index]));

        private int Total(long now)
        {
            if (_servers.Length <= CountedEachTime) return _bound.Total();
            int total = Volatile.Read(ref _total);
            long age = now - Volatile.Read(ref _counted);
            if (total > 0 && age >= 0 && age < _millisecond) return total;
            Volatile.Write(ref _counted, now);
            return Count();
        }

        private int Count()
        {
            int total = _bound.Total();
            Volatile.Write(ref _total, total);
            return total;
        }
    }
}
