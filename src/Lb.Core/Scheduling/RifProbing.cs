namespace Lb;

/// <summary>
/// The server that says it has least to do (<c>rif</c>): at each pick some servers are asked for their requests in flight, and the pick goes by the answers
/// that earlier picks have brought. The requests-in-flight half of Prequal (Wydrowski et al., "Load is not what you should balance", NSDI 2024). For many
/// balancers: then the leases of one say little of how busy a server is.
/// </summary>
/// <remarks>
/// <para>An answer serves a few picks and counts one more after each; with each pick one goes, in turn the oldest and the worst; with fewer than two the
/// better of two drawn servers by own leases wins.</para>
/// <para>Without a probe, some servers are drawn and the one that has least to do wins, by its own report (<see cref="LoadReport.InFlight"/>) if that is no
/// older than an answer may be, with what this pool has begun and ended there since; else by own leases.</para>
/// </remarks>
public sealed class RifProbing : ISchedulingPolicy, ILoadAnswers
{
    private const int MostProbes = 16;

    // Prequal's formula has no bound when the pool holds nearly all servers.
    private const double MostUses = 5;

    private readonly int _probes;
    private readonly int _poolSize;
    private readonly TimeSpan _age;
    private readonly ILoadProbe? _probe;
    private readonly SharedRandom _random;
    private readonly ProbePool _pool;

    private volatile Limits _limits = new(2, 1);

    /// <summary>Makes the policy.</summary>
    /// <param name="probes">Servers asked at each pick, 1 to 16; default 3.</param>
    /// <param name="poolSize">Answers kept, 2 to 64, and at most for half of the servers; default 16.</param>
    /// <param name="age">How long an answer is worth something, above 0; default 1 s.</param>
    /// <param name="probe">Asks the servers; default null = nobody asks.</param>
    /// <param name="random">Source of chance; default <see cref="Random.Shared"/>. A seeded one makes picks reproducible and is locked.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public RifProbing(int probes = 3, int poolSize = 16, TimeSpan? age = null, ILoadProbe? probe = null, Random? random = null)
    {
        _age = age ?? TimeSpan.FromSeconds(1);
        ArgumentOutOfRangeException.ThrowIfLessThan(probes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(probes, MostProbes);
        ArgumentOutOfRangeException.ThrowIfLessThan(poolSize, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(poolSize, 64);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(_age, TimeSpan.Zero, nameof(age));
        _probes = probes;
        _poolSize = poolSize;
        _probe = probe;
        _random = new SharedRandom(random);
        _pool = new ProbePool(poolSize);
    }

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.FollowsLiveWeights;

    /// <summary>Answers that are kept now.</summary>
    internal int Answers => _pool.Count;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        int servers = snapshot.Servers.Length;
        int limit = Math.Min(_poolSize, Math.Max(2, servers / 2));
        _limits = new Limits(limit, Uses(servers, limit, _probes));
        return new Scheduler(this, snapshot);
    }

    /// <summary>How many picks an answer serves: as many as keep the pool from running dry (Prequal's b_reuse with δ = 1, one removal a pick).</summary>
    internal static double Uses(int servers, int poolSize, int probes)
    {
        double gain = ((1 - ((double)poolSize / servers)) * probes) - 1;
        return gain <= 0 ? MostUses : Math.Clamp(2 / gain, 1, MostUses);
    }

    /// <inheritdoc/>
    public void Answer(Server server, int inFlight)
    {
        ArgumentNullException.ThrowIfNull(server);
        if (inFlight < 0) return;
        long now = server.Pool.GetTimestamp();
        Limits limits = _limits;

        // Rounded by chance, so that the mean is right.
        int uses = (int)limits.Uses;
        if (limits.Uses > uses && _random.Next(1024) < (limits.Uses - uses) * 1024) uses++;
        if (!_pool.TryEnterSoon()) return;
        _pool.Add(server, inFlight, now, uses, limits.PoolSize);
        _pool.Exit();
    }

    private sealed record Limits(int PoolSize, double Uses);

    private sealed class Scheduler(RifProbing policy, PoolSnapshot snapshot) : IScheduler
    {
        private readonly Server[] _servers = snapshot.ServerArray;
        private readonly int[] _weights = snapshot.LiveWeights.ToArray();
        private readonly ProbeMembers _members = new(snapshot);
        private readonly long _age = (long)(policy._age.TotalSeconds * snapshot.Servers[0].Pool.TimestampsPerSecond);

        public Server Pick(in PickContext context, long now)
        {
            if (_servers.Length == 1) return _servers[0];
            Span<int> drawn = stackalloc int[MostProbes];
            drawn = drawn[..Math.Min(policy._probes, _servers.Length)];
            Draw(drawn);
            if (policy._probe is not { } probe) return Least(drawn, in context, now, useReports: true);

            Server? server = null;
            if (policy._pool.TryEnter())
            {
                server = policy._pool.Choose(_members, in context, now - _age);
                policy._pool.Exit();
            }

            // Answers that come at once are for the next pick.
            foreach (int index in drawn) probe.Ask(_servers[index], policy);
            if (server is not null) return server;
            (int first, int second) = policy._random.NextPair(_servers.Length);
            return Least([first, second], in context, now, useReports: false);
        }

        public SchedulerAnswer Explain(in PickContext context, long now) =>
            new(null, null, policy._probe is null ? "chance decides who is looked at" : $"the least of {policy.Answers} answers");

        // Floyd's sampling: different numbers without drawing any twice.
        private void Draw(Span<int> drawn)
        {
            for (int n = 0, top = _servers.Length - drawn.Length; n < drawn.Length; n++, top++)
            {
                int index = policy._random.Next(top + 1);
                drawn[n] = drawn[..n].Contains(index) ? top : index;
            }
        }

        private Server Least(ReadOnlySpan<int> drawn, in PickContext context, long now, bool useReports)
        {
            int best = -1;
            long least = 0;
            foreach (int index in drawn)
            {
                Server server = _servers[index];
                if (!server.HasRoom || (context.HasExclusions && context.Excludes(server))) continue;
                long load = useReports && server.Reported.TryGetInFlight(server.InFlight, now, _age, out int told) ? told : server.Load;
                if (best >= 0 && !PowerOfTwoChoices.IsLess(load, _weights[index], least, _weights[best])) continue;
                (best, least) = (index, load);
            }

            return _servers[best >= 0 ? best : drawn[0]];
        }
    }
}
