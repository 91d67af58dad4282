namespace Lb;

/// <content>What servers say of themselves, through an agent or a program that checks them.</content>
public sealed partial class ServerPool
{
    /// <summary>
    /// Takes over what a server's agent says. It is kept beside the administrator's word and the stricter of the two holds: an agent can't take a
    /// server out of the administrator's maintenance. Returns after the new snapshot is published.
    /// </summary>
    /// <param name="server">A server of this pool; one that has left is ignored.</param>
    /// <param name="agent">Ready, drain or maintenance.</param>
    /// <param name="cause">Why, for people; default: none.</param>
    public void SetAgent(Server server, ServerAdmin agent, string? cause = null) => Change(server, cause, s => s.Agent = agent);

    /// <summary>Gives a server a share of the weight that its configuration says (HAProxy <c>set weight 75%</c>), from the next pick on.</summary>
    /// <param name="server">A server of this pool; one that has left is ignored.</param>
    /// <param name="percent">0 to 25 600. The weight is rounded down, but not to 0 unless <paramref name="percent"/> is; it is 256 at most.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="percent"/> is out of range.</exception>
    public void SetWeightPercent(Server server, int percent)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentOutOfRangeException.ThrowIfNegative(percent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 25_600);
        lock (_lock)
        {
            // An agent says the same again and again: nothing is built anew for that.
            int weight = Share(server.Configured?.Weight ?? server.Weight, percent);
            if (!server.InUse || !ReferenceEquals(server.Pool, this) || weight == server.Weight) return;
            ChangeAndTell(server, "weight", s => s.Weight = weight);
            Publish();
        }

        TellWatchers();
    }

    /// <summary>Forgets what a server's agent has said: state, weight and limit are again those of administrator and configuration.</summary>
    /// <param name="server">A server of this pool; one that has left is ignored.</param>
    public void ForgetAgent(Server server) => Change(server, "no agent any more", static s =>
    {
        s.Agent = ServerAdmin.Ready;
        s.LastAgentCheck = null;
        if (s.Configured is not { } configured) return;
        s.Weight = configured.Weight;
        s.MaxConnections = configured.MaxConnections;
    });

    /// <summary>Keeps the last answer of a server's agent for people and pages; decides nothing.</summary>
    /// <param name="server">A server of this pool.</param>
    /// <param name="report">The answer.</param>
    public static void ReportAgentCheck(Server server, CheckReport report)
    {
        ArgumentNullException.ThrowIfNull(server);
        server.LastAgentCheck = report;
    }

    // HAProxy rounds 75 % of 1 down to 0, which drains a server that is well: here only 0 % is 0.
    private static int Share(int weight, int percent) =>
        weight == 0 || percent == 0 ? 0 : Math.Clamp(weight * percent / 100, 1, 256);
}
