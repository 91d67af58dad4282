namespace Lb;

/// <summary>
/// Weighted rendezvous hashing (<c>rendezvous</c>): every server draws a score from the key, the highest wins. Only the keys of a server that comes or goes
/// move, and a changed weight moves only what it must. Costs a few nanoseconds a server. Thaler, Ravishankar 1998; weights: Schindelhauer, Schomaker 2005.
/// The key is <see cref="PickContext.Key"/>, else the client's address.
/// </summary>
public sealed class Rendezvous : ISchedulingPolicy
{
    private readonly TurnCounter _turn = new();

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new Scheduler(snapshot, _turn);
    }

    private sealed class Scheduler : IScheduler
    {
        private readonly Server[] _servers;
        private readonly ulong[] _seeds;
        private readonly double[] _weights;
        private readonly bool _equal;
        private readonly TurnCounter _turn;

        public Scheduler(PoolSnapshot snapshot, TurnCounter turn)
        {
            _servers = snapshot.ServerArray;
            _seeds = Array.ConvertAll(_servers, static s => XxHash64.Hash(ServerIdentity.Bytes(s)));
            _weights = Array.ConvertAll(snapshot.Weights.ToArray(), static w => (double)w);
            _equal = snapshot.HasEqualWeights;
            _turn = turn;
        }

        public Server Pick(in PickContext context, long now)
        {
            if (!PickHash.TryGet(in context, out ulong hash)) hash = PickHash.Mix((ulong)Interlocked.Increment(ref _turn.Value));
            int best = -1;
            if (_equal)
            {
                ulong most = 0;
                for (int i = 0; i < _seeds.Length; i++)
                {
                    ulong score = PickHash.Mix(hash ^ _seeds[i]);
                    if (best >= 0 && score <= most) continue;
                    if (context.HasExclusions && context.Excludes(_servers[i])) continue;
                    most = score;
                    best = i;
                }
            }
            else
            {
                double least = double.MaxValue;
                for (int i = 0; i < _seeds.Length; i++)
                {
                    // -ln(u) / weight, the least wins: the time to the first event of a process that runs at the server's rate.
                    double u = ((PickHash.Mix(hash ^ _seeds[i]) >> 11) + 1) * (1.0 / (1UL << 53));
                    double time = -Math.Log(u) / _weights[i];
                    if (best >= 0 && time >= least) continue;
                    if (context.HasExclusions && context.Excludes(_servers[i])) continue;
                    least = time;
                    best = i;
                }
            }

            return _servers[Math.Max(best, 0)];
        }
    }
}
