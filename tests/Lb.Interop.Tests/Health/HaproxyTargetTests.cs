using System.Net;
using Lb.Health;
using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Health;

/// <summary>HAProxy as what is checked: a load balancer in front of others, that says itself whether it can serve.</summary>
[Trait("Row", "H5")]
[Trait("Row", "H7")]
public sealed class HaproxyTargetTests
{
    [Fact(Timeout = Ask.Limit)]
    public async Task Its_monitor_says_whether_it_has_servers()
    {
        Peer.Demand(Haproxy.Need);
        CancellationToken ct = TestContext.Current.CancellationToken;
        using PeerHome home = new();
        IPEndPoint web = Ports.Next(), tcp = Ports.Next(), nobody = Ports.Next();
        await using Haproxy haproxy = await Haproxy.StartAsync(
            home,
            $"""
            defaults
              mode http
              timeout connect 5s
              timeout client 5s
              timeout server 5s
            frontend web
              bind {web}
              acl empty nbsrv(servers) lt 1
              monitor-uri /up
              monitor fail if empty
              default_backend servers
            backend servers
              server s {nobody}
            listen tcp
              mode tcp
              bind {tcp}
              server s {nobody}
            """);
        HttpChecker monitor = new(new CheckOptions { Path = "/up" }), page = new(new CheckOptions());
        Assert.Equal("L7OK/200", Ask.Word(await Ask.UsAsync(monitor, web)));
        Assert.Equal("L7STS/503", Ask.Word(await Ask.UsAsync(page, web)));
        Assert.Equal("L4OK", Ask.Word(await Ask.UsAsync(new TcpChecker(), web)));

        // It accepts, and closes when it finds nobody behind: a connection says little of a proxy.
        Assert.Equal("L4OK", Ask.Word(await Ask.UsAsync(new TcpChecker(), tcp)));
        Assert.Equal("L7RSP", Ask.Word(await Ask.UsAsync(page, tcp)));

        // Another HAProxy says the same of it.
        Assert.Equal("L7OK/200", await Ask.HaproxyAsync(web, "option httpchk GET /up"));
        Assert.Equal("L7STS/503", await Ask.HaproxyAsync(web, "option httpchk"));
        Assert.Equal("L4OK", await Ask.HaproxyAsync(tcp, ""));

        Assert.Equal("", (await haproxy.TellAsync("set server servers/s state maint", ct)).Trim());
        Assert.Equal("L7STS/503", Ask.Word(await Ask.UsAsync(monitor, web)));
        Assert.Equal("L7STS/503", await Ask.HaproxyAsync(web, "option httpchk GET /up"));
        await haproxy.TellAsync("set server servers/s state ready", ct);
        Assert.Equal("L7OK/200", Ask.Word(await Ask.UsAsync(monitor, web)));
    }

    [Fact(Timeout = Ask.Limit)]
    public async Task A_proxy_that_has_ended_refuses()
    {
        Peer.Demand(Haproxy.Need);
        using PeerHome home = new();
        IPEndPoint web = Ports.Next();
        Haproxy haproxy = await Haproxy.StartAsync(home, $"listen web\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n  bind {web}\n  http-request return status 200");
        Assert.Equal("L7OK/200", Ask.Word(await Ask.UsAsync(new HttpChecker(new CheckOptions()), web)));
        await haproxy.DisposeAsync();
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Connection, 0, "connection refused"), await Ask.UsAsync(new HttpChecker(new CheckOptions()), web));
        Assert.Equal("L4CON", await Ask.HaproxyAsync(web, "option httpchk"));
    }
}
