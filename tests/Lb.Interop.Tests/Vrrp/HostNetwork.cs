using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Lb.Vrrp.Tests;

namespace Lb.Interop.Tests.Vrrp;

/// <summary>
/// Hosts and a client on one bridge, each in a network namespace of its own: host n has 10.77.0.n and fd77::n on <c>eth0</c>, the client n is 100. Each
/// host answers on UDP port 7777, on every address it has, by its number.
/// </summary>
internal sealed class HostNetwork : IAsyncDisposable
{
    private const int EchoPort = 7777;
    private const int ClientNumber = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly List<IDisposable> _made = [];
    private readonly TestNamespace _switch;
    private readonly TestNamespace[] _hosts;
    private readonly Socket _client;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<int>> _waiting = [];
    private int _asked;

    /// <summary>Makes it; skips the test where that can't be done.</summary>
    public HostNetwork(int hosts)
    {
        try
        {
            _switch = Keep(TestNamespace.Make());
            _switch.Ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "0", "forward_delay", "0");
            _switch.Ip("link", "set", "br0", "addrgenmode", "none", "up");
            _hosts = [.. Enumerable.Range(1, hosts).Select(Connect)];
            Client = Connect(ClientNumber);
            Addresses = Keep(new AddressLog(_hosts));
            for (int i = 0; i < hosts; i++) _ = EchoAsync(Keep(_hosts[i].Run(Open)), $"{i + 1}");
            _client = Keep(Client.Run(Open));
            _ = KernelSocket.ReadAsync(_client, TakeAnswer);
        }
        catch
        {
            Free();
            throw;
        }
    }

    public TestNamespace Client { get; }

    /// <summary>What addresses came and went on the hosts.</summary>
    public AddressLog Addresses { get; }

    public TestNamespace Host(int number) => _hosts[number - 1];

    /// <summary>Records what passes the bridge, on all ports.</summary>
    public Capture CaptureAll() => Keep(new Capture(_switch));

    /// <summary>Records what the client sees.</summary>
    public Capture CaptureAtClient() => Keep(new Capture(Client));

    /// <summary>The hosts no longer hear each other; all reach the client.</summary>
    public void Split() => Isolate("on");

    public void Heal() => Isolate("off");

    /// <summary>Nothing passes between a host and the bridge any more; the link stays up.</summary>
    public void Mute(int host) => SetPort(host, "state", "0"); // disabled

    public void Unmute(int host) => SetPort(host, "state", "3"); // forwarding

    /// <summary>Opens something inside a host, gone with the network.</summary>
    public T Open<T>(int host, Func<T> make)
        where T : IDisposable => Keep(Host(host).Run(make));

    /// <summary>Asks once who has an address.</summary>
    /// <returns>The host's number; null when nobody has answered in time.</returns>
    public async Task<int?> AskAsync(string address, TimeSpan patience)
    {
        int number = Interlocked.Increment(ref _asked);
        TaskCompletionSource<int> answered = _waiting[number] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _client.SendToAsync(BitConverter.GetBytes(number), new IPEndPoint(IPAddress.Parse(address).MapToIPv6(), EchoPort));
            return await answered.Task.WaitAsync(patience);
        }
        catch (Exception error) when (error is TimeoutException or SocketException)
        {
            return null;
        }
        finally
        {
            _waiting.TryRemove(number, out _);
        }
    }

    /// <summary>Asks until a host has answered for an address.</summary>
    /// <returns>How long that took.</returns>
    public async Task<TimeSpan> WhenAnsweredAsync(string address, int host)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (await AskAsync(address, Pause) != host)
        {
            if (TimeProvider.System.GetElapsedTime(start) > Patience) throw new TimeoutException($"Host {host} does not answer for {address}:\n{Addresses}");
        }

        return TimeProvider.System.GetElapsedTime(start);
    }

    public ValueTask DisposeAsync()
    {
        Free();
        return ValueTask.CompletedTask;
    }

    private void TakeAnswer(byte[] answer)
    {
        if (answer.Length > 4 && _waiting.TryGetValue(BitConverter.ToInt32(answer), out TaskCompletionSource<int>? waiting))
            waiting.TrySetResult(int.Parse(answer.AsSpan(4), CultureInfo.InvariantCulture));
    }

    private static Socket Open()
    {
        Socket socket = new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true };
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, EchoPort));
        return socket;
    }

    private static async Task EchoAsync(Socket socket, string name)
    {
        byte[] buffer = new byte[64];
        try
        {
            while (true)
            {
                // From whatever address of the host; the client does not mind.
                SocketReceiveFromResult got = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.IPv6Any, 0));
                int length = Encoding.ASCII.GetBytes(name, buffer.AsSpan(got.ReceivedBytes)) + got.ReceivedBytes;
                await Answer(buffer.AsMemory(0, length), got.RemoteEndPoint);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Closed.
        }

        async Task Answer(ReadOnlyMemory<byte> answer, EndPoint to)
        {
            try
            {
                await socket.SendToAsync(answer, to);
            }
            catch (SocketException)
            {
                // The host's link is down.
            }
        }
    }

    private TestNamespace Connect(int number)
    {
        TestNamespace host = Keep(TestNamespace.Make());
        host.Run(static () =>
        {
            File.WriteAllText("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
            File.WriteAllText("/proc/sys/net/ipv6/conf/all/accept_dad", "0");
        });
        host.Ip("link", "add", "eth0", "address", $"02:77:00:00:00:{number:x2}", "type", "veth", "peer", "name", $"p{number}", "netns", _switch.Name);
        _switch.Ip("link", "set", $"p{number}", "master", "br0");
        _switch.Ip("link", "set", $"p{number}", "addrgenmode", "none", "up");
        host.Ip("link", "set", "eth0", "up");
        host.Ip("address", "add", $"10.77.0.{number}/24", "dev", "eth0");
        host.Ip("address", "add", $"fd77::{number}/64", "dev", "eth0", "nodad");
        return host;
    }

    private void Isolate(string how)
    {
        for (int number = 1; number <= _hosts.Length; number++) SetPort(number, "isolated", how);
    }

    private void SetPort(int host, string what, string how)
    {
        (int code, string text) = TestNamespace.Execute("bridge", ["-n", _switch.Name, "link", "set", "dev", $"p{host}", what, how]);
        Assert.True(code == 0, text);
    }

    private T Keep<T>(T made)
        where T : IDisposable
    {
        _made.Add(made);
        return made;
    }

    private void Free()
    {
        for (int i = _made.Count - 1; i >= 0; i--) _made[i].Dispose();
    }
}
