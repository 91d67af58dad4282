using static Lb.Vrrp.Tests.TestNetwork;
using static Lb.Vrrp.Tests.Heard;

namespace Lb.Vrrp.Tests;

public sealed class LinkMonitorTests : IDisposable
{
    private readonly TestNetwork _network = new();
    private readonly LinkMonitor _monitor;

    public LinkMonitorTests() => _monitor = In(_network.A, static () => new LinkMonitor());

    public void Dispose()
    {
        _monitor.Dispose();
        _network.Dispose();
    }

    [Fact]
    [Trait("Row", "V5")]
    public void It_knows_at_once_what_is_there()
    {
        LinkState state = _monitor.Get("eth0");
        string mac = Run("ip", "netns", "exec", _network.A, "cat", "/sys/class/net/eth0/address").Trim().Replace(":", "", StringComparison.Ordinal);
        string index = Run("ip", "netns", "exec", _network.A, "cat", "/sys/class/net/eth0/ifindex").Trim();
        Assert.Equal((index, mac, true), ($"{state.Index}", $"{state.Mac:x12}", state.IsRunning));
        Assert.Equal((Address("10.0.0.1"), 24, Address("fe80::1")), (state.PrimaryV4, state.PrefixV4, state.LinkLocalV6));
        Assert.Equal(default, _monitor.Get("eth1"));
    }

    [Fact]
    [Trait("Row", "V5")]
    [Trait("Point", "51")]
    public void It_hears_of_a_lost_carrier_and_of_its_return()
    {
        int index = _monitor.Get("eth0").Index;
        Ip("-n", _network.B, "link", "set", "eth0", "down");
        Assert.Contains(index, Until(static s => !s.IsRunning));
        Ip("-n", _network.B, "link", "set", "eth0", "up");
        Assert.Contains(index, Until(static s => s.IsRunning));
        Ip("-n", _network.A, "link", "set", "eth0", "down");
        Until(static s => !s.IsRunning);
    }

    [Fact]
    [Trait("Row", "V28")]
    public void It_hears_of_addresses_that_come_and_go()
    {
        Ip("-n", _network.A, "addr", "del", "10.0.0.1/24", "dev", "eth0");
        Until(static s => s.PrimaryV4.IsEmpty);
        Ip("-n", _network.A, "addr", "add", "10.1.0.1/16", "dev", "eth0");
        Assert.Equal(16, (Until(static s => !s.PrimaryV4.IsEmpty), _monitor.Get("eth0").PrefixV4).PrefixV4);
        Ip("-n", _network.A, "addr", "del", "fe80::1/64", "dev", "eth0");
        Until(static s => s.LinkLocalV6.IsEmpty);
    }

    [Fact]
    [Trait("Row", "V28")]
    public void An_interface_that_is_made_again_or_renamed_is_found_by_its_name()
    {
        int first = _monitor.Get("eth0").Index;
        Ip("-n", _network.A, "link", "set", "eth0", "down");
        Ip("-n", _network.A, "link", "set", "eth0", "name", "lan");
        Until(static s => s.Index == 0);
        Assert.Equal(first, _monitor.Get("lan").Index);
        Ip("-n", _network.A, "link", "del", "lan");
        Until(_ => _monitor.Get("lan").Index == 0);
        Ip("-n", _network.A, "link", "add", "spare", "type", "veth", "peer", "name", "spare", "netns", _network.B);
        _network.Cable();
        Until(static s => s.IsRunning && !s.PrimaryV4.IsEmpty);
        Assert.NotEqual(first, _monitor.Get("eth0").Index);
    }

    [Fact]
    [Trait("Row", "V9")]
    [Trait("Point", "23")]
    public void Virtual_addresses_are_never_an_interface_s_own()
    {
        Ip("-n", _network.A, "addr", "flush", "dev", "eth0");
        AddMarked("fe80::9", 64);
        AddMarked("10.0.0.9", 24);
        Ip("-n", _network.A, "addr", "add", "10.0.0.8/24", "dev", "eth0");
        Ip("-n", _network.A, "addr", "add", "10.0.0.7/24", "dev", "eth0");
        Until(static s => s.PrimaryV4 == Address("10.0.0.8"));
        Assert.Contains("10.0.0.9/24", Run("ip", "-n", _network.A, "addr", "show", "dev", "eth0"));
        Assert.Contains("fe80::9/64", Run("ip", "-n", _network.A, "addr", "show", "dev", "eth0"));
        LinkState state = _monitor.Get("eth0", [Address("10.0.0.8")]);
        Assert.Equal((Address("10.0.0.7"), true), (state.PrimaryV4, state.LinkLocalV6.IsEmpty));
    }

