namespace Lb;

/// <summary>
/// LVS shortest expected delay (<c>sed</c>): the server with the smallest (open leases + 1) ÷ weight, that is, counting the one to come; the first declared
/// among equals.
/// </summary>
/// <remarks>
/// A heavy server that is busy may be preferred to a light one that is idle; <see cref="LvsNeverQueuing"/> does not do that. Weinrib and Shenker: "Greed is
/// not enough: adaptive load sharing in large heterogeneous systems" (1988).
/// </remarks>
public sealed class LvsShortestExpectedDelay : ISchedulingPolicy
{
    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new Scheduler(snapshot, idleFirst: false);
    }

    /// <summary>Shared with never queue, which differs in one line.</summary>
    internal sealed class Scheduler(PoolSnapshot snapshot, bool idleFirst) : IScheduler
    {
        private readonly Server[] _servers = snapshot.ServerArray;
        private readonly int[] _weights = snapshot.Weights.ToArray();

        public Server Pick(in PickContext context, long now)
        {
            Server? least = null;
            long leastDelay = 0, leastWeight = 1;
            for (int i = 0; i < _servers.Length; i++)
            {
                Server server = _servers[i];
                if (!LvsRules.CanTake(server, in context)) continue;
                long delay = server.InFlight + 1;
                if (idleFirst && delay == 1) return server;
                if (least is not null && leastDelay * _weights[i] <= delay * leastWeight) continue;
                (least, leastDelay, leastWeight) = (server, delay, _weights[i]);
            }

            return least ?? _servers[0];
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            Server choice = Pick(in context, now);
            return new SchedulerAnswer(choice, null, idleFirst && choice.InFlight == 0 ? "the first idle one" : "the shortest expected delay");
        }
    }
}
