using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>Each connection is counted for its source once and given back once, where it was counted, whatever a reload changes in between.</summary>
[Trait("Row", "L1")]
public sealed class CountedSourceTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_connection_counted_by_other_limits_gives_nothing_back_to_the_new_ones(string driver)
    {
        TestServer server = null!;
        int limit = 2;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(g => g.PerSource.MaxConnections = limit);
        });
        (Socket first, _) = await lab.PairAsync(server);
        (Socket second, _) = await lab.PairAsync(server);
        limit = 1;
        Assert.Empty(await lab.ReloadAsync());
        await lab.PairAsync(server);
        first.Reset();
        second.Reset();
        await lab.OpenAsync(1);
        Assert.Equal(1, Counted(lab));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task One_that_a_rule_let_in_gives_nothing_back_for_its_neighbours(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g =>
            {
                AccessRuleOptions rule = new() { Action = AccessAction.Allow };
                rule.From.Add("127.0.0.2");
                g.Access.Add(rule);
                (g.PerSource.MaxConnections, g.PerSource.Mask) = (2, 24);
            });
        });
        await lab.PairAsync(server, from: "127.0.0.3");
        (Socket friend, _) = await lab.PairAsync(server, from: "127.0.0.2");
        friend.Reset();
        await lab.OpenAsync(1);
        Assert.Equal(1, Counted(lab));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "G3")]
    public async Task A_reload_that_lets_proxies_in_forgets_no_connection(string driver)
    {
        TestServer server = null!;
        AcceptProxyOptions? accept = null;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(g => (g.AcceptProxy, g.PerSource.MaxConnections) = (accept, 2));
        });
        (Socket plain, _) = await lab.PairAsync(server);
        accept = new AcceptProxyOptions();
        Assert.Empty(await lab.ReloadAsync());
        Assert.Equal(1, Counted(lab));
        plain.Reset();
        await lab.OpenAsync(0);
        Assert.Equal(0, Counted(lab));

        // And the other way round: one whose header never came was never counted.
        Socket silent = await lab.ClientAsync();
        await lab.OpenAsync(1);
        accept = null;
        Assert.Empty(await lab.ReloadAsync());
        await lab.PairAsync(server);
        silent.Reset();
        await lab.OpenAsync(1);
        Assert.Equal(1, Counted(lab));
    }

    private static int Counted(GatewayLab lab) => lab.Gateway.Admission.Sources!.Connections(PeerAddress.FromV4(0x7F000001, 0));
}
