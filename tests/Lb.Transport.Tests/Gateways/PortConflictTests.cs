using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Transport.Tests;

/// <summary>Addresses that can't be had: told before anything starts, all at once, with the owner.</summary>
[Trait("Row", "T6")]
public sealed class PortConflictTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Every_port_in_use_is_told_with_path_value_and_owner_and_nothing_listens(string driver)
    {
        using TestServer owner = new(), owner6 = new(at: new IPEndPoint(IPAddress.IPv6Loopback, 0));
        int free = ListenTests.FreeRange(1);
        GatewayLab lab = Make(driver, l =>
        {
            l.AddServer();
            l.Listen.Clear();
            l.Listen.AddRange([$"127.0.0.1:{free}", owner.Address, $"*:{owner.EndPoint.Port}", owner6.Address]);
        });
        lab.Build();

        string me = $"{File.ReadAllText("/proc/self/comm").Trim()} (pid {Environment.ProcessId})";
        ConfigurationError[] expected =
        [
            new("Lb:Gateways:gate:Listen:1", owner.Address, $"is in use by {me} on {owner.Address}"),
            new("Lb:Gateways:gate:Listen:2", $"*:{owner.EndPoint.Port}", $"collides with Lb:Gateways:gate:Listen:1 = '{owner.Address}'"),
            new("Lb:Gateways:gate:Listen:3", owner6.Address, $"is in use by {me} on {owner6.Address}"),
        ];
        Assert.Equal(expected, lab.Configuration.Validate());
        LbConfigurationException thrown = await Assert.ThrowsAsync<LbConfigurationException>(lab.StartAsync);
        Assert.Equal(expected, thrown.Errors);
        foreach (ConfigurationError error in expected) Assert.Contains(error.ToString(), thrown.Message, StringComparison.Ordinal);
        Assert.Null(GatewayValidation.TryBind(new ListenAddress(new IPEndPoint(IPAddress.Loopback, free), true)));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_port_taken_between_the_check_and_the_start_is_told_as_well_and_nothing_listens(string driver)
    {
        int first = ListenTests.FreeRange(2);
        GatewayLab lab = Make(driver, l =>
        {
            l.AddServer();
            l.Listen.Clear();
            l.Listen.AddRange([$"127.0.0.1:{first}"]);
            l.Configure.Add(o => o.Gateways["late"] = new GatewayOptions { Pool = "web", Listen = { $"127.0.0.1:{first + 1}" } });
            l.Services = s => s.AddSingleton<ILbPart>(l.Own(new Thief(first + 1)));
        });
        LbConfigurationException thrown = await Assert.ThrowsAsync<LbConfigurationException>(lab.StartAsync);
        ConfigurationError error = Assert.Single(thrown.Errors);
        Assert.Equal(("Lb:Gateways:late:Listen:0", $"127.0.0.1:{first + 1}"), (error.Path, error.Value));
        Assert.Contains($"(pid {Environment.ProcessId})", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SocketException>(() => lab.ClientAsync(new IPEndPoint(IPAddress.Loopback, first)));
    }

    [Theory]
    [InlineData("*:81", "127.0.0.1:81", true)]
    [InlineData("127.0.0.1:81", "*:81", true)]
    [InlineData("[::]:81", "127.0.0.1:81", true)]
    [InlineData("[::]:81", "*:81", true)]
    [InlineData("[::]:81", "[::1]:81", true)]
    [InlineData("[::]:81 v6only", "[::1]:81", true)]
    [InlineData("127.0.0.1:80-90", "127.0.0.1:81", true)]
    [InlineData("unix:/tmp/lb-same.sock", "unix:/tmp/lb-same.sock", true)]
    [InlineData("[::]:81 v6only", "*:81", false)]
    [InlineData("[::1]:81", "*:81", false)]
    [InlineData("127.0.0.1:81", "127.0.0.2:81", false)]
    [InlineData("127.0.0.1:81", "127.0.0.1:82", false)]
    [InlineData("127.0.0.1:0", "127.0.0.1:0", false)]
    [InlineData("unix:/tmp/lb-one.sock", "unix:/tmp/lb-two.sock", false)]
    public void Entries_that_get_in_each_others_way_are_told(string first, string second, bool collide)
    {
        LbOptions options = new();
        options.Gateways["one"] = new GatewayOptions { Listen = { first } };
        options.Gateways["two"] = new GatewayOptions { Listen = { second } };
        List<ConfigurationError> errors = [];
        GatewayValidation.Validate(options, static _ => true, errors);
        if (!collide)
        {
            Assert.Empty(errors);
            return;
        }

        ConfigurationError error = Assert.Single(errors);
        Assert.Equal(new("Lb:Gateways:two:Listen:0", second, $"collides with Lb:Gateways:one:Listen:0 = '{first}'"), error);
    }

    [Fact]
    public void A_port_that_needs_a_privilege_says_which()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root can give its privileges up for a moment.");
        int open = int.Parse(File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.SkipWhen(open <= 1, "This kernel gives every port to everybody.");
        string? error = "not run";
        Thread thread = new(() =>
        {
            // The bare system call changes this one thread, and with the user id its capabilities go.
            const long SetResUid = 117, SetResUidArm = 147;
            long call = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? SetResUidArm : SetResUid;
            Assert.Equal(0, Syscall(call, -1, 65534, -1));
            error = GatewayValidation.TryBind(new ListenAddress(new IPEndPoint(IPAddress.Loopback, 1), true));
            Assert.Equal(0, Syscall(call, -1, 0, -1));
        });
        thread.Start();
        thread.Join();
        Assert.Equal("may not be bound: ports below 1024 need CAP_NET_BIND_SERVICE or root", error);
    }

    [Fact]
    public void An_address_of_another_machine_is_told()
    {
        Assert.Equal("is no address of this machine now; Freebind: true listens on it all the same", GatewayValidation.TryBind(new ListenAddress(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0), true)));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Unix_sockets_that_cannot_be_had_are_told(string driver)
    {
        string directory = Directory.CreateTempSubdirectory("lb-unix-").FullName;
        string empty = $"{directory}/empty", text = $"{directory}/text", folder = $"{directory}/folder", live = $"{directory}/live", full = $"{directory}/full";
        File.WriteAllText(empty, "");
        File.WriteAllText(text, "text");
        Directory.CreateDirectory(folder);
        using Socket alive = Listening(live, 8), busy = Listening(full, 0), waiting = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await waiting.ConnectAsync(new UnixDomainSocketEndPoint(full));
        string[] paths = [$"{directory}/none/lb.sock", empty, text, folder, live, full];
        GatewayLab lab = Make(driver, l =>
        {
            l.AddServer();
            l.Listen.Clear();
            l.Listen.AddRange(paths.Select(static p => $"unix:{p}"));
        });
        lab.Build();

        Assert.Equal(
            [
                "the directory does not exist", "is a file that is no socket", "is a file that is no socket", "is a directory",
                $"is in use by {File.ReadAllText("/proc/self/comm").Trim()} (pid {Environment.ProcessId})", $"is in use by {File.ReadAllText("/proc/self/comm").Trim()} (pid {Environment.ProcessId})",
            ],
            lab.Configuration.Validate().Select(static e => e.Message));
        LbConfigurationException thrown = await Assert.ThrowsAsync<LbConfigurationException>(lab.StartAsync);
        Assert.Equal(paths.Select(static p => $"unix:{p}"), thrown.Errors.Select(static e => e.Value));
        Assert.True(File.Exists(empty) && File.ReadAllText(text) == "text" && File.Exists(live));
        Directory.Delete(directory, recursive: true);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_unix_socket_that_was_left_over_is_replaced(string driver)
    {
        string path = $"/tmp/lb-{Guid.NewGuid():N}.sock";
        Listening(path, 8).Dispose();
        if (!File.Exists(path)) LeaveBehind(path);
        Assert.True(File.Exists(path));
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Listen[0] = $"unix:{path}";
        });
        await ListenTests.ServesAsync(lab, server, new UnixDomainSocketEndPoint(path));
    }

    private static Socket Listening(string path, int backlog)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen(backlog);
        return socket;
    }

    // The framework removes the file when it closes the socket; a process that is killed does not.
    private static void LeaveBehind(string path)
    {
        Listening(path + ".old", 8).Dispose();
        using Socket socket = Listening(path + ".new", 8);
        File.Move(path + ".new", path);
    }

    [DllImport("libc", EntryPoint = "syscall")]
    private static extern long Syscall(long number, long real, long effective, long saved);

    /// <summary>Takes a port after the check and before the gateways.</summary>
    private sealed class Thief(int port) : ILbPart, IDisposable
    {
        private TestServer? _server;

        public int Order => 250;

        public string Handles => "Theft";

        public void Validate(LbOptions options, ICollection<ConfigurationError> errors)
        {
        }

        public Task ApplyAsync(LbOptions options, CancellationToken ct)
        {
            _server = new TestServer(at: new IPEndPoint(IPAddress.Loopback, port));
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken ct) => Task.CompletedTask;

        public void Dispose() => _server?.Dispose();
    }
}
