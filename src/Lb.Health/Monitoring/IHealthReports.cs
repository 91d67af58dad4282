namespace Lb.Health;

/// <summary>The last checks of every server, for people and pages. One for each host, from its services. Any thread.</summary>
public interface IHealthReports
{
    /// <summary>The last checks of a server, of all its kinds together, the oldest first; at most <see cref="HealthOptions.History"/>.</summary>
    /// <param name="server">Any server; one without checks, or that has left its pool, has none.</param>
    /// <returns>A copy that does not change any more.</returns>
    IReadOnlyList<HealthRecord> For(Server server);
}

/// <summary>One check that has ended.</summary>
/// <param name="Check">Kind of the check, as its <c>Type</c> says.</param>
/// <param name="Report">How it ended.</param>
/// <param name="Verdict">What this kind of check says of the server since then; others may say something else.</param>
/// <param name="Flipped">True when it said something else before.</param>
public sealed record HealthRecord(string Check, CheckReport Report, ServerHealth Verdict, bool Flipped);
