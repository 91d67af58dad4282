namespace Lb.Health;

/// <summary>
/// A check that passes with a condition (L7OKC, HAProxy <c>disable-on-404</c>): the server works, and asks for no new balanced traffic. Pure.
/// </summary>
internal static class SoftStop
{
    /// <summary>What a result means: the condition is one of servers that are up, and never brings one up.</summary>
    /// <param name="result">The check.</param>
    /// <param name="health">What is known of the server, by all of its checks.</param>
    public static ProbeResult Judge(ProbeResult result, ServerHealth health) =>
        result.Status == CheckStatus.Layer7OkConditional && health == ServerHealth.Down ? result with { Status = CheckStatus.Layer7Status } : result;

    /// <summary>Whether the server asks for no new balanced traffic after a check.</summary>
    /// <param name="before">Whether it did.</param>
    /// <param name="status">How the check ended: one that failed, alone, lifts nothing.</param>
    /// <param name="isUp">The verdict with it.</param>
    public static bool IsStopping(bool before, CheckStatus status, bool isUp) => isUp && status switch
    {
        CheckStatus.Layer7OkConditional => true,
        CheckStatus.Layer4Ok or CheckStatus.Layer6Ok or CheckStatus.Layer7Ok => false,
        _ => before,
    };
}
