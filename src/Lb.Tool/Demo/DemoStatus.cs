namespace Lb.Tool;

/// <summary>What the demo's screen shows at one moment.</summary>
/// <param name="Elapsed">Time since the start.</param>
/// <param name="Servers">The servers.</param>
/// <param name="Requests">Requests of all clients.</param>
/// <param name="Errors">Requests without an answer.</param>
/// <param name="Retries">Connections that the gateway tried again elsewhere.</param>
/// <param name="Journal">What has happened so far.</param>
internal sealed record DemoStatus(
    TimeSpan Elapsed, IReadOnlyList<DemoStatus.Row> Servers, long Requests, int Errors, long Retries, IReadOnlyList<string> Journal)
{
    /// <summary>One server.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Status">What the pool says of it.</param>
    /// <param name="Answers">Answers that clients got from it.</param>
    /// <param name="Share">Of all answers, 0 to 1.</param>
    /// <param name="Failures">Connections that failed, as the pool counts them.</param>
    public sealed record Row(string Name, ServerStatus Status, long Answers, double Share, long Failures);
}
