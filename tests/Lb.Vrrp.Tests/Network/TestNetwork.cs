using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Lb.Vrrp.Tests;

/// <summary>
/// Two hosts on one cable: network namespaces A and B, in each an interface <c>eth0</c> (10.0.0.1 and 10.0.0.2, fe80::1 and fe80::2). Nothing of the
/// machine's own network is touched. A test that cannot have it is skipped.
/// </summary>
internal sealed class TestNetwork : IDisposable
{
    private const int NetworkNamespace = 0x40000000;
    private static int s_last;
    private readonly string _prefix = $"lbnet{Environment.ProcessId}x{Interlocked.Increment(ref s_last)}";

    public TestNetwork()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root" || !File.Exists("/usr/sbin/ip") && !File.Exists("/sbin/ip"))
        {
            Assert.Skip("Needs Linux, root and the ip command, for network namespaces.");
        }

        A = _prefix + "a";
        B = _prefix + "b";
        Ip("netns", "add", A);
        Ip("netns", "add", B);
        In(A, WithoutWaitForAddresses);
        In(B, WithoutWaitForAddresses);
        Cable();
        AwaitCarrier();
    }

    public string A { get; }

    public string B { get; }

    /// <summary>Runs an action on a thread of its own in a namespace. Sockets opened there belong to it for good.</summary>
    public static void In(string space, Action action) => In(space, () =>
    {
        action();
        return 0;
    });

    public static T In<T>(string space, Func<T> action)
    {
        T result = default!;
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle($"/run/netns/{space}");
                if (SetNamespace((int)file.DangerousGetHandle(), NetworkNamespace) != 0) throw new InvalidOperationException($"setns: {Marshal.GetLastPInvokeErrorMessage()}");
                result = action();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        return result;
    }

    // A link that was just set up drops what is sent for a moment, without a word. A datagram that arrives has needed ARP both ways.
    private void AwaitCarrier()
    {
        using Socket to = In(B, static () => Bound("10.0.0.2")), from = In(A, static () => Bound("10.0.0.1"));
        for (int i = 0; i < 1000; i++)
        {
            from.SendTo([1], to.LocalEndPoint!);
            if (to.Poll(TimeSpan.FromMilliseconds(10), SelectMode.SelectRead)) return;
        }

        throw new InvalidOperationException("The cable carries nothing.");

        static Socket Bound(string address)
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Parse(address), 0));
            return socket;
        }
    }

    /// <summary>Index of <c>eth0</c> in the namespace of this thread.</summary>
    public static int Index()
    {
        using LinkMonitor monitor = new();
        return monitor.Get("eth0").Index;
    }

    /// <summary>Takes all capabilities from this thread: they are a thread's own.</summary>
    public static unsafe void DropCapabilities()
    {
        uint* head = stackalloc uint[2] { 0x20080522, 0 };
        uint* none = stackalloc uint[6];
        new Span<uint>(none, 6).Clear();
        if (SetCapabilities(head, none) != 0) throw new InvalidOperationException($"capset: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Runs <c>ip</c>.</summary>
    public static void Ip(params string[] arguments) => Run("ip", arguments);

    public static string Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {errors.GetAwaiter().GetResult()}{output}");
        return output;
    }

    /// <summary>Plugs in the cable: the two interfaces are made.</summary>
    public void Cable()
    {
        Ip("-n", A, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", B);
        foreach ((string space, int host) in new[] { (A, 1), (B, 2) })
        {
            Ip("-n", space, "link", "set", "eth0", "addrgenmode", "none");
            Ip("-n", space, "link", "set", "lo", "up");
            Ip("-n", space, "link", "set", "eth0", "up");
            Ip("-n", space, "addr", "add", $"10.0.0.{host}/24", "dev", "eth0");
            Ip("-n", space, "addr", "add", $"fe80::{host}/64", "dev", "eth0", "nodad");
        }
    }

    public void Dispose()
    {
        Ip("netns", "del", A);
        Ip("netns", "del", B);
    }

    private static void WithoutWaitForAddresses() => File.WriteAllText("/proc/sys/net/ipv6/conf/default/accept_dad", "0");

    [DllImport("libc", EntryPoint = "capset", SetLastError = true)]
    private static extern unsafe int SetCapabilities(void* head, void* data);

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static extern int SetNamespace(int descriptor, int type);
}
