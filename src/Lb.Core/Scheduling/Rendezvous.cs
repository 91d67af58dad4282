namespace Lb;

/// <summary>
/// Weighted rendezvous hashing (<c>rendezvous</c>): every server draws a score from the key, the highest wins. Only the keys of a server that comes or goes
/// move, and a changed weight moves only what it must. Costs a few nanoseconds a server. Thaler, Ravishankar 1998; weights: Schindelhauer, Schomaker 2005.
/// The key is <see cref="PickContext.Key"/>, else the client's address.
/// </summary>
/// <remarks>The logarithm that weights need is the policy's own, so that nodes on different machines agree to the last bit.</remarks>
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
        private readonly double[]? _perWeight;
        private readonly TurnCounter _turn;

        public Scheduler(PoolSnapshot snapshot, TurnCounter turn)
        {
            _servers = snapshot.ServerArray;
            _seeds = Array.ConvertAll(_servers, static s => XxHash64.Hash(ServerIdentity.Bytes(s)));
            _perWeight = snapshot.HasEqualWeights ? null : Array.ConvertAll(snapshot.Weights.ToArray(), static w => 1.0 / w);
            _turn = turn;
        }

        public Server Pick(in PickContext context, long now)
        {
            if (!PickHash.TryGet(in context, out ulong hash)) hash = _turn.Next();
            return _servers[Find(hash, in context)];
        }

        public SchedulerAnswer Explain(in PickContext context, long now) =>
            PickHash.TryGet(in context, out ulong hash)
                ? new SchedulerAnswer(_servers[Find(hash, in context)], hash, "the highest score of the key")
                : new SchedulerAnswer(_servers[Find(_turn.Coming, in context)], null, TurnCounter.NoKey);

        private int Find(ulong hash, in PickContext context) => _perWeight is null ? Highest(hash, in context) : Earliest(hash, _perWeight, in context);

        private int Highest(ulong hash, in PickContext context)
        {
            ulong[] seeds = _seeds;
            bool exclusions = context.HasExclusions;
            int best = -1;
            ulong most = 0;
            for (int i = 0; i < seeds.Length; i++)
            {
                ulong score = PickHash.Mix(hash ^ seeds[i]);
                if (best >= 0 && score <= most) continue;
                if (exclusions && context.Excludes(_servers[i])) continue;
                most = score;
                best = i;
            }

            return Math.Max(best, 0);
        }

        // -ln(u) / weight, the least wins: the time to the first event of a process that runs at the server's rate. Bounds decide nearly always; where two
        // servers' overlap the logarithms do.
        private int Earliest(ulong hash, double[] perWeight, in PickContext context)
        {
            ulong[] seeds = _seeds;
            bool exclusions = context.HasExclusions;
            int best = -1;
            long bestScore = 0;
            double leastAbove = double.PositiveInfinity, leastBelow = 0;
            for (int i = 0; i < seeds.Length && i < perWeight.Length; i++)
            {
                long score = (long)(PickHash.Mix(hash ^ seeds[i]) >> 11) + 1;
                double below = Below(score) * perWeight[i];
                if (below >= leastAbove) continue;
                if (exclusions && context.Excludes(_servers[i])) continue;

                double above = Above(score) * perWeight[i];
                if (best >= 0 && above >= leastBelow && Time(score) * perWeight[i] >= Time(bestScore) * perWeight[best]) continue;
                (best, bestScore, leastBelow, leastAbove) = (i, score, below, above);
            }

            return Math.Max(best, 0);
        }
    }

    // With x = 1 - u: -ln(u) = x + x²/2 + x³/3 + …, and from x³ on less than x³/3 × (1 + x + x² + …).
    private static double Below(long score)
    {
        double x = ((1L << 53) - score) * (1.0 / (1L << 53));
        return x + (x * x * 0.5);
    }

    private static double Above(long score)
    {
        double x = ((1L << 53) - score) * (1.0 / (1L << 53));
        return Below(score) + (x * x * x / (3 * (1 - x)));
    }

    // Rounding must not put the time outside its bounds: then who is looked at first would matter.
    private static double Time(long score) => Math.Clamp(NegativeLog(score), Below(score), Above(score));

    /// <summary>-ln(score / 2⁵³) for a score of 1 to 2⁵³, within 2⁻⁵⁰ or so: sums and products of doubles only, which all machines round alike.</summary>
    internal static double NegativeLog(long score)
    {
        // score = m × 2^exponent with m from √½ to √2; ln m = 2 artanh((m - 1) / (m + 1)), whose series has only odd powers.
        long bits = BitConverter.DoubleToInt64Bits(score);
        int exponent = (int)(bits >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
        if (m > 1.4142135623730951)
        {
            m *= 0.5;
            exponent++;
        }

        double s = (m - 1) / (m + 1), z = s * s;
        double sum = 1.0 / 21;
        for (int power = 19; power >= 1; power -= 2) sum = (sum * z) + (1.0 / power);
        return ((53 - exponent) * 0.6931471805599453) - (2 * s * sum);
    }
}
