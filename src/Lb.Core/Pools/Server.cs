using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;

namespace Lb;

/// <summary>
/// A server of a pool. It lives as long as it stays in the pool: health flips, new weights and reloads change it, never replace it, so its counters
/// go on. Properties may be read by any thread; only the pool writes.
/// </summary>
public sealed partial class Server
{
    // In-flight leases in the low 24 bits, leases ever taken above: one interlocked operation a pick instead of two.
    private const int InFlightBits = 24;
    private const long InFlightMask = (1L << InFlightBits) - 1;
    private const long OneLease = (1L << InFlightBits) + 1;

    // The largest limit. What lies above it in the low part is a count below zero.
    internal const int MaxInFlight = 16_000_000;

    // A failure is no fast answer: it weighs as much as a very slow one.
    private static readonly TimeSpan FailurePenalty = TimeSpan.FromSeconds(5);

    private PaddedLong _load;
    private long _failures;
    private long _ignored;
    private int _queued;
    private long _averageLatency;
    private RateMeter _rate;
    private PeakEwma _peak;
    private LoadReportCell _reported;

    // Counted by the pool: see ServerPool.ObserveEnd.
    internal int ObservedFailures;

    // Null unless a policy wants it: then one more interlocked write for each change of the load.
    private volatile LoadMirror? _mirror;

    private volatile EndPoint _endPoint;
    private volatile string? _hostName;
    private volatile CheckReport? _lastCheck;
    private volatile CheckReport? _lastAgentCheck;

    internal Server(ServerPool pool, int id, int slot, ServerOptions options, EndPoint endPoint)
    {
        Pool = pool;
        Id = id;
        Slot = slot;
        Name = options.NameOrAddress;
        Backup = options.Backup;
        InitState = options.InitState;
        _endPoint = endPoint;
    }

    /// <summary>The pool it belongs to.</summary>
    public ServerPool Pool { get; }

    /// <summary>Number in the pool, from 1 in the order of joining; never used again in the pool's life.</summary>
    public int Id { get; }

    /// <summary>Name, unique in the pool.</summary>
    public string Name { get; }

    /// <summary>Where it is reached: an <see cref="IPEndPoint"/>, a Unix socket, or a <see cref="DnsEndPoint"/> that has not been looked up yet.</summary>
    public EndPoint EndPoint
    {
        get => _endPoint;
        internal set => _endPoint = value;
    }

    /// <summary>The host name that its address was given by, looked up or not; null: an IP address or a Unix socket.</summary>
    public string? HostName
    {
        get => _hostName;
        internal set => _hostName = value;
    }

    /// <summary>Configured weight, 0 to 256.</summary>
    public int Weight { get; internal set; }

    /// <summary>Most leases at a time; 0 = no limit.</summary>
    public int MaxConnections { get; internal set; }

    /// <summary>Most leases at a time while the pool is quiet; with its load the limit grows to <see cref="MaxConnections"/>. 0 = it does not change.</summary>
    public int MinConnections { get; internal set; }

    /// <summary>True for a backup server.</summary>
    public bool Backup { get; internal set; }

    /// <summary>Its level, 0 (first) to 127: traffic goes to a level as far as those before it can't take it.</summary>
    public int Priority { get; internal set; }

    /// <summary>The zone where it stands; null = nowhere.</summary>
    public string? Zone { get; internal set; }

    /// <summary>What it is told of each client before everything else.</summary>
    public ProxySending SendProxy { get; internal set; }

    /// <summary>How a gateway connects to it, beyond the address.</summary>
    public ServerConnecting Connecting { get; internal set; } = ServerConnecting.Plain;

    /// <summary>What is taken of it before its first check.</summary>
    public InitState InitState { get; internal set; }

    /// <summary>The server whose health it takes over, as <c>pool/server</c>; null: its health is its own.</summary>
    public string? Track { get; internal set; }

    /// <summary>What the checks say, remembered also in maintenance.</summary>
    public ServerHealth Health { get; internal set; }

    /// <summary>What the administrator says.</summary>
    public ServerAdmin Admin { get; internal set; }

    /// <summary>What the server's own agent says (check <c>agent</c>); <see cref="ServerAdmin.Ready"/> without one.</summary>
    public ServerAdmin Agent { get; internal set; }

    /// <summary>Administrator and agent together: the stricter of the two holds, so neither lifts what the other has said.</summary>
    public ServerAdmin Standing => Admin > Agent ? Admin : Agent;

    /// <summary>Health, administration and weight in one word; maintenance wins, then health, then what the server asks for, then drain.</summary>
    public ServerStatus Status =>
        Standing == ServerAdmin.Maintenance ? ServerStatus.Maintenance
        : Health == ServerHealth.Down ? ServerStatus.Down
        : Ejection is not null ? ServerStatus.Ejected
        : Health == ServerHealth.Stopping ? ServerStatus.Stopping
        : Standing == ServerAdmin.Drain || Weight == 0 ? ServerStatus.Drain
        : ServerStatus.Up;

    /// <summary>When <see cref="Status"/> last changed, or when the server joined.</summary>
    public DateTimeOffset LastChange { get; internal set; }

    /// <summary>The last health check, or null before the first.</summary>
    public CheckReport? LastCheck
    {
        get => _lastCheck;
        internal set => _lastCheck = value;
    }

    /// <summary>The last answer of its agent, or why there was none; null without an agent.</summary>
    public CheckReport? LastAgentCheck
    {
        get => _lastAgentCheck;
        internal set => _lastAgentCheck = value;
    }

    /// <summary>Leases open now.</summary>
    public int InFlight => (int)(Volatile.Read(ref _load.Value) & InFlightMask);

