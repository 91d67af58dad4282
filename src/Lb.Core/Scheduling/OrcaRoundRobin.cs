using System.Globalization;

namespace Lb;

/// <summary>
/// Round robin by what the servers say of their load (<c>orca</c>): the weight of a server is the requests it answers in a second, divided by its
/// utilization, which errors raise. gRPC's <c>weighted_round_robin</c> (gRFC A58). Reports come by <see cref="ServerLease.ReportLoad"/> and
/// <see cref="ServerPool.ReportLoad"/>; configured weights don't count.
/// </summary>
/// <remarks>
/// A server whose reports have just begun, or have stopped, gets the mean of the others; with fewer than two servers whose weights are known all take turns.
/// The weights are worked out anew each <see cref="RebuildInterval"/>.
/// </remarks>
public sealed class OrcaRoundRobin : ISchedulingPolicy
{
    private readonly double _penalty;
    private readonly TimeSpan _blackout;
    private readonly TimeSpan _expiration;
    private long _turn;

    // Number of the snapshot built last; the numbers have gaps where the pool puts builds off.
    private long _built;

    /// <summary>Makes the policy.</summary>
    /// <param name="errorPenalty">Hundredths of the share of errors that are added to the utilization, 0 to 100 000; default 100.</param>
    /// <param name="blackout">How long reports of a server must come before they count; 0 = at once; default 10 s.</param>
    /// <param name="expiration">How long they count after the last one, above 0; default 3 min.</param>
    /// <param name="update">How often weights are worked out, 100 ms or more; default 1 s.</param>
    /// <param name="random">Where the rotation starts; default <see cref="Random.Shared"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public OrcaRoundRobin(int errorPenalty = 100, TimeSpan? blackout = null, TimeSpan? expiration = null, TimeSpan? update = null, Random? random = null)
    {
        _blackout = blackout ?? TimeSpan.FromSeconds(10);
        _expiration = expiration ?? TimeSpan.FromMinutes(3);
        RebuildInterval = update ?? TimeSpan.FromSeconds(1);
        ArgumentOutOfRangeException.ThrowIfNegative(errorPenalty);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(errorPenalty, 100_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(_blackout, TimeSpan.Zero, nameof(blackout));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(_expiration, TimeSpan.Zero, nameof(expiration));
        ArgumentOutOfRangeException.ThrowIfLessThan(RebuildInterval, MinimumUpdatePeriod, nameof(update));
        _penalty = errorPenalty / 100.0;

        // Balancers that start together must not begin with the same server.
        _turn = (random ?? Random.Shared).NextInt64(uint.MaxValue);
    }

    internal static TimeSpan MinimumUpdatePeriod { get; } = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    public TimeSpan RebuildInterval { get; }

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ServerPool pool = snapshot.Servers[0].Pool;
        long now = pool.GetTimestamp();
        double[] weights = new double[snapshot.Servers.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            ref LoadReportCell report = ref snapshot.Servers[i].Reported;

            // Back after an absence: what it said before tells nothing of how it does now.
            if (report.SeenInSnapshot < _built) report.Forget();
            report.SeenInSnapshot = snapshot.Version;
            weights[i] = report.Weight(now, Timestamps(_blackout, pool), Timestamps(_expiration, pool), _penalty);
        }

        _built = snapshot.Version;
        return new Scheduler(this, snapshot.ServerArray, StaticStride.Build(weights));
    }

    private static long Timestamps(TimeSpan time, ServerPool pool) => (long)(time.TotalSeconds * pool.TimestampsPerSecond);

    private sealed class Scheduler(OrcaRoundRobin policy, Server[] servers, StaticStride? stride) : IScheduler
    {
        public Server Pick(in PickContext context, long now) =>
            stride is null
                ? servers[(int)((ulong)(Interlocked.Increment(ref policy._turn) - 1) % (ulong)servers.Length)]
                : servers[stride.Next(ref policy._turn)];

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            long turn = Volatile.Read(ref policy._turn);
            if (stride is null) return new SchedulerAnswer(servers[(int)((ulong)turn % (ulong)servers.Length)], null, "too few load reports: all take turns");
            int index = stride.Peek(turn);
            return new SchedulerAnswer(
                servers[index], null, string.Create(CultureInfo.InvariantCulture, $"weight {stride.Weights[index] / (double)ushort.MaxValue:0.###} of the greatest"));
        }
    }
}
