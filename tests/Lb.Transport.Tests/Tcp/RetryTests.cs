using System.Net.Sockets;
using System.Text;

namespace Lb.Transport.Tests;

/// <summary>Servers that refuse, or say nothing: the client shall not notice as long as another one serves.</summary>
public sealed class RetryTests : GatewayTests
{
    private const int Timeout = 60_000;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R6")]
    public async Task Every_retry_goes_to_a_server_not_tried_yet_and_the_client_loses_nothing(string driver)
    {
        TestServer good = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            for (int i = 0; i < 3; i++) l.AddRefusing();
            good = l.AddServer("good");
        });
        await EchoAsync(lab, good);
        Assert.Equal([1, 1, 1, 0], lab.Pool.Servers.Select(static s => s.TotalFailures));
        Assert.Equal((3, 3), (lab.Gateway.Retries, lab.Gateway.Redispatches));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R3")]
    [Trait("Row", "R6")]
    public async Task When_all_attempts_fail_the_client_is_closed_cleanly(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l =>
        {
            for (int i = 0; i < 6; i++) l.AddRefusing();
        });
        Socket client = await lab.ClientAsync();
        await client.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Equal([0, 0, 1, 1, 1, 1], lab.Pool.Servers.Select(static s => s.TotalFailures).Order());
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ConnectRefused));
        Assert.Equal(3, lab.Gateway.Retries);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R3")]
    public async Task The_only_server_is_tried_again_after_the_turn_around_of_one_second(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l => l.AddRefusing());
        await ExpectTurnAroundsAsync(lab, Second);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R3")]
    public async Task The_turn_around_is_no_longer_than_the_connect_time_out(string driver)
    {
        TimeSpan short_ = TimeSpan.FromMilliseconds(400);
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.AddRefusing();
            l.SetPool(p => p.ConnectTimeout = short_);
        });
        await ExpectTurnAroundsAsync(lab, short_);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R4")]
    public async Task Without_redispatch_the_same_server_is_tried_every_time(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l =>
        {
            l.AddRefusing();
            l.AddServer("other");
            l.SetPool(static p => p.Redispatch = 0);
        });
        await ExpectTurnAroundsAsync(lab, Second);
        Assert.Equal((0, 0L), (lab.Gateway.Redispatches, lab.Pool.Servers[1].TotalLeases));
    }

    [Theory(Timeout = Timeout)]
    [InlineData("epoll", 2, 3)]
    [InlineData("io_uring", 2, 3)]
    [InlineData("managed", 2, 3)]
    [InlineData("epoll", -1, 2)]
    [InlineData("io_uring", -1, 2)]
    [InlineData("managed", -1, 2)]
    [Trait("Row", "R4")]
    public async Task Redispatch_of_every_second_or_only_the_last_retry(string driver, int redispatch, int retries)
    {
        TestServer good = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.AddRefusing();
            good = l.AddServer();
            l.SetPool(p => (p.Redispatch, p.Retries) = (redispatch, retries));
        });
        Socket client = await lab.ClientAsync();
        Server refusing = lab.Pool.Servers[0];
        await Wait.UntilAsync(() => refusing.TotalFailures == 1, "the first attempt");
        await lab.AdvanceAsync(Second - Moment);
        Assert.Equal(1, refusing.TotalFailures);
        await lab.TickAsync();
        Socket accepted = await good.AcceptAsync();
        await client.SendAllAsync("x"u8.ToArray());
        await accepted.ReadAsync(1);
        Assert.Equal((2, 2, 1), (refusing.TotalFailures, lab.Gateway.Retries, lab.Gateway.Redispatches));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R1")]
    [Trait("Row", "R6")]
    public async Task A_server_that_does_not_answer_the_connect_is_left_exactly_at_the_time_out(string driver)
    {
        TestServer good = null!;
        GatewayLab lab = Make(driver);
        await lab.AddBlackHoleAsync("hole");
        good = lab.AddServer("good");
        lab.SetPool(static p => p.ConnectTimeout = TimeSpan.FromSeconds(3));
        await lab.StartAsync();

        Socket client = await lab.ClientAsync();
        await client.SendAllAsync("early"u8.ToArray());
        await Wait.UntilAsync(() => lab.Pool.Servers[0].InFlight == 1, "the first attempt");
        await lab.AdvanceAsync((3 * Second) - Moment);
        Assert.Equal((0, 0L), (lab.Pool.Servers[0].TotalFailures, lab.Pool.Servers[1].TotalLeases));
        await lab.TickAsync();
        Socket accepted = await good.AcceptAsync();
        Assert.Equal("early"u8.ToArray(), await accepted.ReadAsync(5));
        Assert.Equal(1, lab.Pool.Servers[0].TotalFailures);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R1")]
    public async Task When_no_connect_is_answered_the_client_is_closed_cleanly(string driver)
    {
        GatewayLab lab = Make(driver);
        await lab.AddBlackHoleAsync();
        lab.SetPool(static p => (p.ConnectTimeout, p.Retries) = (TimeSpan.FromSeconds(3), 0));
        await lab.StartAsync();
        Socket client = await lab.ClientAsync();
        await Wait.UntilAsync(() => lab.Pool.Servers[0].InFlight == 1, "the attempt");
        await lab.AdvanceAsync(3 * Second);
        await lab.TickAsync();
        await client.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ConnectTimeout));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_unix_socket_that_nobody_listens_on_is_a_refusal(string driver)
    {
        TestServer good = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.AddServer($"unix:/tmp/lb-nobody-{Guid.NewGuid():N}.sock", "gone");
            good = l.AddServer("good");
        });
        await EchoAsync(lab, good);
        Assert.Equal(1, lab.Pool.Servers[0].TotalFailures);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R3")]
    public async Task The_turn_around_does_not_count_as_latency(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l => l.AddRefusing());
        Server server = lab.Pool.Servers[0];
        _ = await lab.ClientAsync();
        await Wait.UntilAsync(() => server.TotalFailures == 1, "the first attempt");

        // Between two attempts the server comes up.
        using TestServer up = new(at: (System.Net.IPEndPoint)Rebind(lab, server));
        await lab.AdvanceAsync(Second);
        await lab.TickAsync();
        await up.AcceptAsync();
        await lab.TurnsAsync();
        Assert.InRange(server.AverageLatency, TimeSpan.Zero, TimeSpan.FromMilliseconds(500));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "H25")]
    public async Task A_client_that_leaves_during_the_connect_does_not_count_against_the_server(string driver)
    {
        GatewayLab lab = Make(driver);
        await lab.AddBlackHoleAsync();
        await lab.StartAsync();
        Socket client = await lab.ClientAsync();
        await Wait.UntilAsync(() => lab.Pool.Servers[0].InFlight == 1, "the attempt");
        client.Reset();
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ConnectClientGone));
        Assert.Equal((0, 1), (lab.Pool.Servers[0].TotalFailures, lab.Pool.Servers[0].TotalIgnored));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "H25")]
    public async Task A_client_that_leaves_during_the_turn_around_ends_the_attempts(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l => l.AddRefusing());
        Socket client = await lab.ClientAsync();
        await Wait.UntilAsync(() => lab.Pool.Servers[0].TotalFailures == 1, "the first attempt");
        client.Reset();
        await lab.OpenAsync(0);
        await lab.AdvanceAsync(10 * Second);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ConnectClientGone));
        Assert.Equal((1, 1), (lab.Pool.Servers[0].TotalFailures, lab.Pool.Servers[0].TotalIgnored));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Without_a_usable_server_the_client_is_closed_cleanly(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l => l.AddServer("drained", static s => s.Weight = 0));
        Socket client = await lab.ClientAsync();
        await client.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.NoServer));
    }

    private static System.Net.EndPoint Rebind(GatewayLab lab, Server server)
    {
        System.Net.EndPoint at = server.EndPoint;
        lab.ReleaseRefusing();
        return at;
    }

    private static async Task EchoAsync(GatewayLab lab, TestServer server)
    {
        byte[] words = Encoding.ASCII.GetBytes("sent before any server had answered");
        Socket client = await lab.ClientAsync();
        await client.SendAllAsync(words);
        Socket accepted = await server.AcceptAsync();
        Assert.Equal(words, await accepted.ReadAsync(words.Length));
        await accepted.SendAllAsync(words);
        Assert.Equal(words, await client.ReadAsync(words.Length));
    }

    /// <summary>The first server refuses four times, each attempt exactly one turn-around after the last.</summary>
    private static async Task ExpectTurnAroundsAsync(GatewayLab lab, TimeSpan turnAround)
    {
        Server server = lab.Pool.Servers[0];
        Socket client = await lab.ClientAsync();
        for (int attempt = 1; attempt <= 4; attempt++)
        {
            await Wait.UntilAsync(() => server.TotalFailures == attempt, () => $"attempt {attempt}");
            if (attempt == 4) break;
            await lab.AdvanceAsync(turnAround - Moment);
            Assert.Equal(attempt, server.TotalFailures);
            Assert.True(client.IsQuiet());
            await lab.TickAsync();
        }

        await client.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Equal((1, 3), (lab.Gateway.Count(RelayEnd.ConnectRefused), lab.Gateway.Retries));
    }
}
