using System.Globalization;
using System.Text.RegularExpressions;

namespace Lb.Peers;

/// <summary>How much a load got done: requests, or bytes for bulk; and every error that a client saw.</summary>
/// <param name="P99">For <see cref="Load.Latency"/>: 99 % of the answers came within so many µs; else NaN.</param>
internal sealed record WorkDone(double Units, IReadOnlyList<string> Errors, double P99 = double.NaN);

/// <summary>A load and its unit.</summary>
/// <param name="Name">The word of --loads.</param>
/// <param name="Unit">Unit of the value that is reported for each proxy.</param>
/// <param name="RateUnit">Unit of the rate, for information.</param>
/// <param name="ValueScale">CPU seconds per unit of work times this is the value.</param>
internal sealed partial record Load(string Name, string Unit, string RateUnit, double ValueScale)
{
    private const int BulkConnections = 4;
    private const int PacedConnections = 64;
    private const int PacedRate = 6400;
    private const int UdpFlows = 16;
    private const int UdpSize = 200;
    private const int UdpWindow = 32;

    public static Load Messages { get; } = new("messages", "µs/request", "requests/s", 1e6);

    public static Load Connections { get; } = new("connections", "µs/connection", "connections/s", 1e6);

    public static Load Bulk { get; } = new("bulk", "s/GB", "GB/s", 1);

    public static Load Udp { get; } = new("udp", "µs/round trip", "round trips/s", 1e6) { Baseline = "nginx" };

    /// <summary>What the proxy adds to the 99th percentile of the backend alone.</summary>
    public static Load Latency { get; } = new("latency", "µs added at p99", "requests/s", 1);

    /// <summary>Messages again, to proxies that may use every processor: what a second loop costs.</summary>
    public static Load Loops { get; } = new("loops", "µs/request", "requests/s", 1e6) { Baseline = "lb-1loop" };

    public static Load Idle { get; } = new("idle", "KiB/connection", "connections", 1);

    public static Load TlsMessages { get; } = new("tls-messages", "µs/request", "requests/s", 1e6);

    public static Load TlsConnections { get; } = new("tls-connections", "µs/connection", "connections/s", 1e6);

    public static Load TlsBulk { get; } = new("tls-bulk", "s/GB", "GB/s", 1);

    public static IReadOnlyList<Load> All { get; } = [Messages, Connections, Bulk, Udp, Latency, Loops, Idle, TlsMessages, TlsConnections, TlsBulk];

    /// <summary>Those of every run that does not say which.</summary>
    public static IReadOnlyList<Load> Default { get; } = [Messages, Connections, Bulk, Udp, Latency, Idle];

    /// <summary>It comes to the proxy's TLS port.</summary>
    public bool IsTls => Name.StartsWith("tls-", StringComparison.Ordinal);

    /// <summary>Its unit of work is a byte.</summary>
    public bool IsBulk => this == Bulk || this == TlsBulk;

    /// <summary>The proxy that ratios are to.</summary>
    public string Baseline { get; private init; } = "haproxy";

    /// <summary>HAProxy relays no UDP; the proxies of <see cref="Loops"/> are for nothing else.</summary>
    public bool IsFor(string proxy) => ProxyPlan.IsFree(proxy) ? this == Loops : this != Loops && (this != Udp || !proxy.StartsWith("haproxy", StringComparison.Ordinal));

    /// <summary>Puts the load on a port. Not for <see cref="Idle"/>, which is no flow of work.</summary>
    public Task<WorkDone> RunAsync(int port, int seconds, Options options, TimeProvider time, CancellationToken ct) => Name switch
    {
        "messages" or "loops" => WrkAsync(port, ["-c64"], seconds, options, time, ct),
        "connections" => WrkAsync(port, ["-c32", "-H", "Connection: close"], seconds, options, time, ct),
        "udp" => UdpAsync(port, seconds, options, time, ct),
        "latency" => PacedAsync(port, seconds, options, time, ct),
        "bulk" => FetchAsync(port, seconds, options, time, ct),
        "tls-messages" => WrkAsync(port, ["-c64"], seconds, options, time, ct, isTls: true),
        "tls-connections" => WrkAsync(port, ["-c32", "-H", "Connection: close"], seconds, options, time, ct, isTls: true),
        "tls-bulk" => WrkAsync(port, ["-c4"], seconds, options, time, ct, isTls: true, isBulk: true),
        _ => throw new ArgumentException($"{Name} is no flow of work", nameof(port)),
    };

