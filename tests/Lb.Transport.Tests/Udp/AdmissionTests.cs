namespace Lb.Transport.Tests.Udp;

/// <summary>Rules and limits of sources hold for UDP sessions too.</summary>
public sealed class AdmissionTests : UdpGatewayTests
{
    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "A5")]
    public async Task A_client_that_a_rule_keeps_out_is_not_heard(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(static g =>
            {
                AccessRuleOptions rule = new() { Action = AccessAction.Reject };
                rule.From.Add("127.0.0.0/8");
                g.Access.Add(rule);
            });
        });
        UdpPeer client = lab.Client();
        client.Send(lab.At(), "no");
        await Wait.UntilAsync(() => lab.Udp().Count(UdpDrop.Denied) == 1, "the datagram was dropped");
        Assert.Equal((0, 1L), (lab.Udp().OpenConnections, lab.Udp().Admission.Count(AccessAction.Reject, AdmissionReason.Rule)));

        lab.Udp().Admission.Rules[0].Addresses.Replace([]);
        client.Send(lab.At(), "yes");
        await server.ShouldGetAsync("yes");
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "L1")]
    public async Task A_source_has_only_so_many_sessions_and_gets_room_when_one_ends(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(static g => g.PerSource.MaxConnections = 1);
        });
        UdpPeer first = lab.Client(), second = lab.Client();
        first.Send(lab.At(), "1");
        await server.ShouldGetAsync("1");
        first.Send(lab.At(), "again");
        await server.ShouldGetAsync("again");
        second.Send(lab.At(), "2");
        await Wait.UntilAsync(() => lab.Udp().Count(UdpDrop.Denied) == 1, "the datagram was dropped");

        await lab.AdvanceAsync(TimeSpan.FromHours(1));
        await Wait.UntilAsync(() => lab.Udp().OpenConnections == 0, "the sessions have ended");
        second.Send(lab.At(), "3");
        await server.ShouldGetAsync("3");
    }
}
