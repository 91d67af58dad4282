using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lb.Health;

/// <summary>What all probe loops of a host share: clock, chance, slots, counters. Any thread.</summary>
internal sealed class ProbeEnvironment : IDisposable
{
    // A pause makes all loops late at once: one line in this time is enough.
    private static readonly TimeSpan OverdueLogEvery = TimeSpan.FromSeconds(10);

    private readonly Random _random;
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, ProbeSlots> _slots = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<IPAddress, ProbeSlots> _hosts = [];
    private volatile int _spreadPercent;
    private volatile int _perHost;
    private volatile int _perSecond;
    private double _stretch = 1;
    private volatile int _history = new HealthOptions().History;
    private long _run;
    private long _failed;
    private long _overdue;
    private long? _overdueLogged;

    public ProbeEnvironment(TimeProvider time, Random? random = null, ILogger? log = null, Func<ILocalAddresses>? addresses = null)
    {
        Time = time;
        _random = random ?? Random.Shared;
        Log = log ?? NullLogger.Instance;
        Budget = new CheckBudget(time);
        Loops = new ProbeLoops(this);
        Suspension = new HaSuspension(time, addresses ?? (static () => new LocalAddresses()));
    }

    public TimeProvider Time { get; }

    public ILogger Log { get; }

    /// <summary>Starts in a second.</summary>
    public CheckBudget Budget { get; }

    public ProbeLoops Loops { get; }

    /// <summary>True when pools that ask the same of the same server ask it once.</summary>
    public bool ShareChecks { get; private set; } = true;

    /// <summary>Runs what a thread that must not be held up has to leave to another one.</summary>
    public Action<Action> Later { get; set; } = static work => ThreadPool.UnsafeQueueUserWorkItem(static w => w(), work, preferLocal: false);

    /// <summary>Pools that are not checked because another node holds their addresses.</summary>
    public HaSuspension Suspension { get; }

    /// <summary>Checks running now, of all pools.</summary>
    public int Running => _slots.Values.Sum(static s => s.Taken);

    /// <summary>How many times as long every interval is because <see cref="Budget"/> can't hold what is configured; 1: it can.</summary>
    public double Stretch => Volatile.Read(ref _stretch);

    public int SpreadPercent => _spreadPercent;

    /// <summary>Told how late each check started; null: nobody wants to know.</summary>
    public Action<TimeSpan>? Started { get; set; }

    /// <summary>Checks kept of each server.</summary>
    public int History => _history;

    /// <summary>Checks that have ended.</summary>
    public long Run => Volatile.Read(ref _run);

    /// <summary>Those of them that failed and counted.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Checks that were put off, or failed without counting, because this process had paused.</summary>
    public long Overdue => Volatile.Read(ref _overdue);

    /// <summary>The slots of a pool: its own, so that one whose checks all hang holds up no other.</summary>
    public ProbeSlots SlotsOf(string pool) => _slots.GetOrAdd(pool, static _ => new ProbeSlots(new HealthOptions().MaxConcurrentChecks));

    /// <summary>The slots of a host, of all pools together; null: no limit, or no IP address.</summary>
    public ProbeSlots? SlotsOf(EndPoint endPoint)
    {
        int limit = _perHost;
        return limit > 0 && endPoint is IPEndPoint ip ? _hosts.GetOrAdd(ip.Address, static (_, l) => new ProbeSlots(l), limit) : null;
    }

    public void Follow(LbOptions options)
    {
        _spreadPercent = options.Health.SpreadChecks;
        _history = options.Health.History;
        ShareChecks = options.Health.ShareChecks;
        _perSecond = options.Health.ChecksPerSecond;
        Budget.SetLimit(_perSecond);
        _perHost = options.Health.MaxConcurrentChecksPerHost;
        foreach ((IPAddress host, ProbeSlots slots) in _hosts)
        {
            // Those that wait for a limit that is no more go on.
            slots.SetLimit(_perHost == 0 ? int.MaxValue : _perHost);
            if (slots.Taken == 0) _hosts.TryRemove(host, out _);
        }

        foreach ((string name, PoolOptions pool) in options.Pools) SlotsOf(name).SetLimit(pool.MaxConcurrentChecks ?? options.Health.MaxConcurrentChecks);
        foreach (string gone in _slots.Keys.Where(n => !options.Pools.ContainsKey(n))) _slots.TryRemove(gone, out _);
    }

    /// <summary>Sets <see cref="Stretch"/> by the loops that there are. Without it a budget would hold up checks of all intervals by the same time.</summary>
    /// <returns>Checks a second that are configured.</returns>
    public double Stretched()
    {
        double wanted = Loops.All.Sum(static l => 1 / l.Plan.Options.Interval.TotalSeconds);
        Volatile.Write(ref _stretch, _perSecond == 0 ? 1 : Math.Max(1, wanted * CheckBudget.Slower / _perSecond));
        return wanted;
    }

    public void Dispose() => Suspension.Dispose();

    /// <summary>A number from 0 to below 1.</summary>
    public double Chance()
    {
        lock (_lock) return _random.NextDouble();
    }

    public void CountRun() => Interlocked.Increment(ref _run);

    public void CountFailed() => Interlocked.Increment(ref _failed);

    public void CountOverdue()
    {
        Interlocked.Increment(ref _overdue);
        lock (_lock)
        {
            long now = Time.GetTimestamp();
            if (_overdueLogged is { } last && Time.GetElapsedTime(last, now) < OverdueLogEvery) return;
            _overdueLogged = now;
        }

        HealthLog.ChecksOverdue(Log);
    }
}