    private static async Task<WorkDone> WrkAsync(int port, string[] more, int seconds, Options options, TimeProvider time, CancellationToken ct, bool isTls = false, bool isBulk = false)
    {
        string url = isTls ? $"https://127.0.0.1:{port + Workspace.TlsOffset}{(isBulk ? Workspace.BulkPath : "/")}" : $"http://127.0.0.1:{port}/";
        string[] command = ["wrk", "-t1", $"-d{seconds}s", .. more, url];
        Child wrk = await Child.RunAsync("wrk", options.ClientCpu, command, Limit(seconds), time, ct);
        Match requests = RequestsOfWrk().Match(wrk.Output);
        List<string> errors = [.. ErrorsOfWrk().Matches(wrk.Output).Select(static m => m.Value.Trim())];
        if (!requests.Success || wrk.ExitCode != 0) errors.Add($"wrk ended with exit code {wrk.ExitCode}: {wrk.Output.Trim()}");
        if (isBulk) return new(BytesOfWrk().Match(wrk.Output) is { Success: true } bytes ? Gigabytes(bytes) : 0, errors);
        return new(requests.Success ? Number(requests) : 0, errors);
    }

    // Wrk's units are powers of 1024.
    private static double Gigabytes(Match match) => Number(match) * (match.Groups[2].Value == "GB" ? 1L << 30 : 1L << 20) / 1e9;

    private static async Task<WorkDone> FetchAsync(int port, int seconds, Options options, TimeProvider time, CancellationToken ct)
    {
        string[] command = [.. Outside.Self, "client", "bulk", $"{port}", $"{BulkConnections}", $"{seconds}"];
        Child client = await Child.RunAsync("bulk client", options.ClientCpu, command, Limit(seconds), time, ct);
        Match bytes = BytesOfClient().Match(client.Output);
        string[] errors = [.. client.Output.Split('\n').Where(static l => l.StartsWith("error ", StringComparison.Ordinal))];
        if (!bytes.Success) errors = [.. errors, $"the bulk client ended with exit code {client.ExitCode}: {client.Output.Trim()}"];
        return new(bytes.Success ? Number(bytes) / 1e9 : 0, errors);
    }

    private static async Task<WorkDone> PacedAsync(int port, int seconds, Options options, TimeProvider time, CancellationToken ct)
    {
        string[] command = [.. Outside.Self, "client", "latency", $"{port}", $"{PacedConnections}", $"{PacedRate}", $"{seconds}"];
        Child client = await Child.RunAsync("latency client", options.ClientCpu, command, Limit(seconds), time, ct);
        Match done = RequestsOfClient().Match(client.Output), p99 = P99OfClient().Match(client.Output);
        string[] errors = [.. client.Output.Split('\n').Where(static l => l.StartsWith("error ", StringComparison.Ordinal))];
        if (!p99.Success) errors = [.. errors, $"the latency client ended with exit code {client.ExitCode}: {client.Output.Trim()}"];
        return p99.Success ? new(Number(done), errors, Number(p99)) : new(0, errors);
    }

    private static async Task<WorkDone> UdpAsync(int port, int seconds, Options options, TimeProvider time, CancellationToken ct)
    {
        string[] command = [.. Outside.Self, "client", "udp", $"{port}", $"{UdpFlows}", $"{UdpSize}", $"{UdpWindow}", $"{seconds}"];
        Child client = await Child.RunAsync("udp client", options.ClientCpu, command, Limit(seconds), time, ct);
        Match done = RoundTripsOfClient().Match(client.Output);
        string[] errors = [.. client.Output.Split('\n').Where(static l => l.StartsWith("error ", StringComparison.Ordinal))];
        if (!done.Success) errors = [.. errors, $"the udp client ended with exit code {client.ExitCode}: {client.Output.Trim()}"];
        return new(done.Success ? Number(done) : 0, errors);
    }

    private static TimeSpan Limit(int seconds) => TimeSpan.FromSeconds(seconds + 20);

    private static double Number(Match match) => double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(\d+) requests in")]
    private static partial Regex RequestsOfWrk();

    [GeneratedRegex(@"([0-9.]+)(MB|GB) read")]
    private static partial Regex BytesOfWrk();

    [GeneratedRegex(@"Socket errors:.*|Non-2xx.*|unable to.*")]
    private static partial Regex ErrorsOfWrk();

    [GeneratedRegex(@"^round trips (\d+)", RegexOptions.Multiline)]
    private static partial Regex RoundTripsOfClient();

    [GeneratedRegex(@"^requests (\d+)", RegexOptions.Multiline)]
    private static partial Regex RequestsOfClient();

    [GeneratedRegex(@"^p99 ([0-9.]+)", RegexOptions.Multiline)]
    private static partial Regex P99OfClient();

    [GeneratedRegex(@"^bytes (\d+)", RegexOptions.Multiline)]
    private static partial Regex BytesOfClient();
}
