using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>The door of a gateway, with real sockets.</summary>
public sealed class AdmissionTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "A5")]
    public async Task A_client_that_a_rule_rejects_is_reset_and_reaches_no_server(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g => g.Access.Add(Rule(AccessAction.Reject, "127.0.0.2", "127.0.1.0/24")));
        });
        foreach (string from in (string[])["127.0.0.2", "127.0.1.77"]) await RefusedAsync(lab, from);
        await lab.PairAsync(server, from: "127.0.0.3");
        Assert.False(server.HasWaiting);
        Assert.Equal((1L, 2L), (lab.Gateway.TotalConnections, lab.Gateway.Admission.Count(AccessAction.Reject, AdmissionReason.Rule)));
        Assert.Equal(2, lab.Gateway.Admission.Rules[0].Hits);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "A5")]
    public async Task A_client_that_is_dropped_in_silence_hears_nothing(string driver)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) Assert.Skip("Needs CAP_NET_ADMIN: without it the reset goes out, and on this machine it arrives.");
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g => g.Access.Add(Rule(AccessAction.SilentDrop, "127.0.0.2")));
        });
        Socket dropped = await lab.ClientAsync(from: "127.0.0.2");
        await Wait.UntilAsync(() => lab.Gateway.Admission.Count(AccessAction.SilentDrop, AdmissionReason.Rule) == 1, "the client was dropped");
        await lab.TurnsAsync();
        Assert.True(dropped.IsQuiet());

        // Nobody is there any more: the kernel says so to whoever sends.
        await dropped.SendAllAsync(new byte[1]);
        await dropped.ShouldBeResetAsync();
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R2")]
    public async Task A_tarpit_holds_its_clients_unread_and_then_resets_them(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g =>
            {
                (g.TarpitTimeout, g.MaxHeld) = (TimeSpan.FromSeconds(5), 2);
                g.Access.Add(Rule(AccessAction.Tarpit, "127.0.0.2"));
            });
        });
        ConnectionAdmission admission = lab.Gateway.Admission;
        Socket first = await lab.ClientAsync(from: "127.0.0.2");
        await first.SendAllAsync(new byte[1000]);
        Socket second = await lab.ClientAsync(from: "127.0.0.2");
        await HeldAsync(lab, 2);

        // The third finds no place to be held in; one that leaves makes room.
        await RefusedAsync(lab, "127.0.0.2");
        Assert.Equal(1, admission.Count(AccessAction.Reject, AdmissionReason.TooManyHeld));
        second.Reset();
        await HeldAsync(lab, 1);

        await lab.AdvanceAsync(TimeSpan.FromSeconds(4.9));
        Assert.True(first.IsQuiet());
        await lab.AdvanceAsync(TimeSpan.FromSeconds(0.2));
        await first.ShouldBeResetAsync();
        Assert.Equal((0, 0L, 3L), (admission.Held, lab.Gateway.TotalConnections, admission.Count(AccessAction.Tarpit, AdmissionReason.Rule)));
        Assert.False(server.HasWaiting);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R2")]
    public async Task A_gateway_that_stops_waits_for_no_tarpit(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g =>
            {
                g.TarpitTimeout = TimeSpan.FromHours(1);
                g.Access.Add(Rule(AccessAction.Tarpit));
            });
        });
        Socket held = await lab.ClientAsync();
        await HeldAsync(lab, 1);
        ProcessLimits limits = lab.Gateway.Limits;
        Assert.Equal(1, limits.Open);
        await lab.StopAsync(TestContext.Current.CancellationToken);
        await held.ShouldBeResetAsync();
        Assert.Equal(0, limits.Open);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "L1")]
    public async Task A_source_has_only_so_many_connections_and_gets_room_when_one_ends(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            (l.Loops, server) = (2, l.AddServer());
            l.SetGateway(static g => g.PerSource.MaxConnections = 2);
        });
        (Socket first, _) = await lab.PairAsync(server, from: "127.0.0.2");
        await lab.PairAsync(server, from: "127.0.0.2");
        await RefusedAsync(lab, "127.0.0.2");
        await lab.PairAsync(server, from: "127.0.0.3");
        Assert.Equal((3, 1L), (lab.Gateway.OpenConnections, lab.Gateway.Admission.Count(AccessAction.Reject, AdmissionReason.SourceConnections)));

        first.Reset();
        await lab.OpenAsync(2);
        await lab.PairAsync(server, from: "127.0.0.2");
        await RefusedAsync(lab, "127.0.0.2");
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "L1")]
    public async Task A_source_that_comes_too_fast_may_be_delayed_until_there_is_room(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g =>
            {
                g.PerSource = new PerSourceOptions { Rate = 1, Period = TimeSpan.FromSeconds(4), Action = AccessAction.Delay };
                g.TarpitTimeout = TimeSpan.FromSeconds(7);
            });
        });
        await lab.PairAsync(server);
        Socket second = await lab.ClientAsync();
        await second.SendAllAsync("2"u8.ToArray());
        await HeldAsync(lab, 1);
        Socket third = await lab.ClientAsync();
        await HeldAsync(lab, 2);

        // The first is out of sight after two periods, at the latest after eight seconds; the third then waits in vain.
        await lab.AdvanceAsync(TimeSpan.FromSeconds(6.9));
        Assert.Equal((2, 1L), (lab.Gateway.Admission.Held, lab.Gateway.TotalConnections));
        await lab.AdvanceAsync(TimeSpan.FromSeconds(0.2));
        await third.ShouldBeResetAsync();
        await second.ShouldBeResetAsync();
        Assert.Equal((0, 2L, 2L), (
            lab.Gateway.Admission.Held,
            lab.Gateway.Admission.Count(AccessAction.Delay, AdmissionReason.SourceRate),
            lab.Gateway.Admission.Count(AccessAction.Reject, AdmissionReason.SourceRate)));

        Socket fourth = await lab.ClientAsync();
        await fourth.SendAllAsync("4"u8.ToArray());
        await HeldAsync(lab, 1);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        Assert.Equal("4"u8.ToArray(), await (await server.AcceptAsync()).ReadAsync(1));
        Assert.Equal((0, 2L), (lab.Gateway.Admission.Held, lab.Gateway.TotalConnections));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "G3")]
    public async Task A_reload_brings_other_rules_for_those_who_come_then(string driver)
    {
        TestServer server = null!;
        string refused = "127.0.0.2";
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(g => g.Access.Add(Rule(AccessAction.Deny, refused)));
        });
        (Socket stays, Socket serverSide) = await lab.PairAsync(server, from: "127.0.0.3");
        refused = "127.0.0.3";
        Assert.Empty(await lab.ReloadAsync());
        await RefusedAsync(lab, "127.0.0.3");
        await lab.PairAsync(server, from: "127.0.0.2");
        await stays.SendAllAsync(new byte[1]);
        await serverSide.ReadAsync(1);
    }

    [Fact]
    [Trait("Row", "A6")]
    public async Task A_file_with_a_fault_is_an_error_of_the_configuration()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, "10.0.0.0/8\nx\n");
        GatewayLab lab = Make("epoll", l =>
        {
            l.AddServer();
            l.SetGateway(g => g.Access.Add(new AccessRuleOptions { Action = AccessAction.Reject, FromFile = file }));
        });
        lab.Build();
        string fault = Assert.Single(lab.Configuration.Validate()).ToString();
        Assert.StartsWith($"Lb:Gateways:gate:Access:0:FromFile = '{file}': {file}:2 = 'x': must be an IP address", fault, StringComparison.Ordinal);
        File.Delete(file);
        Assert.Contains("can't be read", Assert.Single(lab.Configuration.Validate()).ToString(), StringComparison.Ordinal);
    }

    private static AccessRuleOptions Rule(AccessAction action, params string[] from)
    {
        AccessRuleOptions rule = new() { Action = action };
        foreach (string network in from) rule.From.Add(network);
        return rule;
    }

    // The reset may come before the connect has been told of its own success.
    private static async Task RefusedAsync(GatewayLab lab, string from)
    {
        Socket client;
        try
        {
            client = await lab.ClientAsync(from: from);
        }
        catch (SocketException error)
        {
            Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
            return;
        }

        await client.ShouldBeResetAsync();
    }

    private static Task HeldAsync(GatewayLab lab, int count) =>
        Wait.UntilAsync(() => lab.Gateway.Admission.Held == count, () => $"{count} held, there are {lab.Gateway.Admission.Held}");
}
