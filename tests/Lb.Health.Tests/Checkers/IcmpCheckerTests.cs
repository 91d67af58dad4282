using System.Net;
using System.Net.Sockets;
using Lb.Testing;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H11")]
public sealed class IcmpCheckerTests
{
    private const int Limit = 60_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory(Timeout = Limit)]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task Loopback_answers(string address)
    {
        IPAddress ip = IPAddress.Parse(address);
        if (ip.AddressFamily == AddressFamily.InterNetworkV6 && !ip.IsIPv4MappedToIPv6) Assert.SkipUnless(Socket.OSSupportsIPv6 && HasIPv6(), "no ::1 here");
        ProbeResult result = await new IcmpChecker().CheckAsync(Target(new IPEndPoint(ip, 80)), Ct);
        Assert.SkipWhen(result.Status == CheckStatus.SocketError, result.Text);
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Ok), result);
    }

    [Fact(Timeout = Limit)]
    public async Task Without_permission_it_says_what_would_give_it()
    {
        List<(AddressFamily, SocketType, ProtocolType)> tried = [];
        IcmpChecker checker = new(TimeProvider.System, (family, type, protocol) =>
        {
            tried.Add((family, type, protocol));
            throw new SocketException((int)SocketError.AccessDenied);
        });
        ProbeResult result = await checker.CheckAsync(Target(new IPEndPoint(IPAddress.IPv6Loopback, 0)), Ct);
        Assert.Equal(CheckStatus.SocketError, result.Status);
        Assert.Contains("net.ipv4.ping_group_range", result.Text, StringComparison.Ordinal);
        Assert.Contains("CAP_NET_RAW", result.Text, StringComparison.Ordinal);
        Assert.True(result.Text.Length <= 128, "the text is cut to 128 characters when it is shown");
        Assert.Equal([(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.IcmpV6), (AddressFamily.InterNetworkV6, SocketType.Raw, ProtocolType.IcmpV6)], tried);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H28")]
    public async Task Too_many_open_files_is_our_own_fault()
    {
        IcmpChecker checker = new(TimeProvider.System, static (_, _, _) => throw new SocketException((int)SocketError.TooManyOpenSockets));
        Assert.Equal(new ProbeResult(CheckStatus.SocketError, 0, "too many open files"), await checker.CheckAsync(Target(new IPEndPoint(IPAddress.Loopback, 0)), Ct));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H3")]
    public async Task No_answer_in_time_is_L4TOUT()
    {
        Assert.Equal(CheckStatus.Layer4Timeout, (await new IcmpChecker().CheckAsync(Target(new IPEndPoint(IPAddress.Loopback, 0)), new CancellationToken(true))).Status);

        // A raw socket that is told to hear nothing (raw(7), ICMP_FILTER).
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "raw sockets are not for us");
        ManualTimeProvider time = new();
        IcmpChecker checker = new(time, static (family, type, protocol) =>
        {
            if (type != SocketType.Raw) throw new SocketException((int)SocketError.AccessDenied);
            Socket deaf = new(family, type, protocol);
            deaf.SetRawSocketOption(255, 1, [0xff, 0xff, 0xff, 0xff]);
            return deaf;
        });
        Task<ProbeResult> check = checker.CheckAsync(Target(new IPEndPoint(IPAddress.Loopback, 0)), Ct).AsTask();
        time.Advance(TimeSpan.FromSeconds(60) - TimeSpan.FromTicks(1));
        Assert.False(check.IsCompleted);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Timeout, 0, "no answer in time"), await check);
        Assert.Equal(0, time.ActiveTimers);
    }

    [Fact(Timeout = Limit)]
    public async Task A_Unix_socket_can_not_be_pinged()
    {
        ProbeResult result = await new IcmpChecker().CheckAsync(Target(new UnixDomainSocketEndPoint("/tmp/x")), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.SocketError, 0, "a Unix socket can't be pinged"), result);
    }

    private static bool HasIPv6()
    {
        try
        {
            using Socket socket = new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static ProbeTarget Target(EndPoint endPoint) => new("s1", endPoint, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
}
