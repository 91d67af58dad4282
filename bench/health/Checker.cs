using System.Globalization;
using Lb.Peers;

namespace Lb.HealthBench;

/// <summary>A program that checks the servers, for one round.</summary>
internal static class Checker
{
    public const int Port = 9000;
    private const int HaproxyPort = 9001;

    /// <summary>How this executable starts itself once more.</summary>
    public static string[] Self { get; } = [Environment.ProcessPath!, .. IsDotnet ? [typeof(Checker).Assembly.Location] : Array.Empty<string>()];

    private static bool IsDotnet => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";

    public static Child Listen(Options options) => Child.Start("listener", options.OtherCpu, [.. Self, "listen", Text(Port)]);

    public static Child Lb(Options options, int servers) => Child.Start("lb", options.CheckerCpu, [.. Self, "checks", Text(Port), Text(servers)]);

    /// <summary>One thread; the frontend is there because HAProxy does not start without one.</summary>
    public static Child Haproxy(Options options, Workspace workspace)
    {
        IEnumerable<string> servers = Enumerable.Range(0, options.Servers).Select(static i => $"  server s{i} {Listener.AddressOf(i)}:{Port} check inter 2s");
        string file = workspace.Write("haproxy.cfg", $"""
            global
              nbthread 1
              maxconn 256
            defaults
              mode tcp
              timeout connect 5s
              timeout client 300s
              timeout server 300s
            frontend f
              bind 127.0.0.1:{HaproxyPort}
              default_backend b
            backend b
              balance roundrobin
            {string.Join('\n', servers)}

            """);
        return Child.Start("haproxy", options.CheckerCpu, ["haproxy", "-db", "-f", file]);
    }

    /// <summary>Its checkers alone. It wants IPVS of the kernel and ends without it.</summary>
    public static Child Keepalived(Options options, Workspace workspace, int count)
    {
        IEnumerable<string> servers =
            Enumerable.Range(0, count).Select(static i => $"  real_server {Listener.AddressOf(i)} {Port} {{ TCP_CHECK {{ connect_timeout 2 }} }}");
        string file = workspace.Write("keepalived.conf", $$"""
            virtual_server 10.255.255.1 80 {
              delay_loop 2
              lb_algo rr
              lb_kind NAT
              protocol TCP
            {{string.Join('\n', servers)}}
            }

            """);
        return Child.Start("keepalived", options.CheckerCpu,
            ["keepalived", "-C", "-n", "-l", "-f", file, "-p", workspace.PathOf("keepalived.pid"), "-c", workspace.PathOf("checkers.pid")]);
    }

    /// <summary>A process and its children, which must live on meanwhile.</summary>
    public static double CpuSeconds(Child child)
    {
        string children = File.ReadAllText($"/proc/{child.Id}/task/{child.Id}/children");
        return ProcFs.CpuSeconds(child.Id)
            + children.Split(' ', StringSplitOptions.RemoveEmptyEntries).Sum(static id => ProcFs.CpuSeconds(int.Parse(id, CultureInfo.InvariantCulture)));
    }

    /// <summary>Sends a line to one of our own parts and returns its answer as names and numbers.</summary>
    public static async Task<Dictionary<string, double>> AskAsync(Child child, string command, TimeProvider time, CancellationToken ct)
    {
        int before = Lines(child).Length;
        await child.Input.WriteLineAsync(command.AsMemory(), ct);
        await child.Input.FlushAsync(ct);
        string[] words = (await WhenLineAsync(child, before, time, ct)).Split(' ');
        return Enumerable.Range(0, words.Length / 2).ToDictionary(i => words[2 * i], i => double.Parse(words[(2 * i) + 1], CultureInfo.InvariantCulture));
    }

    /// <summary>Waits for a line of output.</summary>
    public static async Task<string> WhenLineAsync(Child child, int index, TimeProvider time, CancellationToken ct)
    {
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(60), time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        while (true)
        {
            string[] lines = Lines(child);
            if (lines.Length > index) return lines[index];
            if (child.HasExited) throw new BenchException($"{child.Name} ended with exit code {child.ExitCode}:\n{child.Output}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), time, either.Token);
        }
    }

    private static string[] Lines(Child child) => child.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
