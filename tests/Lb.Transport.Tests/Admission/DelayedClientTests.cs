using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Lb.Transport.Tests.Tls;

namespace Lb.Transport.Tests;

/// <summary>Who had to wait at the door is served like anybody else afterwards, whatever the gateway does with first bytes.</summary>
[Trait("Row", "L7")]
public sealed class DelayedClientTests : TlsGatewayTestBase
{
    private const int Timeout = 60_000;
    private static readonly byte[] Answer = "answer"u8.ToArray();

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_delayed_client_gets_its_handshake(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(Delay);
        });
        SslStream first = await ConnectAsync(lab);
        Task<SslStream> second = HandshakeAsync(await lab.ClientAsync(), "www.example.com");
        await HeldAsync(lab, 1);
        await first.DisposeAsync();
        await lab.OpenAsync(0);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        await (await second).WriteAsync(Answer);
        using Socket gone = await server.AcceptAsync();
        Assert.Equal(Answer, await (await server.AcceptAsync()).ReadAsync(Answer.Length));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_delayed_client_is_routed_by_its_name(string driver)
    {
        TestServer web = null!, api = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            web = l.AddServer();
            api = l.Own(new TestServer());
            l.Configure.Add(o =>
            {
                o.Pools["api"] = new PoolOptions();
                o.Pools["api"].Servers.Add(new ServerOptions { Address = api.Address });
                RouteOptions route = new() { Pool = "api" };
                route.Sni.Add("api.example");
                o.Gateways["gate"].Routes.Add(route);
            });
            l.SetGateway(Delay);
        });
        Socket first = await lab.ClientAsync();
        await first.SendAllAsync("x"u8.ToArray());
        await (await web.AcceptAsync()).ReadAsync(1);
        Socket second = await lab.ClientAsync();
        await second.SendAllAsync(Hello.For("api.example"));
        await HeldAsync(lab, 1);
        first.Reset();
        await lab.OpenAsync(0);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        using Socket accepted = await api.AcceptAsync();
        Assert.Equal(Hello.For("api.example"), await accepted.ReadAsync(Hello.For("api.example").Length));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T8")]
    public async Task Behind_a_proxy_it_is_held_no_longer_than_needed_and_may_have_finished_sending(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g =>
            {
                g.AcceptProxy = new AcceptProxyOptions();
                Delay(g);
                g.MaxHeld = 1;
            });
        });
        Socket first = await AnnouncedAsync(lab);
        await (await server.AcceptAsync()).ReadAsync(1);
        Socket second = await AnnouncedAsync(lab);
        second.Shutdown(SocketShutdown.Send);
        await HeldAsync(lab, 1);
        await lab.TurnsAsync();
        Assert.Equal(0, lab.Gateway.Count(RelayEnd.Denied));

        // No more are held than may be, wherever they come from.
        await (await AnnouncedAsync(lab)).ShouldBeResetAsync();
        Assert.Equal(1, lab.Gateway.Admission.Count(AccessAction.Reject, AdmissionReason.TooManyHeld));

        first.Reset();
        await lab.OpenAsync(1);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        using Socket accepted = await server.AcceptAsync();
        Assert.Equal("!"u8.ToArray(), await accepted.ReadToEndAsync());
        Assert.Equal(0, lab.Gateway.Admission.Held);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T8")]
    public async Task Behind_a_proxy_each_is_counted_once_and_again_when_it_waited_in_vain(string driver)
    {
        AccessAction action = AccessAction.Tarpit;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.AddServer();
            l.SetGateway(g =>
            {
                g.AcceptProxy = new AcceptProxyOptions();
                Delay(g);
                if (action == AccessAction.Tarpit) g.Access.Add(new AccessRuleOptions { Action = action });
            });
        });
        ConnectionAdmission admission = lab.Gateway.Admission;
        Socket held = await AnnouncedAsync(lab);
        await HeldAsync(lab, 1);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(61));
        await held.ShouldBeResetAsync();
        Assert.Equal((1L, 1L, 0), (admission.Count(AccessAction.Tarpit, AdmissionReason.Rule), admission.Rules[0].Hits, admission.Held));

        action = AccessAction.Delay;
        Assert.Empty(await lab.ReloadAsync());
        await AnnouncedAsync(lab);
        await lab.OpenAsync(1);
        held = await AnnouncedAsync(lab);
        await HeldAsync(lab, 1);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(61));
        await held.ShouldBeResetAsync();
        Assert.Equal((1L, 1L, 0), (
            admission.Count(AccessAction.Delay, AdmissionReason.SourceConnections), admission.Count(AccessAction.Reject, AdmissionReason.SourceConnections), admission.Held));
    }

    private static void Delay(GatewayOptions gateway)
    {
        gateway.PerSource = new PerSourceOptions { MaxConnections = 1, Action = AccessAction.Delay };
        (gateway.TarpitTimeout, gateway.ClientTimeout) = (TimeSpan.FromSeconds(60), TimeSpan.FromHours(1));
    }

    private static async Task<Socket> AnnouncedAsync(GatewayLab lab)
    {
        Socket client = await lab.ClientAsync();
        await client.SendAllAsync(Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.9 198.51.100.1 1234 80\r\n!"));
        return client;
    }

    private static Task HeldAsync(GatewayLab lab, int count) =>
        Wait.UntilAsync(() => lab.Gateway.Admission.Held == count, () => $"{count} held, there are {lab.Gateway.Admission.Held}");
}
