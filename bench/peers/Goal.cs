using System.Globalization;

namespace Lb.Peers;

/// <summary>What is promised of one proxy under one load.</summary>
/// <param name="Load">The load.</param>
/// <param name="Proxy">Whose figure.</param>
/// <param name="Against">Divided by this proxy's in the same round; null: the figure itself.</param>
/// <param name="Must">Not above this.</param>
/// <param name="Aim">Where we would like to be.</param>
internal sealed record Goal(Load Load, string Proxy, string? Against, double Must, double Aim)
{
    public static IReadOnlyList<Goal> All { get; } =
    [
        new(Load.Messages, "lb-epoll", "haproxy", 1.00, 0.85),
        new(Load.Messages, "lb-io_uring", "haproxy", 0.90, 0.75),
        new(Load.Messages, "lb-managed", "haproxy", 1.60, 1.10),
        new(Load.Connections, "lb-epoll", "haproxy", 1.00, 0.85),
        new(Load.Bulk, "lb-epoll", "haproxy", 0.45, 0.25),
        new(Load.Bulk, "lb-epoll", "haproxy-splice", 0.75, 0.50),
        new(Load.Udp, "lb-epoll", "nginx", 0.90, 0.50),
        new(Load.Latency, "lb-epoll", "haproxy", 1.10, 0.90),
        new(Load.Loops, "lb-2loops", "lb-1loop", 1.10, 1.05),
        new(Load.Idle, "lb-epoll", null, 0.50, 0.20),
        new(Load.TlsMessages, "lb-epoll", "haproxy", 1.60, 1.15),
        new(Load.TlsConnections, "lb-epoll", "haproxy", 1.10, 0.90),
        new(Load.TlsBulk, "lb-epoll", "haproxy", 1.25, 1.00),
    ];

    /// <summary>What was measured: the ratio in each round, or the figure itself. Empty when one of the two was not measured.</summary>
    public IReadOnlyList<double> Of(Results results) => Against is null ? [.. results.Of(Load, Proxy).Select(static m => m.Value)] : results.Ratios(Load, Proxy, Against);

    /// <summary>Null when it was not measured.</summary>
    public bool? IsMet(Results results) => Of(results) is { Count: > 0 } values ? Results.Median(values) <= Must : null;

    /// <summary>A line of the table.</summary>
    public string Row(Results results)
    {
        IReadOnlyList<double> values = Of(results);
        double median = Results.Median(values);
        string verdict = median <= Aim ? "pass, aim reached" : median <= Must ? "pass" : "**FAIL**";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {Load.Name} | {Proxy} | {(Against is null ? Load.Unit : "to " + Against)} | {median:0.00} ({values.Min():0.00}–{values.Max():0.00}) | ≤ {Must:0.00} | {Aim:0.00} | {verdict} |");
    }
}
