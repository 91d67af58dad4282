using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lb.Health;

/// <summary>What all probe loops of a host share: clock, chance, slots, counters. Any thread.</summary>
internal sealed class ProbeEnvironment(TimeProvider time, Random? random = null, ILogger? log = null)
{
    // A pause makes all loops late at once: one line in this time is enough.
    private static readonly TimeSpan OverdueLogEvery = TimeSpan.FromSeconds(10);

    private readonly Random _random = random ?? Random.Shared;
    private readonly Lock _lock = new();
    private volatile int _spreadPercent;
    private long _run;
    private long _failed;
    private long _overdue;
    private long? _overdueLogged;

    public TimeProvider Time => time;

    public ILogger Log { get; } = log ?? NullLogger.Instance;

    public ProbeSlots Slots { get; } = new(new HealthOptions().MaxConcurrentChecks);

    public int SpreadPercent => _spreadPercent;

    /// <summary>Checks that have ended.</summary>
    public long Run => Volatile.Read(ref _run);

    /// <summary>Those of them that failed and counted.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Checks that were put off, or failed without counting, because this process had paused.</summary>
    public long Overdue => Volatile.Read(ref _overdue);

    public void Follow(HealthOptions options)
    {
        _spreadPercent = options.SpreadChecks;
        Slots.SetLimit(options.MaxConcurrentChecks);
    }

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
