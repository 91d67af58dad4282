using System.Net;

namespace Lb;

/// <summary>
/// A named set of servers, the policy that chooses among them, and the queue for when all are full. Any thread may call any member. Readers follow
/// one reference to an immutable (snapshot, scheduler) pair; writers take one lock and return after the new pair is published.
/// </summary>
public sealed partial class ServerPool
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly EventHub? _events;
    private readonly WaitQueue _queue = new();
    private readonly List<Server> _servers = [];

    // What was known of servers that left, for those that are added again with InitState.None.
    private readonly Dictionary<string, ServerHealth> _parted = new(StringComparer.OrdinalIgnoreCase);

    private volatile SourceAffinity? _affinity;
    private volatile Published _published = Published.Empty;
    private volatile PoolSettings _settings;
    private volatile Server[] _all = [];
    private Placement _placement;
    private Eligibility.Rules _rules;
    private Eligibility.Decision _decision = Eligibility.Decision.Nothing;
    private bool _checked;
    private int _nextId = 1;
    private long _version;
    private long _misuse;
    private long _badReports;

    /// <summary>Makes a pool. Hosts get theirs from dependency injection (<c>AddServerPool</c>); this is for tests and for use without a host.</summary>
    /// <param name="name">Its name, for logs, events and metrics.</param>
    /// <param name="options">Servers, policy and limits; validated.</param>
    /// <param name="defaults">Values that <paramref name="options"/> leaves open; default: those of <see cref="DefaultsOptions"/>.</param>
    /// <param name="time">The clock; default <see cref="TimeProvider.System"/>.</param>
    /// <param name="events">Where changes are told; default: nowhere.</param>
    /// <exception cref="ArgumentException">The options are not valid; the message lists every fault.</exception>
    public ServerPool(string name, PoolOptions options, DefaultsOptions? defaults = null, TimeProvider? time = null, EventHub? events = null)
        : this(name, options, defaults ?? new DefaultsOptions(), SchedulingPolicies.BuiltIn, time ?? TimeProvider.System, events)
    {
    }

    internal ServerPool(
        string name, PoolOptions options, DefaultsOptions defaults, SchedulingPolicies policies, TimeProvider time, EventHub? events,
        IReadOnlyDictionary<string, IPAddress>? addresses = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(options);
        List<ConfigurationError> errors = [];
        PoolValidation.Validate(name, options, policies, errors);
        if (errors.Count > 0) throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));

        Name = name;
        _time = time;
        _events = events;
        TimestampsPerSecond = time.TimestampFrequency;
        _protections = PoolProtections.From(options, TimestampsPerSecond);
        RetryBudget = new RetryBudget(new RetryBudgetOptions(), ActiveLeases);
        _settings = PoolSettings.From(options, defaults);
        _chance = options.Random;
        _placement = Place(() => policies.Create(options));
        Apply(options, defaults, policies, addresses);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Name of the scheduling policy, or of its type when it was given as an object.</summary>
    public string PolicyName { get; private set; } = "";

    /// <summary>Time-outs and retries.</summary>
    public PoolSettings Settings => _settings;

    /// <summary>All servers, in the order of joining, usable or not.</summary>
    public IReadOnlyList<Server> Servers => _all;

    /// <summary>The servers that may be picked right now, or null when there is none.</summary>
    public PoolSnapshot? Snapshot => _published.Snapshot;

    /// <summary>How the candidates are chosen at the moment.</summary>
    public PoolMode Mode => _published.Mode;

    /// <summary>Limits retries: whoever sends work again asks it first.</summary>
    public RetryBudget RetryBudget { get; }

    /// <summary>True when attempts to connect ask the budget too: the configuration has set it.</summary>
    public bool LimitsAttempts { get; private set; }

    /// <summary>Callers that wait for a free slot.</summary>
    public int QueueLength => _queue.Count;

    /// <summary>Leases completed more than once, as far as they can be told (see <see cref="ServerLease.Complete"/>): a fault of the caller's.</summary>
    public long LeaseMisuses => Volatile.Read(ref _misuse);

    /// <summary>Load reports that were ignored because their values make no sense.</summary>
    public long BadLoadReports => Volatile.Read(ref _badReports);

    internal long TimestampsPerSecond { get; }

    /// <summary>Takes over what a server says of its own load, for policies that go by it. Any thread, often; neither locks nor allocates.</summary>
    /// <param name="server">A server of this pool; another one's report is ignored.</param>
    /// <param name="report">The report.</param>
    public void ReportLoad(Server server, in LoadReport report)
    {
        ArgumentNullException.ThrowIfNull(server);
        if (!ReferenceEquals(server.Pool, this)) return;
        if (!server.Reported.Take(in report, server.InFlight, _time.GetTimestamp())) Interlocked.Increment(ref _badReports);
    }

    /// <summary>The server of that name, or null. Names are compared without regard to case.</summary>
    /// <param name="name">The name.</param>
    public Server? Find(string name)
    {
        foreach (Server server in _all)
        {
            if (string.Equals(server.Name, name, StringComparison.OrdinalIgnoreCase)) return server;
        }

        return null;
    }

    internal long GetTimestamp() => _time.GetTimestamp();

    internal TimeSpan GetElapsedTime(long started, long now) => _time.GetElapsedTime(started, now);

    internal void CountLeaseMisuse() => Interlocked.Increment(ref _misuse);

    /// <summary>What readers see: two facts that must agree, behind one reference.</summary>
    private sealed record Published(PoolSnapshot? Snapshot, IScheduler? Scheduler, PoolMode Mode, HashPreserveAffinity Affinity, IKeyedPolicy? Keyed, int MaxConnections)
    {
        public static Published Empty { get; } = new(null, null, PoolMode.Down, HashPreserveAffinity.MaxConn, Keyed: null, MaxConnections: 0);

        /// <summary>The limit of some server goes by the load of the pool.</summary>
        public bool HasDynamicLimits { get; init; }

        /// <summary>True when a key decides this pick; without one the policy takes turns.</summary>
        public bool HasKey(in PickContext context) => Keyed?.TryGetKey(in context, out _) ?? PickHash.TryGet(in context, out _);
    }

    private static EndPoint ParseEndPoint(string address) =>
        ServerAddress.TryParse(address, out EndPoint? endPoint, out _) ? endPoint : throw new ArgumentException($"'{address}' is no address.", nameof(address));
}
