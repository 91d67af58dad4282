using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Lb.Vrrp.Tests;

/// <summary>A network namespace with interfaces of its own, removed with the test. The machine's own interfaces are never touched.</summary>
internal sealed partial class TestNamespace : IDisposable
{
    private const int CloneNewNet = 0x40000000;
    private static int s_last;

    private TestNamespace(string name) => Name = name;

    public string Name { get; }

    /// <summary>Makes one whose loopback is up; skips the test where that can't be done.</summary>
    public static TestNamespace Make()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root on Linux can make network namespaces.");
        Assert.SkipUnless(File.Exists("/usr/sbin/ip") || File.Exists("/sbin/ip"), "The program ip (iproute2) is not installed.");
        string name = $"lbvc{Environment.ProcessId}-{Interlocked.Increment(ref s_last)}";
        (int code, string text) = Execute("ip", ["netns", "add", name]);
        Assert.SkipUnless(code == 0, $"This machine makes no network namespaces: {text}");
        TestNamespace made = new(name);
        made.Ip("link", "set", "lo", "up");
        return made;
    }

    /// <summary>Makes one with <see cref="AddDevice"/>.</summary>
    public static TestNamespace MakeWithDevice()
    {
        TestNamespace made = Make();
        made.AddDevice();
        return made;
    }

    /// <summary>Makes one with the interface <c>e0</c>, and a second one with <c>e1</c> at the other end of the cable.</summary>
    public static (TestNamespace Near, TestNamespace Far) MakePair()
    {
        TestNamespace near = Make(), far = Make();
        near.Ip("link", "add", "e0", "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "e1", "netns", far.Name);
        far.Ip("link", "set", "e1", "address", "02:00:00:00:00:02");

        // Silence: no addresses, and so no router solicitations, that the test has not asked for.
        near.Ip("link", "set", "e0", "addrgenmode", "none", "up");
        far.Ip("link", "set", "e1", "addrgenmode", "none", "up");

        // IPv6 is deaf until the kernel has looked at the carrier, up to a second later; then the route of multicast appears.
        Assert.True(SpinWait.SpinUntil(() => near.HearsMulticast() && far.HearsMulticast(), TimeSpan.FromSeconds(20)), "The cable does not come up.");
        return (near, far);
    }

    public static PeerAddress Parse(string text)
    {
        Assert.True(PeerAddress.TryParse(text, out PeerAddress address));
        return address;
    }

    /// <summary>Adds the interfaces <c>e0</c> and <c>e1</c>, a cable between them, up and without addresses.</summary>
    public void AddDevice()
    {
        Ip("link", "add", "e0", "type", "veth", "peer", "name", "e1");
        Ip("link", "set", "e0", "addrgenmode", "none", "up");
        Ip("link", "set", "e1", "addrgenmode", "none", "up");
    }

    /// <summary>Runs <c>ip</c> inside, which must succeed.</summary>
    public string Ip(params string[] args)
    {
        (int code, string text) = Execute("ip", ["-n", Name, .. args]);
        Assert.True(code == 0, $"ip {string.Join(' ', args)}: {text}");
        return text;
    }

    /// <summary>The addresses of an interface as <c>ip -j -d address</c> shows them, IPv6 link-local ones that the kernel made left out.</summary>
    public JsonElement[] Addresses(string device)
    {
        using JsonDocument json = JsonDocument.Parse(Ip("-j", "-d", "address", "show", "dev", device));
        return [.. json.RootElement.EnumerateArray().SelectMany(static link => link.GetProperty("addr_info").EnumerateArray()).Select(static a => a.Clone())];
    }

    /// <summary>The addresses alone.</summary>
    public string[] Locals(string device) => [.. Addresses(device).Select(static a => a.GetProperty("local").GetString()!)];

    /// <summary>Runs something on a thread that lives inside.</summary>
    public void Run(Action action)
    {
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                using (Microsoft.Win32.SafeHandles.SafeFileHandle handle = File.OpenHandle($"/var/run/netns/{Name}", share: FileShare.ReadWrite))
                {
                    Assert.Equal(0, SetNamespace((int)handle.DangerousGetHandle(), CloneNewNet));
                }

                action();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    /// <summary>Runs something without any capability: only inside <see cref="Run(Action)"/>, whose thread nobody else uses.</summary>
    public static void WithoutRights(Action action)
    {
        // The bare system call changes this one thread, and with the user id its capabilities go.
        long setResUid = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 147 : 117;
        Assert.Equal(0, Syscall(setResUid, -1, 65534, -1));
        action();
        Assert.Equal(0, Syscall(setResUid, -1, 0, -1));
    }

    public T Run<T>(Func<T> make)
    {
        T? made = default;
        Run(() => { made = make(); });
        return made!;
    }

    /// <summary>Waits until solicitations for an IPv6 address are heard: the kernel joins their group a moment after the address was added.</summary>
    public void WaitForSolicitations(string device, string group) =>
        Assert.True(SpinWait.SpinUntil(() => Ip("-6", "maddr", "show", "dev", device).Contains(group, StringComparison.Ordinal), TimeSpan.FromSeconds(20)), $"{group} is not joined.");

    private bool HearsMulticast() => Ip("-6", "route", "show", "table", "local").Contains("ff00::/8", StringComparison.Ordinal);

    public static (int Code, string Text) Execute(string program, string[] args)
    {
        using Process process = new() { StartInfo = new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true } };
        process.Start();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, process.ExitCode == 0 ? output : errors.GetAwaiter().GetResult() + output);
    }

    public void Dispose() => Execute("ip", ["netns", "delete", Name]);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long Syscall(long number, long first, long second, long third);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int kind);
}
