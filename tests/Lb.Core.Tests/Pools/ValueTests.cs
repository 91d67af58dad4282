using System.Net;
using System.Net.Sockets;

namespace Lb.Core.Tests.Pools;

public sealed class ValueTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1:0", 4)]
    [InlineData("192.0.2.1:80", "192.0.2.1:80", 4)]
    [InlineData("255.255.255.255:65535", "255.255.255.255:65535", 4)]
    [InlineData("2001:db8::1", "[2001:db8::1]:0", 16)]
    [InlineData("[2001:db8::1]:80", "[2001:db8::1]:80", 16)]
    [InlineData("[::ffff:192.0.2.1]:80", "192.0.2.1:80", 4)]
    [InlineData("::", "[::]:0", 16)]
    public void Peer_addresses_are_read_and_written(string text, string written, int length)
    {
        Assert.True(PeerAddress.TryParse(text, out PeerAddress address));
        Assert.Equal(written, address.ToString());
        Assert.Equal(length, address.Length);
        Assert.Equal(length == 16, address.IsV6);
        Assert.False(address.IsEmpty);
        Assert.Equal(address, PeerAddress.From(address.ToIPEndPoint()));

        byte[] bytes = new byte[16];
        Assert.Equal(length, address.WriteBytes(bytes));
        Assert.Equal(address.ToIPEndPoint().Address.GetAddressBytes(), bytes[..length]);
        Assert.Equal(address, PeerAddress.FromBytes(bytes.AsSpan(0, length), address.Port));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("host:80")]
    [InlineData("192.0.2.1:99999")]
    [InlineData("192.0.2")]
    [InlineData("80")]
    [InlineData("010.0.0.1")]
    [InlineData("0x7f.0.0.1")]
    public void What_is_no_address_is_refused(string? text)
    {
        Assert.False(PeerAddress.TryParse(text, out PeerAddress address));
        Assert.True(address.IsEmpty);
    }

    [Fact]
    public void No_address_is_empty()
    {
        PeerAddress none = default;
        Assert.True(none.IsEmpty);
        Assert.Equal("-", none.ToString());
        Assert.Equal(0, none.WriteBytes([]));
        Assert.Throws<InvalidOperationException>(() => none.ToIPEndPoint());
        Assert.Throws<ArgumentException>(() => PeerAddress.FromBytes(new byte[5], 1));
        Assert.NotEqual(none, PeerAddress.FromV4(0, 0));
        Assert.NotEqual(PeerAddress.FromV4(0, 0), PeerAddress.FromBytes(new byte[16], 0));
        Assert.Equal("127.0.0.1:80", PeerAddress.FromV4(0x7F000001, 80).ToString());
    }

    [Theory]
    [InlineData("192.0.2.1:80", "192.0.2.1:80")]
    [InlineData(" 192.0.2.1:80 ", "192.0.2.1:80")]
    [InlineData("[2001:db8::1]:65535", "[2001:db8::1]:65535")]
    [InlineData("[::]:1", "[::]:1")]
    public void Server_addresses_may_be_numbers(string text, string expected)
    {
        Assert.True(ServerAddress.TryParse(text, out EndPoint? endPoint, out _));
        Assert.Equal(IPEndPoint.Parse(expected), endPoint);
    }

    [Theory]
    [InlineData("localhost:80", "localhost", 80)]
    [InlineData("web-1.example.com:8080", "web-1.example.com", 8080)]
    [InlineData("my_service:80", "my_service", 80)]
    [InlineData("1st.example:80", "1st.example", 80)]
    public void Server_addresses_may_be_names(string text, string host, int port)
    {
        Assert.True(ServerAddress.TryParse(text, out EndPoint? endPoint, out string? error), error);
        DnsEndPoint dns = Assert.IsType<DnsEndPoint>(endPoint);
        Assert.Equal((host, port), (dns.Host, dns.Port));
    }

    [Theory]
    [InlineData("unix:/run/app.sock")]
    [InlineData("UNIX:/run/app.sock")]
    public void Server_addresses_may_be_unix_sockets(string text)
    {
        Assert.True(ServerAddress.TryParse(text, out EndPoint? endPoint, out _));
        Assert.Equal("/run/app.sock", Assert.IsType<UnixDomainSocketEndPoint>(endPoint).ToString());
    }

    [Theory]
    [InlineData(null, "host:port")]
    [InlineData("", "host:port")]
    [InlineData("host", "host:port")]
    [InlineData(":80", "host:port")]
    [InlineData("[::1]", "host:port")]
    [InlineData("host:", "port '' must be 1 to 65535")]
    [InlineData("host:0", "port '0' must be 1 to 65535")]
    [InlineData("host:65536", "port '65536' must be 1 to 65535")]
    [InlineData("host:-1", "port '-1' must be 1 to 65535")]
    [InlineData("host:http", "port 'http' must be 1 to 65535")]
    [InlineData("::1:80", "neither an IPv4 address")]
    [InlineData("2001:db8::1:80", "neither an IPv4 address")]
    [InlineData("300.1.1.1:80", "neither an IPv4 address")]
    [InlineData("192.0.2:80", "neither an IPv4 address")]
    [InlineData("010.0.0.1:80", "neither an IPv4 address")]
    [InlineData("0x7f.0.0.1:80", "neither an IPv4 address")]
    [InlineData("[host]:80", "neither an IPv4 address")]
    [InlineData("a b:80", "neither an IPv4 address")]
    [InlineData("http://host:80", "neither an IPv4 address")]
    [InlineData("unix:", "1 to 107 bytes")]
    public void Other_server_addresses_are_refused_with_a_reason(string? text, string reason)
    {
        Assert.False(ServerAddress.TryParse(text, out EndPoint? endPoint, out string? error));
        Assert.Null(endPoint);
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(107, true)]
    [InlineData(108, false)]
    public void The_path_of_a_unix_socket_fits_the_kernels_structure(int length, bool valid)
    {
        Assert.Equal(valid, ServerAddress.TryParse("unix:/" + new string('x', length - 1), out _, out _));
    }

    [Fact]
    public void A_server_set_holds_any_number_of_servers()
    {
        ServerPool pool = TestPool.Create(200, new First());
        ServerSet set = default;
        Assert.True(set.IsEmpty);
        foreach (int i in new[] { 0, 63, 64, 127, 128, 199 })
        {
            Assert.False(set.Contains(pool.Servers[i]));
            set = set.With(pool.Servers[i]);
            Assert.True(set.Contains(pool.Servers[i]));
        }

        Assert.False(set.IsEmpty);
        Assert.Equal(6, pool.Servers.Count(s => set.Contains(s)));
        Assert.Equal(set, set.With(pool.Servers[64]));

        ServerSet high = default(ServerSet).With(pool.Servers[199]);
        ServerSet low = default(ServerSet).With(pool.Servers[1]);
        Assert.False(high.IsEmpty);
        Assert.True(high != low);
        Assert.True(high.With(pool.Servers[1]) == low.With(pool.Servers[199]));
        Assert.Equal(high.With(pool.Servers[1]).GetHashCode(), low.With(pool.Servers[199]).GetHashCode());
        Assert.Equal("b", pool.Next(new PickContext { Avoid = pool.Servers[0] }));
    }

    [Theory]
    [InlineData(1, 3, "yes yes yes")]
    [InlineData(2, 4, "no yes no yes")]
    [InlineData(0, 3, "no no no")]
    [InlineData(-1, 3, "no no yes")]
    public void Redispatch_says_which_retries_go_elsewhere(int redispatch, int retries, string answers)
    {
        PoolOptions options = new() { Redispatch = redispatch, Retries = retries };
        PoolSettings settings = PoolSettings.From(options, new DefaultsOptions());
        Assert.Equal(answers, string.Join(' ', Enumerable.Range(1, retries).Select(n => settings.ShouldRedispatch(n) ? "yes" : "no")));
    }

    [Fact]
    public void A_pool_fills_its_gaps_from_the_defaults()
    {
        DefaultsOptions defaults = new() { ConnectTimeout = TimeSpan.FromSeconds(7), ServerTimeout = TimeSpan.FromSeconds(8), Retries = 2, Redispatch = 0 };
        PoolSettings settings = PoolSettings.From(new PoolOptions(), defaults);
        Assert.Equal(new PoolSettings(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(7), 0, 2, 0), settings);
        Assert.Equal(TimeSpan.FromSeconds(1), settings.TurnAround);

        PoolOptions own = new()
        {
            ConnectTimeout = TimeSpan.FromMilliseconds(300), ServerTimeout = TimeSpan.FromSeconds(2), ServerFinTimeout = TimeSpan.FromSeconds(3),
            QueueTimeout = TimeSpan.FromSeconds(4), MaxQueue = 5, Retries = 6, Redispatch = -1,
        };
        settings = PoolSettings.From(own, defaults);
        Assert.Equal(
            new PoolSettings(TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(4), 5, 6, -1), settings);
        Assert.Equal(TimeSpan.FromMilliseconds(300), settings.TurnAround);

        defaults.QueueTimeout = TimeSpan.FromSeconds(9);
        Assert.Equal(TimeSpan.FromSeconds(9), PoolSettings.From(new PoolOptions(), defaults).QueueTimeout);
    }

    [Theory]
    [InlineData(CheckStatus.Unknown, "UNK", false)]
    [InlineData(CheckStatus.Initializing, "INI", false)]
    [InlineData(CheckStatus.SocketError, "SOCKERR", false)]
    [InlineData(CheckStatus.Layer4Ok, "L4OK", true)]
    [InlineData(CheckStatus.Layer4Timeout, "L4TOUT", false)]
    [InlineData(CheckStatus.Layer4Connection, "L4CON", false)]
    [InlineData(CheckStatus.Layer6Ok, "L6OK", true)]
    [InlineData(CheckStatus.Layer6Timeout, "L6TOUT", false)]
    [InlineData(CheckStatus.Layer6Response, "L6RSP", false)]
    [InlineData(CheckStatus.Layer7Ok, "L7OK", true)]
    [InlineData(CheckStatus.Layer7OkConditional, "L7OKC", true)]
    [InlineData(CheckStatus.Layer7Timeout, "L7TOUT", false)]
    [InlineData(CheckStatus.Layer7Response, "L7RSP", false)]
    [InlineData(CheckStatus.Layer7Status, "L7STS", false)]
    public void Check_results_have_the_words_of_HAProxy(CheckStatus status, string word, bool passed)
    {
        CheckReport report = new(status, 0, TimeSpan.Zero, "", default, 1);
        Assert.Equal((word, passed), (report.Word, report.Passed));
        ServerPool pool = TestPool.Create(1);
        ServerPool.ReportCheck(pool.Get("a"), report);
        Assert.Same(report, pool.Get("a").LastCheck);
    }
}
