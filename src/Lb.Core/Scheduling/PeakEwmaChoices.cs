namespace Lb;

/// <summary>
/// The better of two drawn servers by latency (<c>peak-ewma</c>): a peak-sensitive average of the latency samples, times the open leases plus one, for the
/// weight. A failure counts as a sample of five seconds, so a server that fails fast does not look fast. A server without samples is taken for as fast as
/// the other as long as it has nothing open, and for slow as soon as it has. Finagle's policy; Linkerd's failure penalty.
/// </summary>
/// <remarks>Better than <c>p2c</c> where one server is slow or latencies are mixed; slightly worse where all are alike.</remarks>
/// <param name="random">Source of chance; default <see cref="Random.Shared"/>. A seeded one makes picks reproducible and is locked.</param>
public sealed class PeakEwmaChoices(Random? random = null) : ISchedulingPolicy
{
    // What a server that has answered nothing yet is taken for once something is open on it: more than any honest server.
    private const double UnknownMicroseconds = 1e9;

    private readonly SharedRandom _random = new(random);

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.FollowsLiveWeights;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new Scheduler(snapshot, _random);
    }

    private sealed class Scheduler(PoolSnapshot snapshot, SharedRandom random) : IScheduler
    {
        private readonly Server[] _servers = snapshot.ServerArray;
        private readonly int[] _weights = snapshot.LiveWeights.ToArray();

        public Server Pick(in PickContext context, long now)
        {
            if (_servers.Length == 1) return _servers[0];
            (int first, int second) = random.NextPair(_servers.Length);
            Server a = _servers[first], b = _servers[second];
            if (context.HasExclusions && context.Excludes(a) != context.Excludes(b)) return context.Excludes(a) ? b : a;

            // An index, for a conditional move: see PowerOfTwoChoices.
            int winner = Cost(b, _weights[second], now) < Cost(a, _weights[first], now) ? second : first;
            return _servers[winner];
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            if (_servers.Length == 1) return new SchedulerAnswer(_servers[0], null, "the only one");
            if (_servers.Length > 2 || context.HasExclusions) return new SchedulerAnswer(null, null, Chance.Note(2, _servers.Length));

            // With two servers both are drawn.
            double first = Cost(_servers[0], _weights[0], now), second = Cost(_servers[1], _weights[1], now);
            if (first == second) return new SchedulerAnswer(null, null, Chance.Ties(2));
            return new SchedulerAnswer(_servers[second < first ? 1 : 0], null, "the less costly of the two");
        }

        private static double Cost(Server server, int weight, long now)
        {
            int load = server.Load;
            double latency = server.PeakLatency(now);
            if (latency == 0 && load > 0) latency = UnknownMicroseconds;
            return latency * (load + 1) / weight;
        }
    }
}
