using System.Net;
using Lb.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Interop.Tests.Transport;

/// <summary>A gateway of ours before, or behind, a real peer: the gateway "gate" on a free port of 127.0.0.1 and the pool "web".</summary>
internal sealed class GatewayHost : IAsyncDisposable
{
    private readonly IHost _host;

    private GatewayHost(IHost host) => _host = host;

    public IPEndPoint EndPoint => (IPEndPoint)Gateway.EndPoints[0];

    public TcpGateway Gateway => (TcpGateway)_host.Services.GetRequiredService<Gateways>()["gate"];

    public static async Task<GatewayHost> StartAsync(Action<LbOptions, GatewayOptions> configure)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLb().AddGateways();
        builder.Services.Configure<LbOptions>(options =>
        {
            options.Transport.Loops = 1;
            options.Pools["web"] = new PoolOptions { Balance = "roundrobin" };
            GatewayOptions gateway = options.Gateways["gate"] = new GatewayOptions { Pool = "web", DrainTimeout = TimeSpan.FromMilliseconds(1) };
            gateway.Listen.Add("127.0.0.1:0");
            configure(options, gateway);
        });
        GatewayHost made = new(builder.Build());
        await made._host.StartAsync(TestContext.Current.CancellationToken);
        return made;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }
}
