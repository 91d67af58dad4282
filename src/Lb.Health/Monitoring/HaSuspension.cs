using System.Net;
using System.Net.NetworkInformation;

namespace Lb.Health;

/// <summary>
/// Which pools are not checked now because another node holds their addresses (keepalived <c>ha_suspend</c>). Looks at nothing while no pool asks. Any
/// thread.
/// </summary>
/// <remarks>
/// A change is told by the system. A pool that was suspended for ever by a lost message would be worse than a few system calls, so while one is
/// suspended its loops look again every ten seconds.
/// </remarks>
internal sealed class HaSuspension(TimeProvider time, Func<ILocalAddresses> open) : IDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private Dictionary<string, IPAddress[]> _wanted = new(StringComparer.OrdinalIgnoreCase);
    private volatile HashSet<string> _suspended = new(StringComparer.OrdinalIgnoreCase);
    private ILocalAddresses? _addresses;
    private long _lookedAt;
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
                _addresses?.Dispose();
                _addresses = null;
            }
            else if (_addresses is null && !_disposed)
            {
                // First to hear, then to look: what comes in between is not missed.
                _addresses = open();
                _addresses.Follow(Look);
            }
        }

        Look();
    }

    /// <summary>True when none of its addresses is on this node.</summary>
    public bool IsSuspended(string pool)
    {
        if (!_suspended.Contains(pool)) return false;
        bool isOld;
        lock (_lock) isOld = time.GetElapsedTime(_lookedAt) >= LookAgain;
        if (isOld) Look();
        return _suspended.Contains(pool);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _addresses?.Dispose();
            _addresses = null;
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
                _lookedAt = time.GetTimestamp();
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

            foreach (string pool in suspended.Except(_suspended, StringComparer.OrdinalIgnoreCase)) changes.Add((pool, true));
            foreach (string pool in _suspended.Except(suspended, StringComparer.OrdinalIgnoreCase)) changes.Add((pool, false));
            _suspended = suspended;
        }

        foreach ((string pool, bool isSuspended) in changes) Changed?.Invoke(pool, isSuspended);
    }
}
