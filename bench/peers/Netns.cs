using System.Diagnostics;
using System.Globalization;

namespace Lb.Peers;

/// <summary>A network namespace of our own with nothing but loopback, gone with all its processes on disposal.</summary>
internal sealed class Netns : IAsyncDisposable
{
    private const string CongestionControlFile = "/proc/sys/net/ipv4/tcp_congestion_control";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time;

    private Netns(string name, TimeProvider time)
    {
        Name = name;
        _time = time;
    }

    public string Name { get; }

    /// <summary>The congestion control of the network that this process is in.</summary>
    public static string CongestionControl => File.ReadAllText(CongestionControlFile).Trim();

    public static async Task<Netns> CreateAsync(TimeProvider time, CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new BenchException("making a network namespace needs root (run it with sudo); "
                + "--no-netns measures in the host's network instead, with the host's congestion control");
        }

        Netns netns = new($"lbbench-{Environment.ProcessId}", time);
        await netns.IpAsync(["netns", "add", netns.Name], ct);
        try
        {
            await netns.IpAsync(["-n", netns.Name, "link", "set", "lo", "up"], ct);
        }
        catch
        {
            await netns.DisposeAsync();
            throw;
        }

        return netns;
    }

    /// <summary>Called by a process inside. bbr, the default of some hosts, doubles the cost of bulk for whoever copies, and by that hides differences.</summary>
    public static void UseReno()
    {
        try
        {
            File.WriteAllText(CongestionControlFile, "reno");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BenchException($"net.ipv4.tcp_congestion_control=reno can't be set: {e.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Nobody but us is in there, so a process that is left is one of ours whose parent did not live to end it.
        Child left = await Child.RunAsync("ip netns pids", null, ["ip", "netns", "pids", Name], Limit, _time, CancellationToken.None);
        foreach (string id in left.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int pid)) Kill(pid);
        }

        await IpAsync(["netns", "delete", Name], CancellationToken.None);
    }

    private static void Kill(int pid)
    {
        try
        {
            using Process process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (ArgumentException)
        {
            // It has ended by itself.
        }
    }

    private async Task IpAsync(string[] arguments, CancellationToken ct)
    {
        Child ip = await Child.RunAsync("ip", null, ["ip", .. arguments], Limit, _time, ct);
        if (ip.ExitCode != 0) throw new BenchException($"ip {string.Join(' ', arguments)}: {ip.Output.Trim()}");
    }
}
