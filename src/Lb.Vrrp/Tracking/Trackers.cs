using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>Makes the tracker of an item.</summary>
internal static class Trackers
{
    /// <param name="options">A valid item.</param>
    /// <param name="poolOf">Finds a pool by its name.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Where restarts are logged.</param>
    /// <returns>Null for an interface, which the loop of the routers watches itself.</returns>
    public static ITracker? Create(RouterTrackOptions options, Func<string, ServerPool> poolOf, TimeProvider time, ILogger logger)
    {
        if (options.Pool is { } pool) return new PoolTracker(poolOf(pool));
        if (options.Command.Count > 0) return new CommandTracker(options, time, logger);
        if (options.Process is not null) return new ProcessTracker(options, time, logger);
        if (options.Check is { } check) return new DelegateTracker("code of the host's", check, options, time, logger);
        return options.File is not null ? new FileTracker(options, time) : null;
    }
}