    /// <summary>Callers that wait for this very server (sticky ones); those that would take any server are counted by the pool.</summary>
    public int Queued => Volatile.Read(ref _queued);

    /// <summary>Leases open now plus callers waiting for it: what load-aware policies compare.</summary>
    public int Load => InFlight + Queued;

    /// <summary>Leases ever taken.</summary>
    public long TotalLeases => Volatile.Read(ref _load.Value) >>> InFlightBits;

    /// <summary>Leases that ended as <see cref="LeaseOutcome.Failure"/>.</summary>
    public long TotalFailures => Volatile.Read(ref _failures);

    /// <summary>Leases that ended as <see cref="LeaseOutcome.Ignored"/>: the caller gave up.</summary>
    public long TotalIgnored => Volatile.Read(ref _ignored);

    /// <summary>Moving average of the samples of <see cref="ServerLease.Responded()"/>, each new one weighing 1/8; zero before the first.</summary>
    public TimeSpan AverageLatency => TimeSpan.FromTicks(Volatile.Read(ref _averageLatency));

    /// <summary>True when one more lease would be admitted: below the limit, and nobody waits for this very server.</summary>
    public bool HasRoom => Limit == 0 || HasRoomBelow(Limit);

    /// <summary>Leases taken during the last second, as HAProxy's frequency counters estimate it.</summary>
    /// <param name="now">A timestamp of the pool's clock.</param>
    public double LeaseRate(long now) => _rate.Read(TotalLeases, now, Pool.TimestampsPerSecond);

    /// <summary>The peak-sensitive average of the latency samples in microseconds, as it is now; 0 before the first. A failure counts as 5 s.</summary>
    /// <param name="now">A timestamp of the pool's clock.</param>
    public double PeakLatency(long now) => _peak.Read(Milliseconds(now));

    /// <summary>What the server says of its own load.</summary>
    internal ref LoadReportCell Reported => ref _reported;

    private uint Milliseconds(long now) => (uint)(now / Math.Max(1, Pool.TimestampsPerSecond / 1000));

    /// <summary>Position in the pool's bit sets; used again after a removal.</summary>
    internal int Slot { get; }

    internal bool InUse { get; set; }

    /// <summary>What the configuration said last: a reload changes only what it says anew, so weights set at run time stay.</summary>
    internal (int Weight, int MaxConnections, string Address)? Configured { get; set; }

    /// <summary>Claims a slot. A newcomer stays behind those who wait for this very server.</summary>
    internal bool TryEnter(bool isNewcomer)
    {
        int limit = Limit;
        if (limit == 0)
        {
            Interlocked.Add(ref _load.Value, OneLease);
            _mirror?.Update(this);
            return true;
        }

        if (limit < 0) return TryEnterTrial(isNewcomer);

        return !(isNewcomer && Queued > 0) && TryEnterBelow(limit);
    }

    private bool TryEnterBelow(int limit)
    {
        // The count never goes above the limit, not even for a moment: one who waits and is woken by a release must not find the slot taken by a try
        // that is about to fail.
        long load = Volatile.Read(ref _load.Value);
        while ((load & InFlightMask) < limit)
        {
            long seen = Interlocked.CompareExchange(ref _load.Value, load + OneLease, load);
            if (seen == load)
            {
                _mirror?.Update(this);
                return true;
            }

            load = seen;
        }

        return false;
    }

    internal void Leave(LeaseOutcome outcome, long started)
    {
        if ((Interlocked.Decrement(ref _load.Value) & InFlightMask) > MaxInFlight)
        {
            // A lease was completed twice, perhaps by several at a time. The count must not stay below zero, or this server would look full for ever.
            Interlocked.Increment(ref _load.Value);
            _mirror?.Update(this);
            Pool.CountLeaseMisuse();
            return;
        }

        _mirror?.Update(this);

        if (outcome.IsFailure)
        {
            Interlocked.Increment(ref _failures);
            _peak.Observe(FailurePenalty, Milliseconds(Pool.GetTimestamp()));
        }
        else if (outcome.IsIgnored) Interlocked.Increment(ref _ignored);

        // A success of a server that has nothing to make up for ends here: one read.
        if (!outcome.IsSuccess || _isWatched) Pool.Heard(this, outcome, started);
    }

    internal void Sample(TimeSpan latency, long now, long started)
    {
        if (_isWatched) Pool.HeardResponse(this, started);
        _peak.Observe(latency, Milliseconds(now));

        // Two samples at the same moment may overwrite each other: an average forgives that, a lock here would cost every request.
        long sample = Math.Max(1, latency.Ticks);
        long average = Volatile.Read(ref _averageLatency);
        Volatile.Write(ref _averageLatency, average == 0 ? sample : average + ((sample - average) / 8));
    }

    internal void AddQueued(int change)
    {
        int queued = Interlocked.Add(ref _queued, change);
        Debug.Assert(queued >= 0, "A waiter left the queue twice.");
        _mirror?.Update(this);
    }

    /// <summary>Has the load written through to a mirror, and no longer to the one before; null = to none. Under the pool's lock.</summary>
    internal void Attach(LoadMirror? mirror)
    {
        LoadMirror? before = _mirror;
        if (!ReferenceEquals(before, mirror)) before?.Retire();
        _mirror = mirror;

        // Whoever changed the load without having seen the mirror did so before this fence, so its change is seen here.
        Interlocked.MemoryBarrier();
        mirror?.Update(this);
    }

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    // Alone on its cache lines: it is the one word that every thread writes.
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct PaddedLong
    {
        [FieldOffset(64)]
        public long Value;
    }
}
