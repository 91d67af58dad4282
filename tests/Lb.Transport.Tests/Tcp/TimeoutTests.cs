using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>Silence: how long, and whose fault.</summary>
[Trait("Row", "R1")]
public sealed class TimeoutTests : GatewayTests
{
    private const int Timeout = 60_000;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_silent_client_is_closed_exactly_after_its_time(string driver)
    {
        (GatewayLab lab, Socket client, Socket server) = await PairAsync(driver, client: 7, server: 60);
        await lab.AdvanceAsync(Seconds(7) - Moment);
        Assert.Equal(1, lab.Gateway.OpenConnections);
        await lab.TickAsync();
        await client.ShouldEndAsync();
        await server.ShouldEndAsync();
        await ExpectAsync(lab, RelayEnd.ClientTimeout, failures: 0);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_silent_server_that_owes_nothing_is_closed_and_not_blamed(string driver)
    {
        (GatewayLab lab, Socket client, Socket _) = await PairAsync(driver, client: 60, server: 7);
        await lab.AdvanceAsync(Seconds(7) - Moment);
        Assert.Equal(1, lab.Gateway.OpenConnections);
        await lab.TickAsync();
        await client.ShouldEndAsync();
        await ExpectAsync(lab, RelayEnd.ServerTimeout, failures: 0);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_silent_server_that_owes_an_answer_has_failed(string driver)
    {
        (GatewayLab lab, Socket client, Socket server) = await PairAsync(driver, client: 7, server: 7);
        await lab.AdvanceAsync(Seconds(3));
        await client.SendAllAsync("question"u8.ToArray());
        await server.ReadAsync(8);
        await lab.AdvanceAsync(Seconds(7) - Moment);
        Assert.Equal(1, lab.Gateway.OpenConnections);
        await lab.TickAsync();
        await client.ShouldEndAsync();
        await ExpectAsync(lab, RelayEnd.ServerTimeout, failures: 1);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_server_that_has_answered_owes_nothing_more(string driver)
    {
        (GatewayLab lab, Socket client, Socket server) = await PairAsync(driver, client: 60, server: 7);
        await client.SendAllAsync("question"u8.ToArray());
        await server.ReadAsync(8);
        await server.SendAllAsync("answer"u8.ToArray());
        await client.ReadAsync(6);
        await lab.AdvanceAsync(Seconds(7));
        await lab.TickAsync();
        await ExpectAsync(lab, RelayEnd.ServerTimeout, failures: 0);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Data_in_one_direction_keeps_both_sides(string driver)
    {
        (GatewayLab lab, Socket client, Socket server) = await PairAsync(driver, client: 5, server: 5);
        for (int i = 0; i < 5; i++)
        {
            await lab.AdvanceAsync(Seconds(4));
            await client.SendAllAsync(new byte[1]);
            await server.ReadAsync(1);
        }

        for (int i = 0; i < 5; i++)
        {
            await lab.AdvanceAsync(Seconds(4));
            await server.SendAllAsync(new byte[1]);
            await client.ReadAsync(1);
        }

        Assert.Equal(1, lab.Gateway.OpenConnections);
        await lab.AdvanceAsync(Seconds(5) - Moment);
        Assert.Equal(1, lab.Gateway.OpenConnections);
        await lab.TickAsync();
        await lab.OpenAsync(0);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T1")]
    public async Task After_the_clients_end_the_server_has_the_server_fin_time(string driver)
    {
        (GatewayLab lab, Socket client, Socket server) = await PairAsync(driver, client: 60, server: 60, serverFin: 5);
        client.Shutdown(SocketShutdown.Send);
        await server.ShouldEndAsync();
        await lab.AdvanceAsync(Seconds(5) - Moment);
        Assert.Equal(1, lab.Gateway.OpenConnections);
        await lab.TickAsync();
        await client.ShouldEndAsync();
        await ExpectAsync(lab, RelayEnd.ServerTimeout, failures: 0);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T1")]
    public async Task After_the_servers_end_the_client_has_the_client_fin_time(string driver)
    {
        (GatewayLab lab, Socket client, Socket server) = await PairAsync(driver, client: 60, server: 60, clientFin: 5);
        server.Shutdown(SocketShutdown.Send);
        await client.ShouldEndAsync();
        await lab.AdvanceAsync(Seconds(5) - Moment);
        Assert.Equal(1, lab.Gateway.OpenConnections);
        await lab.TickAsync();
        await ExpectAsync(lab, RelayEnd.ClientTimeout, failures: 0);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T1")]
    public async Task A_client_that_has_finished_sending_is_not_called_silent(string driver)
    {
        (GatewayLab lab, Socket client, Socket server) = await PairAsync(driver, client: 5, server: 60);
        await client.SendAllAsync("question"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("question"u8.ToArray(), await server.ReadToEndAsync());
        await lab.AdvanceAsync(Seconds(30));
        Assert.Equal(1, lab.Gateway.OpenConnections);
        await server.SendAllAsync("answer"u8.ToArray());
        server.Shutdown(SocketShutdown.Send);
        Assert.Equal("answer"u8.ToArray(), await client.ReadToEndAsync());
        await ExpectAsync(lab, RelayEnd.Completed, failures: 0);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T1")]
    public async Task A_server_that_has_finished_sending_is_not_called_silent(string driver)
    {
        (GatewayLab lab, Socket client, Socket server) = await PairAsync(driver, client: 60, server: 5);
        server.Shutdown(SocketShutdown.Send);
        await client.ShouldEndAsync();
        await lab.AdvanceAsync(Seconds(30));
        Assert.Equal(1, lab.Gateway.OpenConnections);
        await client.SendAllAsync("late"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("late"u8.ToArray(), await server.ReadToEndAsync());
        await ExpectAsync(lab, RelayEnd.Completed, failures: 0);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_server_that_the_gateway_does_not_read_from_is_not_called_silent(string driver)
    {
        (GatewayLab lab, Socket client, Socket server) = await PairAsync(driver, client: 60, server: 5, receiveBuffer: 8 * 1024);
        byte[] answer = new byte[64 << 20];
        Task sending = server.SendAllAsync(answer);
        await RelayTests.StallAsync(lab);
        await lab.AdvanceAsync(Seconds(30));
        Assert.Equal(1, lab.Gateway.OpenConnections);

        // It is read again from now on, and its time begins now.
        await client.ReadAsync(answer.Length);
        await sending;
        await lab.AdvanceAsync(Seconds(5) - Moment);
        Assert.Equal(1, lab.Gateway.OpenConnections);
        await lab.TickAsync();
        await client.ShouldEndAsync();
        await ExpectAsync(lab, RelayEnd.ServerTimeout, failures: 0);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_client_that_does_not_take_its_answer_is_blamed_and_sees_that_the_stream_is_broken(string driver)
    {
        (GatewayLab lab, Socket client, Socket server) = await PairAsync(driver, client: 20, server: 5, receiveBuffer: 8 * 1024);
        Task sending = server.SendAllAsync(new byte[64 << 20]);
        await RelayTests.StallAsync(lab);
        await lab.AdvanceAsync(Seconds(20) - Moment);
        Assert.Equal(1, lab.Gateway.OpenConnections);
        await lab.TickAsync();
        await ExpectAsync(lab, RelayEnd.ClientTimeout, failures: 0);
        await Assert.ThrowsAsync<SocketException>(() => sending);

        // Bytes are missing: a clean end would call the answer complete.
        await client.ShouldBeResetAsync();
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_server_that_does_not_take_the_request_is_blamed_not_the_client(string driver)
    {
        (GatewayLab lab, Socket client, Socket server) = await PairAsync(driver, client: 5, server: 20);
        Task sending = client.SendAllAsync(new byte[64 << 20]);
        await RelayTests.StallAsync(lab);
        await lab.AdvanceAsync(Seconds(20) - Moment);
        Assert.Equal(1, lab.Gateway.OpenConnections);
        await lab.TickAsync();
        await ExpectAsync(lab, RelayEnd.ServerTimeout, failures: 1);
        await Assert.ThrowsAsync<SocketException>(() => sending);
        await server.ShouldBeResetAsync();
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);

    private async Task<(GatewayLab Lab, Socket Client, Socket Server)> PairAsync(
        string driver, int client, int server, int? clientFin = null, int? serverFin = null, int receiveBuffer = 0)
    {
        TestServer listener = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            listener = l.AddServer();
            l.SetGateway(g =>
            {
                g.ClientTimeout = Seconds(client);
                if (clientFin is { } fin) g.ClientFinTimeout = Seconds(fin);
            });
            l.SetPool(p =>
            {
                p.ServerTimeout = Seconds(server);
                if (serverFin is { } fin) p.ServerFinTimeout = Seconds(fin);
            });
        });
        (Socket near, Socket far) = await lab.PairAsync(listener, receiveBuffer);
        return (lab, near, far);
    }

    private static async Task ExpectAsync(GatewayLab lab, RelayEnd end, int failures)
    {
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(end));
        Assert.Equal(failures, lab.Pool.Servers[0].TotalFailures);
        Assert.Equal(end == RelayEnd.Completed || failures > 0 ? 0 : 1, lab.Pool.Servers[0].TotalIgnored);
    }
}