    [Fact]
    [Trait("Row", "V28")]
    public void A_renewed_lifetime_is_no_change_and_allocates_nothing()
    {
        Ip("-n", _network.A, "addr", "replace", "10.0.0.9/24", "dev", "eth0", "valid_lft", "100", "preferred_lft", "100");
        HashSet<int> changed = [];
        _monitor.Read(changed);
        changed.Clear();
        for (int i = 0; i < 3; i++)
        {
            Ip("-n", _network.A, "addr", "replace", "10.0.0.9/24", "dev", "eth0", "valid_lft", "200", "preferred_lft", "200");
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.False(_monitor.Read(changed));
            if (i > 0) Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    [Fact]
    [Trait("Row", "V28")]
    public void After_more_news_than_the_kernel_can_keep_everything_is_asked_for_again()
    {
        Overrun();
        Until(static s => s.Index == 0);
        Assert.Equal(default, _monitor.Get("eth0"));
    }

    [Fact]
    [Trait("Row", "V28")]
    public void News_that_were_lost_are_asked_for_until_an_answer_comes()
    {
        // The kernel had to drop news, and a filter that lets nothing pass keeps its answers away.
        Overrun();
        Filter(0);
        HashSet<int> changed = [];
        _monitor.Read(changed);
        Assert.True(_monitor.IsStale);
        Assert.NotEqual(0, _monitor.Get("eth0").Index);
        Filter(uint.MaxValue);
        Until(static s => s.Index == 0);
        Assert.False(_monitor.IsStale);
    }

    // A buffer of the least size holds a handful of messages; the rest are lost, the last one among them.
    private void Overrun()
    {
        In(_network.A, () => Libc.SetOption(_monitor.Descriptor, Libc.LevelSocket, Libc.ReceiveBuffer, 2048));
        string batch = Path.GetTempFileName();
        File.WriteAllLines(batch, Enumerable.Range(0, 500).Select(static i => $"addr add 10.9.{i / 250}.{i % 250}/32 dev eth0"));
        Ip("-n", _network.A, "-batch", batch);
        Ip("-n", _network.A, "link", "del", "eth0");
        File.Delete(batch);
    }

    // One instruction: ret. What it lets pass, in bytes.
    private unsafe void Filter(uint pass)
    {
        ulong code = 0x06 | (ulong)pass << 32;
        ulong* head = stackalloc ulong[2] { 1, (ulong)&code };
        Assert.Equal(0, Libc.SetOption(_monitor.Descriptor, Libc.LevelSocket, Libc.AttachFilter, head, 16));
    }

    /// <summary>Adds an address with the mark of Lb, which the <c>ip</c> of today's Debian cannot.</summary>
    private void AddMarked(string text, byte prefix)
    {
        PeerAddress address = Address(text);
        byte[] bytes = new byte[address.Length];
        address.WriteBytes(bytes);
        byte family = (byte)(address.IsV6 ? Libc.FamilyV6 : Libc.FamilyV4);
        byte[] body = [family, prefix, 2, 0, .. BitConverter.GetBytes(_monitor.Get("eth0").Index), .. Attribute(2), .. Attribute(1), 5, 0, 11, 0, 0x4C, 0, 0, 0];
        byte[] request = [.. BitConverter.GetBytes(16 + body.Length), 20, 0, 0x01, 0x05, 1, 0, 0, 0, 0, 0, 0, 0, .. body]; // RTM_NEWADDR, create or replace
        In(_network.A, () =>
        {
            int socket = Libc.Socket(16, Libc.TypeRaw | Libc.CloseOnExec, 0);
            Assert.Equal(request.Length, Send(socket, request));
            _ = Libc.Close(socket);
        });

        byte[] Attribute(byte type) => [(byte)(4 + bytes.Length), 0, type, 0, .. bytes];

        static unsafe int Send(int socket, byte[] request)
        {
            uint* kernel = stackalloc uint[3] { 16, 0, 0 };
            fixed (byte* start = request) return (int)Libc.SendTo(socket, start, request.Length, 0, kernel, 12);
        }
    }

    private HashSet<int> Until(Predicate<LinkState> condition)
    {
        using Poller poller = new();
        poller.Add(_monitor.Descriptor);
        TimeSpan patience = Clocks.Monotonic() + TimeSpan.FromSeconds(10);
        HashSet<int> changed = [];
        while (true)
        {
            _monitor.Read(changed);
            if (condition(_monitor.Get("eth0"))) return changed;
            Assert.True(Clocks.Monotonic() < patience, $"Still {_monitor.Get("eth0")}.");
            poller.Wait(patience);
        }
    }
}
