namespace Lb.Peers;

/// <summary>A goal beside that of <c>lb-epoll</c> against HAProxy: of another driver, or against another peer.</summary>
/// <param name="Load">Under this load.</param>
/// <param name="Proxy">Whose.</param>
/// <param name="Baseline">Against this proxy, in the same round.</param>
/// <param name="Most">Not above this ratio.</param>
internal sealed record FurtherGoal(Load Load, string Proxy, string Baseline, double Most)
{
    public static IReadOnlyList<FurtherGoal> All { get; } =
    [
        new(Load.Bulk, "lb-epoll", "haproxy-splice", 0.75),
        new(Load.Messages, "lb-managed", "haproxy", 1.60),
    ];

    /// <summary>The ratio; NaN when one of the two was not measured.</summary>
    public double Of(Results results) => Results.Median(results.Ratios(Load, Proxy, Baseline));

    /// <summary>Null when it was not measured.</summary>
    public bool? IsMet(Results results) => double.IsNaN(Of(results)) ? null : Of(results) <= Most;
}
