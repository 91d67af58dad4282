using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lb.Health;

/// <summary>How one pool is, for the host's own health. Pure.</summary>
/// <param name="Name">The pool.</param>
/// <param name="Mode">Whom it chooses from.</param>
/// <param name="HasQuorum">Whether it has the weight that it needs.</param>
/// <param name="Up">Main servers that take balanced traffic.</param>
/// <param name="Servers">Main servers that may.</param>
internal readonly record struct PoolVerdict(string Name, PoolMode Mode, bool HasQuorum, int Up, int Servers)
{
    public static PoolVerdict Of(ServerPool pool)
    {
        int up = 0, servers = 0;
        foreach (Server server in pool.Servers)
        {
            if (server.Backup || server.Weight == 0 || server.Standing != ServerAdmin.Ready || server.Health == ServerHealth.Stopping || server.Sorry) continue;
            servers++;
            if (server.Status == ServerStatus.Up) up++;
        }

        // A quorum of 1, the default, says no more than the mode does: one of the main servers is left.
        return new PoolVerdict(pool.Name, pool.Mode, pool.HasQuorum || pool.Settings.Quorum <= 1, up, servers);
    }

    /// <summary>Nobody to pick, no quorum or too few: <paramref name="worst"/>. Others than the main servers, or some missing: degraded.</summary>
    /// <param name="options">The limits.</param>
    /// <param name="worst">What the host calls unhealthy.</param>
    public HealthStatus Judge(ServerPoolsHealthOptions options, HealthStatus worst)
    {
        if (Mode is PoolMode.Down or PoolMode.Sorry || !HasQuorum || IsBelow(options.UnhealthyBelow)) return worst;
        return Mode != PoolMode.Normal || IsBelow(options.DegradedBelow) ? (HealthStatus)Math.Max((int)worst, (int)HealthStatus.Degraded) : HealthStatus.Healthy;
    }

    /// <summary><c>web: 2 of 3 servers up, backups serve</c></summary>
    public override string ToString()
    {
        string mode = Mode switch
        {
            PoolMode.Backup => ", backups serve",
            PoolMode.Panic => ", health is ignored",
            PoolMode.LastKnownGood => ", the last that were up serve",
            PoolMode.Sorry => ", the sorry server serves",
            PoolMode.Down => ", nobody serves",
            _ => "",
        };
        return string.Create(CultureInfo.InvariantCulture, $"{Name}: {Up} of {Servers} servers up{mode}{(HasQuorum ? "" : ", no quorum")}");
    }

    private bool IsBelow(int percent) => (long)Up * 100 < (long)Servers * percent;
}
