using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb.Transport.Tests;

/// <summary>Clients that come through a proxy which says who they are.</summary>
[Trait("Row", "T8")]
public sealed class AcceptProxyTests : GatewayTests
{
    private const int Timeout = 60_000;
    private const string Line = "PROXY TCP4 192.0.2.7 192.0.2.1 1111 443\r\n";

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task The_header_is_taken_off_and_the_client_it_names_is_the_one_picked_for(string driver)
    {
        Seen seen = new();
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g => g.AcceptProxy = new AcceptProxyOptions());
            l.SetPool(p => p.Policy = () => seen);
        });
        byte[] block = new byte[128];
        ProxyHeaderWriter writer = new(block, PeerAddress.From(new(IPAddress.Parse("2001:db8::7"), 1)), PeerAddress.From(new(IPAddress.Parse("2001:db8::1"), 2)));
        writer.Add(ProxyTlvType.Authority, "a.example"u8);
        block = block[..writer.Finish(addChecksum: true)];
        Assert.Equal(("[2001:db8::7]:1", "[2001:db8::1]:2"), await AskAsync(block, step: 1000));
        Assert.Equal(("[2001:db8::7]:1", "[2001:db8::1]:2"), await AskAsync(block, step: 1));
        Assert.Equal(("192.0.2.7:1111", "192.0.2.1:443"), await AskAsync(Encoding.ASCII.GetBytes(Line), step: 1000));
        Assert.Equal(("192.0.2.7:1111", "192.0.2.1:443"), await AskAsync(Encoding.ASCII.GetBytes(Line), step: 7));

        // Its own connection, or nobody knows whose: the real address holds.
        Assert.Equal("127.0.0.1", (await AskAsync(ProxyHeaderWriter.Local.ToArray(), step: 1000)).Source.Split(':')[0]);
        Assert.Equal("127.0.0.1", (await AskAsync("PROXY UNKNOWN\r\n"u8.ToArray(), step: 1000)).Source.Split(':')[0]);

        async Task<(string Source, string Destination)> AskAsync(byte[] header, int step)
        {
            using Socket client = await lab.ClientAsync();
            client.NoDelay = true;
            byte[] all = [.. header, .. "hello"u8];
            foreach (byte[] part in all.Chunk(step))
            {
                await client.SendAllAsync(part);
                if (step < all.Length) await lab.TurnsAsync();
            }

            using Socket accepted = await server.AcceptAsync();
            Assert.Equal("hello"u8.ToArray(), await accepted.ReadAsync(5));
            await accepted.SendAllAsync("answer"u8.ToArray());
            Assert.Equal("answer"u8.ToArray(), await client.ReadAsync(6));
            return (seen.Last.Source.ToString(), seen.Last.Destination.ToString());
        }
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_header_that_comes_in_pieces_leaves_no_memory_behind(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g => g.AcceptProxy = new AcceptProxyOptions());
        });
        for (int n = 0; n < 3; n++)
        {
            using Socket client = await lab.ClientAsync();
            client.NoDelay = true;
            await client.SendAllAsync(Encoding.ASCII.GetBytes(Line[..10]));
            await lab.OpenAsync(1);
            await lab.TurnsAsync();
            await client.SendAllAsync(Encoding.ASCII.GetBytes(Line[10..]));
            using Socket accepted = await server.AcceptAsync();
            client.Shutdown(SocketShutdown.Send);
            await accepted.ShouldEndAsync();
            Assert.Equal(0, lab.Gateway.Limits.Memory);
            accepted.Shutdown(SocketShutdown.Send);
            await lab.OpenAsync(0);
        }
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task What_is_no_header_or_only_a_part_of_one_ends_the_connection_and_is_counted(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l =>
        {
            l.AddServer();
            l.SetGateway(static g => g.AcceptProxy = new AcceptProxyOptions());
        });
        foreach (string garbage in (string[])["GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 1.2.3.4\r\n", "\r\n\r\n\0\r\nQUIT\n\u0011"])
        {
            using Socket client = await lab.ClientAsync();
            await client.SendAllAsync(Encoding.Latin1.GetBytes(garbage));
            await client.ShouldEndAsync();
        }

        using (Socket cut = await lab.ClientAsync())
        {
            await cut.SendAllAsync("PROXY TCP4 192.0.2.7"u8.ToArray());
            cut.Shutdown(SocketShutdown.Send);
            await cut.ShouldEndAsync();
        }

        using (Socket scan = await lab.ClientAsync()) scan.Shutdown(SocketShutdown.Send);
        await Wait.UntilAsync(() => lab.Gateway.Count(RelayEnd.ConnectClientGone) == 1, "the scan was seen");
        await lab.OpenAsync(0);
        Assert.Equal((4, 1), (lab.Gateway.Count(RelayEnd.ProxyHeaderInvalid), lab.Gateway.Count(RelayEnd.ConnectClientGone)));
        Assert.Equal(0, lab.Pool.Servers[0].TotalLeases);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_header_that_does_not_come_in_time_ends_the_connection(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l =>
        {
            l.AddServer();
            l.SetGateway(static g => g.AcceptProxy = new AcceptProxyOptions { Timeout = TimeSpan.FromSeconds(2) });
        });
        using Socket silent = await lab.ClientAsync(), slow = await lab.ClientAsync();
        await slow.SendAllAsync("PROXY "u8.ToArray());
        await lab.OpenAsync(2);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(2, lab.Gateway.OpenConnections);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1.5));
        await silent.ShouldEndAsync();
        await slow.ShouldEndAsync();
        Assert.Equal(2, lab.Gateway.Count(RelayEnd.ProxyHeaderTimeout));
    }

    [Theory(Timeout = Timeout)]
    [InlineData("127.0.0.0/8", true)]
    [InlineData("10.0.0.0/8", false)]
    [InlineData("unix", false)]
    public async Task Only_those_who_are_named_must_and_may(string from, bool isNamed)
    {
        Seen seen = new();
        TestServer server = null!;
        GatewayLab lab = await StartAsync("managed", l =>
        {
            server = l.AddServer();
            l.SetGateway(g => g.AcceptProxy = new AcceptProxyOptions { From = { from } });
            l.SetPool(p => p.Policy = () => seen);
        });
        using Socket client = await lab.ClientAsync();
        await client.SendAllAsync(Encoding.ASCII.GetBytes($"{Line}hello"));
        using Socket accepted = await server.AcceptAsync();
        string first = isNamed ? "hello" : $"{Line}hello";
        Assert.Equal(first, Encoding.ASCII.GetString(await accepted.ReadAsync(first.Length)));
        Assert.Equal(isNamed ? "192.0.2.7" : "127.0.0.1", seen.Last.Source.ToString().Split(':')[0]);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "L8")]
    public async Task Who_is_let_in_is_asked_of_the_client_and_not_of_the_proxy(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g =>
            {
                g.AcceptProxy = new AcceptProxyOptions();
                g.Access.Add(new AccessRuleOptions { Action = AccessAction.Reject, From = { "192.0.2.7" } });
                g.PerSource.MaxConnections = 1;
            });
        });
        using Socket denied = await lab.ClientAsync(), first = await lab.ClientAsync(), second = await lab.ClientAsync(), other = await lab.ClientAsync();
        await denied.SendAllAsync(Encoding.ASCII.GetBytes(Line));
        await denied.ShouldBeResetAsync();
        await first.SendAllAsync("PROXY TCP4 192.0.2.8 192.0.2.1 1 2\r\nhello"u8.ToArray());
        using Socket accepted = await server.AcceptAsync();
        Assert.Equal("hello"u8.ToArray(), await accepted.ReadAsync(5));

        // Its second connection is one too many, until the first has ended; another client behind the same proxy is another.
        await second.SendAllAsync("PROXY TCP4 192.0.2.8 192.0.2.1 2 2\r\n"u8.ToArray());
        await second.ShouldBeResetAsync();
        await other.SendAllAsync("PROXY TCP4 192.0.2.9 192.0.2.1 3 2\r\n"u8.ToArray());
        using Socket others = await server.AcceptAsync();
        first.Dispose();
        accepted.Dispose();
        await lab.OpenAsync(1);
        using Socket third = await lab.ClientAsync();
        await third.SendAllAsync("PROXY TCP4 192.0.2.8 192.0.2.1 4 2\r\n"u8.ToArray());
        using Socket thirds = await server.AcceptAsync();
        Assert.Equal(2, lab.Gateway.Count(RelayEnd.Denied));
    }

    /// <summary>Keeps what the last pick was asked with.</summary>
    private sealed class Seen : ISchedulingPolicy, IScheduler
    {
        private PoolSnapshot? _snapshot;

        public PickContext Last { get; private set; }

        public IScheduler Build(PoolSnapshot snapshot)
        {
            _snapshot = snapshot;
            return this;
        }

        public Server Pick(in PickContext context, long now)
        {
            Last = context;
            return _snapshot!.Servers[0];
        }
    }
}
