namespace Lb.Health;

/// <summary>
/// One way to find out whether a server works. One object checks all servers of a pool, several at a time: it must be safe for any thread and keep no
/// state between checks.
/// </summary>
/// <remarks>
/// A checker makes one attempt and decides nothing else: counting, intervals and the pool belong to the loop that calls it. It must not block a thread.
/// </remarks>
public interface IHealthChecker
{
    /// <summary>Checks one server once. Failures that are to be expected are results, not exceptions; an exception counts as a failed check.</summary>
    /// <param name="target">The server, and how long each stage may take.</param>
    /// <param name="ct">Cancelled when the whole check has had its time, or when the checks stop: return at once, with the time-out status of the stage reached.</param>
    ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct);

    /// <summary>
    /// True for a check that passes on what a server says of itself, and judges nothing: only <see cref="ProbeAdvice.Health"/> of its results counts, a
    /// failed one changes nothing, and it goes on while the server has put itself into maintenance. Default false.
    /// </summary>
    bool OnlyAdvises => false;
}
