using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;

namespace Lb.Health;

/// <summary>
/// Which pools are not checked now because another node holds their addresses (keepalived <c>ha_suspend</c>). Looks at nothing while no pool asks. Any
/// thread.
/// </summary>
/// <remarks>
/// A change is told by the system, but not every one: on Linux .NET hears of IPv4 addresses alone. So it is looked again every two seconds.
/// </remarks>
internal sealed class HaSuspension(TimeProvider time, Func<ILocalAddresses> open) : Deadline, IDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly DeadlineQueue _queue = DeadlineQueue.Of(time);
    private readonly ConcurrentDictionary<string, int> _times = new(StringComparer.OrdinalIgnoreCase);
    private Dictionary<string, IPAddress[]> _wanted = new(StringComparer.OrdinalIgnoreCase);
    private volatile HashSet<string> _suspended = new(StringComparer.OrdinalIgnoreCase);
    private ILocalAddresses? _addresses;
    private bool _disposed;

    /// <summary>Hears of each pool that is suspended (true) or goes on (false), after it holds; on any thread, outside all locks.</summary>
    public Action<string, bool>? Changed { get; set; }

    /// <summary>Takes over what the pools ask for.</summary>
    /// <param name="options">A valid configuration.</param>
    public void Follow(LbOptions options)
    {
        lock (_lock)
        {
            _wanted = options.Pools.Where(static p => p.Value.HaSuspend.Count > 0)
                .ToDictionary(static p => p.Key, static p => p.Value.HaSuspend.Select(IPAddress.Parse).ToArray(), StringComparer.OrdinalIgnoreCase);
            if (_wanted.Count == 0)
            {
                _queue.Remove(this);
                _addresses?.Dispose();
                _addresses = null;
            }
            else if (_addresses is null && !_disposed)
            {
                // First to hear, then to look: what comes in between is not missed.
                _addresses = open();
                _addresses.Follow(Look);
                _queue.Set(this, LookAgain);
            }
        }

        Look();
    }

    /// <summary>True when none of its addresses is on this node.</summary>
    public bool IsSuspended(string pool) => _suspended.Contains(pool);

    /// <summary>How often it was suspended so far: a check during which that changed was interrupted.</summary>
    public int Times(string pool) => _times.GetValueOrDefault(pool);

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _queue.Remove(this);
            _addresses?.Dispose();
            _addresses = null;
        }
    }

    protected internal override void Reached()
    {
        try
        {
            Look();
        }
        finally
        {
            lock (_lock)
            {
                if (_addresses is not null) _queue.Set(this, LookAgain);
            }
        }
    }

    private void Look()
    {
        List<(string Pool, bool IsSuspended)> changes = [];
        lock (_lock)
        {
            HashSet<string> suspended = new(StringComparer.OrdinalIgnoreCase);
            if (_addresses is not null)
            {
                IReadOnlySet<IPAddress> here;
                try
                {
                    here = _addresses.Read();
                }
                catch (NetworkInformationException)
                {
                    // An interface has gone while it was read: the next look will tell.
                    return;
                }

                foreach ((string pool, IPAddress[] wanted) in _wanted)
                {
                    if (!Array.Exists(wanted, here.Contains)) suspended.Add(pool);
                }
            }

            foreach (string pool in suspended.Except(_suspended, StringComparer.OrdinalIgnoreCase))
            {
                changes.Add((pool, true));
                _times.AddOrUpdate(pool, 1, static (_, before) => before + 1);
            }


            foreach (string pool in _suspended.Except(suspended, StringComparer.OrdinalIgnoreCase)) changes.Add((pool, false));
            _suspended = suspended;
        }

        foreach ((string pool, bool isSuspended) in changes) Changed?.Invoke(pool, isSuspended);
    }
}
