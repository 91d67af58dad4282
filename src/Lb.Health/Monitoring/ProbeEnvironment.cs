using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lb.Health;

/// <summary>What all probe loops of a host share: clock, chance, slots, counters. Any thread.</summary>
internal sealed class ProbeEnvironment(TimeProvider time, Random? random = null, ILogger? log = null, Func<ILocalAddresses>? addresses = null) : IDisposable
{
    // A pause makes all loops late at once: one line in this time is enough.
    private static readonly TimeSpan OverdueLogEvery = TimeSpan.FromSeconds(10);

    private readonly Random _random = random ?? Random.Shared;
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, ProbeSlots> _slots = new(StringComparer.OrdinalIgnoreCase);
    private volatile int _spreadPercent;
    private volatile int _history = new HealthOptions().History;
    private long _run;
    private long _failed;
    private long _overdue;
    private long? _overdueLogged;

    public TimeProvider Time => time;

    public ILogger Log { get; } = log ?? NullLogger.Instance;

    /// <summary>Runs what a thread that must not be held up has to leave to another one.</summary>
    public Action<Action> Later { get; init; } = static work => ThreadPool.UnsafeQueueUserWorkItem(static w => w(), work, preferLocal: false);

    /// <summary>Pools that are not checked because another node holds their addresses.</summary>
    public HaSuspension Suspension { get; } = new(time, addresses ?? (static () => new LocalAddresses()));

    /// <summary>Checks running now, of all pools.</summary>
    public int Running => _slots.Values.Sum(static s => s.Taken);

    public int SpreadPercent => _spreadPercent;

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

    public void Follow(LbOptions options)
    {
        _spreadPercent = options.Health.SpreadChecks;
        _history = options.Health.History;
        foreach ((string name, PoolOptions pool) in options.Pools) SlotsOf(name).SetLimit(pool.MaxConcurrentChecks ?? options.Health.MaxConcurrentChecks);
        foreach (string gone in _slots.Keys.Where(n => !options.Pools.ContainsKey(n))) _slots.TryRemove(gone, out _);
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
            long now = time.GetTimestamp();
            if (_overdueLogged is { } last && time.GetElapsedTime(last, now) < OverdueLogEvery) return;
            _overdueLogged = now;
        }

        HealthLog.ChecksOverdue(Log);
    }
}
