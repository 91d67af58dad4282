using System.Globalization;
using System.Text.RegularExpressions;

namespace Lb.Peers;

/// <summary>
/// Memory of an idle proxied connection: a fresh process for each figure, a little traffic to load its code, then thousands of silent connections.
/// </summary>
internal sealed partial class IdleBench(IReadOnlyList<Service> proxies, Options options, TimeProvider time, Results results)
{
    // A figure takes ten seconds and varies little.
    public const int MostRounds = 3;

    // Open files that a proxy needs for itself and for the connections that come and go.
    private const int SpareFiles = 1000;

    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>As many as asked for or as the limit of open files allows, two a connection.</summary>
    public static int Connections(Options options) => Math.Clamp((ProcFs.OpenFileLimit() - SpareFiles) / 2, 1, options.Idle);

    public async Task RunAsync(CancellationToken ct)
    {
        int count = Connections(options);
        for (int round = 1; round <= Math.Min(options.Rounds, MostRounds); round++)
        {
            foreach (Service proxy in round % 2 == 1 ? proxies : proxies.Reverse()) results.Add(await MeasureAsync(proxy, count, round, ct));
        }
    }

    private async Task<Measurement> MeasureAsync(Service proxy, int count, int round, CancellationToken ct)
    {
        await using Child child = await proxy.StartAsync(options.ProxyCpu, time, ct);
        await Load.Messages.RunAsync(proxy.Port, 1, options, time, ct);
        await Load.Connections.RunAsync(proxy.Port, 1, options, time, ct);
        await Task.Delay(Settle, time, ct);
        long memory = ProcFs.ResidentKiB(child.Id);
        int files = ProcFs.OpenFiles(child.Id);

        string[] command = [.. Outside.Self, "client", "idle", $"{proxy.Port}", $"{count}"];
        await using Child client = Child.Start("idle client", options.ClientCpu, command);
        await ReadyAsync(client, ct);
        await Task.Delay(Settle, time, ct);
        double proxied = (ProcFs.OpenFiles(child.Id) - files) / 2.0;
        memory = ProcFs.ResidentKiB(child.Id) - memory;
        client.Input.Close();
        await client.WaitAsync(ct);

        List<string> errors = [.. client.Output.Split('\n').Where(static l => l.StartsWith("error ", StringComparison.Ordinal))];
        Match closed = Closed().Match(client.Output);
        if (!closed.Success) errors.Add($"the idle client failed: {client.Output.Trim()}");
        else if (closed.Groups[1].Value != "0") errors.Add($"the proxy ended {closed.Groups[1].Value} idle connections");
        if (proxied < count) errors.Add(string.Create(CultureInfo.InvariantCulture, $"only {proxied:0.#} of {count} connections have both sides open"));
        return new(Load.Idle, proxy.Name, round, memory / Math.Max(1, proxied), proxied, double.NaN, errors);
    }

    private async Task ReadyAsync(Child client, CancellationToken ct)
    {
        long start = time.GetTimestamp();
        while (!client.Output.Contains("ready ", StringComparison.Ordinal))
        {
            if (client.HasExited) throw new BenchException($"the idle client ended with exit code {client.ExitCode}:\n{client.Output}");
            if (time.GetElapsedTime(start) > ConnectLimit)
                throw new BenchException($"the idle client is not ready after {ConnectLimit.TotalSeconds:0} s:\n{client.Output}");
            await Task.Delay(Pause, time, ct);
        }
    }

    [GeneratedRegex(@"^closed (\d+)", RegexOptions.Multiline)]
    private static partial Regex Closed();
}
