using System.Diagnostics;
using System.Globalization;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;

namespace Lb.Tool;

/// <summary>Reads what the doctor judges. Changes nothing. Linux.</summary>
internal static class MachineReader
{
    private static readonly TimeSpan LongestRun = TimeSpan.FromSeconds(10);
    private static readonly string[] Folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"];

    public static async Task<MachineFacts> ReadAsync(CancellationToken ct)
    {
        string status = Text("/proc/self/status") ?? "", limits = Text("/proc/self/limits") ?? "";
        return new MachineFacts
        {
            Capabilities = ulong.TryParse(Words(status, "CapEff:").FirstOrDefault(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits) ? bits : 0,
            Groups = [.. Words(status, "Gid:").Skip(1).Take(1).Concat(Words(status, "Groups:")).Select(static g => long.Parse(g, CultureInfo.InvariantCulture))],
            OpenFiles = Limit(limits, "Max open files"),
            RealTimePriority = Limit(limits, "Max realtime priority") ?? 99,
            Devices = Devices(),
            Setting = static path => Text($"/proc/sys/{path}"),
            CanWriteSettings = CanWrite("/proc/sys/net/ipv4/conf/all/arp_ignore"),
            Firewalls = await FirewallsAsync(ct).ConfigureAwait(false),
            ClockIsSynchronized = KernelCalls.ClockIsSynchronized(),
            RingError = KernelCalls.TryRing(),
        };
    }

    private static Dictionary<string, DeviceFacts> Devices()
    {
        Dictionary<string, DeviceFacts> devices = new(StringComparer.Ordinal);
        Span<byte> bytes = stackalloc byte[16];
        foreach (NetworkInterface device in NetworkInterface.GetAllNetworkInterfaces())
        {
            List<AddressPrefix> addresses = [];
            foreach (UnicastIPAddressInformation address in device.GetIPProperties().UnicastAddresses)
            {
                if (address.Address.TryWriteBytes(bytes, out int length)) addresses.Add(new AddressPrefix(PeerAddress.FromBytes(bytes[..length], 0), address.PrefixLength));
            }

            // Loopback says Unknown.
            devices[device.Name] = new DeviceFacts(device.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown, addresses);
        }

        return devices;
    }

    private static async Task<List<FirewallFacts>> FirewallsAsync(CancellationToken ct)
    {
        List<FirewallFacts> found = [];
        foreach (string[] line in (string[][])[["nft", "list", "ruleset"], ["iptables", "-S"], ["ip6tables", "-S"]])
        {
            if (Array.Find(Folders, folder => File.Exists($"{folder}/{line[0]}")) is not { } place) continue;
            found.Add(await RunAsync($"{place}/{line[0]}", line, ct).ConfigureAwait(false));
        }

        return found;
    }

    private static async Task<FirewallFacts> RunAsync(string program, string[] line, CancellationToken ct)
    {
        string tool = string.Join(' ', line);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using CancellationTokenSource timeout = new(LongestRun, TimeProvider.System);
        using CancellationTokenRegistration registration = timeout.Token.Register(limit.Cancel);
        using Process process = new() { StartInfo = new ProcessStartInfo(program, line[1..]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true } };
        try
        {
            process.Start();
            Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
            string rules = await process.StandardOutput.ReadToEndAsync(limit.Token).ConfigureAwait(false);
            string error = await errors.ConfigureAwait(false);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            return process.ExitCode == 0 ? new FirewallFacts(tool, rules) : new FirewallFacts(tool, null, error.Split('\n')[0].Trim());
        }
        catch (ExternalException error)
        {
            return new FirewallFacts(tool, null, error.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            process.Kill();
            return new FirewallFacts(tool, null, "it does not end");
        }
    }

    private static string? Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool CanWrite(string path)
    {
        try
        {
            File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite).Dispose();
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string[] Words(string text, string key) =>
        text.Split('\n').FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal))?[key.Length..].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) ?? [];

    // "Max open files            1024                 524288               files"; null = unlimited.
    private static long? Limit(string limits, string name) => long.TryParse(Words(limits, name).FirstOrDefault(), out long soft) ? soft : null;
}
