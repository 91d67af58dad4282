using System.Net;

namespace Lb.Transport.Tests.Udp;

/// <summary>When sessions begin and end.</summary>
[Trait("Row", "T2")]
public sealed class SessionTests : UdpGatewayTests
{
    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_session_ends_when_both_sides_are_silent_for_the_idle_time(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(static g => g.IdleTimeout = TimeSpan.FromSeconds(10));
        });
        UdpPeer client = lab.Client();
        await client.AskAsync(lab.At(), server);

        // Each side's datagrams keep it.
        await lab.AdvanceAsync(TimeSpan.FromSeconds(9));
        client.Send(lab.At(), "still there");
        IPEndPoint socket = await server.ShouldGetAsync("still there");
        await lab.AdvanceAsync(TimeSpan.FromSeconds(9));
        server.Send(socket, "so am I");
        await client.ShouldGetAsync("so am I");
        await lab.AdvanceAsync(TimeSpan.FromSeconds(9));
        Assert.Equal(1, lab.Udp().OpenConnections);

        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        await lab.TickAsync();

        await lab.EndedAsync(UdpEnd.Idle);
        Assert.Equal((0, 0), (lab.Udp().OpenConnections, lab.Pool.Servers[0].InFlight));
        client.Send(lab.At(), "again");
        Assert.NotEqual(socket, await server.ShouldGetAsync("again"));
        Assert.Equal(2, lab.Udp().TotalConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task By_default_a_session_is_idle_for_a_minute(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l => server = l.AddUdpServer());
        lab.Client().Send(lab.At(), "one way");
        await server.ShouldGetAsync("one way");
        await lab.AdvanceAsync(TimeSpan.FromSeconds(59));
        Assert.Equal(1, lab.Udp().OpenConnections);

        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        await lab.TickAsync();

        // Nobody knows whether an answer was owed, so the server is not to blame.
        await lab.EndedAsync(UdpEnd.Idle);
        Assert.Equal(0, lab.Pool.Servers[0].TotalFailures);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task One_response_makes_each_question_a_session(string driver)
    {
        UdpPeer first = null!, second = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            first = l.AddUdpServer();
            second = l.AddUdpServer();
            l.SetGateway(static g => g.Responses = 1);
        });
        UdpPeer client = lab.Client();
        foreach (UdpPeer server in (UdpPeer[])[first, second, first])
        {
            await client.AskAsync(lab.At(), server);
            await lab.SessionsAsync(0);
        }

        Assert.Equal(3, lab.Udp().Count(UdpEnd.Completed));
        Assert.Equal((0, 0), (lab.Pool.Servers[0].InFlight, lab.Pool.Servers[1].InFlight));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Questions_under_way_at_the_same_time_share_a_session_until_all_are_answered(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(static g => g.Responses = 2);
        });
        UdpPeer client = lab.Client();
        client.Send(lab.At(), "q1");
        IPEndPoint socket = await server.ShouldGetAsync("q1");
        client.Send(lab.At(), "q2");
        Assert.Equal(socket, await server.ShouldGetAsync("q2"));
        for (int i = 1; i <= 4; i++)
        {
            Assert.Equal(1, lab.Udp().OpenConnections);
            server.Send(socket, $"a{i}");
            await client.ShouldGetAsync($"a{i}");
        }

        await lab.EndedAsync(UdpEnd.Completed);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Requests_bound_how_long_a_client_keeps_its_server(string driver)
    {
        UdpPeer first = null!, second = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            first = l.AddUdpServer();
            second = l.AddUdpServer();
            l.SetGateway(static g => (g.Requests, g.Responses) = (2, 1));
        });
        UdpPeer client = lab.Client();
        for (int i = 1; i <= 3; i++) client.Send(lab.At(), $"q{i}");

        IPEndPoint socket = await first.ShouldGetAsync("q1");
        Assert.Equal(socket, await first.ShouldGetAsync("q2"));
        IPEndPoint other = await second.ShouldGetAsync("q3");

        // The first one still lives for its answers.
        first.Send(socket, "a1");
        await client.ShouldGetAsync("a1");
        Assert.Equal(2, lab.Udp().OpenConnections);
        first.Send(socket, "a2");
        await client.ShouldGetAsync("a2");
        await lab.EndedAsync(UdpEnd.Completed);

        // The second one waits for one more datagram.
        second.Send(other, "a3");
        await client.ShouldGetAsync("a3");
        Assert.Equal(1, lab.Udp().OpenConnections);
        client.Send(lab.At(), "q4");
        Assert.Equal(other, await second.ShouldGetAsync("q4"));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Without_responses_a_datagram_is_sent_and_forgotten(string driver)
    {
        UdpPeer first = null!, second = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            first = l.AddUdpServer();
            second = l.AddUdpServer();
            l.SetGateway(static g => g.Responses = 0);
        });
        UdpPeer client = lab.Client();
        foreach (UdpPeer server in (UdpPeer[])[first, second, first, second])
        {
            client.Send(lab.At(), "log line");
            await server.ShouldGetAsync("log line");
        }

        await lab.EndedAsync(UdpEnd.Completed, 4);
        Assert.Equal(0, lab.Udp().OpenConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_server_that_owes_an_answer_at_the_end_has_failed(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(static g => (g.Responses, g.IdleTimeout) = (1, TimeSpan.FromSeconds(5)));
        });
        lab.Client().Send(lab.At(), "question");
        await server.ShouldGetAsync("question");
        await lab.AdvanceAsync(TimeSpan.FromSeconds(5));
        await lab.TickAsync();

        await lab.EndedAsync(UdpEnd.ServerTimeout);
        Assert.Equal(1, lab.Pool.Servers[0].TotalFailures);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_reload_keeps_sessions_and_takes_the_new_idle_time(string driver)
    {
        UdpPeer server = null!;
        TimeSpan idle = TimeSpan.FromMinutes(5);
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(g => g.IdleTimeout = idle);
        });
        UdpPeer client = lab.Client();
        client.Send(lab.At(), "before");
        IPEndPoint socket = await server.ShouldGetAsync("before");
        await lab.AdvanceAsync(TimeSpan.FromSeconds(30));

        idle = TimeSpan.FromSeconds(20);
        client.Send(lab.At(), "before too");
        await server.ShouldGetAsync("before too");
        Assert.Empty(await lab.ReloadAsync());
        client.Send(lab.At(), "after");
        Assert.Equal(socket, await server.ShouldGetAsync("after"));
        await lab.AdvanceAsync(TimeSpan.FromSeconds(20));
        await lab.TickAsync();

        await lab.EndedAsync(UdpEnd.Idle);
    }
}
