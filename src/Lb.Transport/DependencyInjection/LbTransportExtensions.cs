using System.Diagnostics.Metrics;
using Lb;
using Lb.Transport;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

// In the namespace of the collection, so that the verbs are found without a using.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The verbs of Lb.Transport.</summary>
public static class LbTransportExtensions
{
    /// <summary>Starts the gateways that the configuration and the other verbs name.</summary>
    /// <param name="builder">What <c>AddLb</c> has given.</param>
    public static ILbBuilder AddGateways(this ILbBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton(static provider =>
        {
            Gateways gateways = new(
                provider.GetRequiredService<ServerPools>(), provider.GetRequiredService<TimeProvider>(), provider.GetService<ILogger<Gateways>>());
            gateways.HandedOver = () => provider.GetService<IHostApplicationLifetime>()?.StopApplication();
            TransportMetrics.Create(provider.GetService<IMeterFactory>(), gateways);
            return gateways;
        });
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<ILbPart, Gateways>(static provider => provider.GetRequiredService<Gateways>()));
        return builder;
    }

    /// <summary>Adds a TCP gateway: clients of <paramref name="listen"/> are relayed to the servers of <paramref name="pool"/>.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="listen">For example <c>0.0.0.0:80</c>, <c>[::]:80</c>, <c>127.0.0.1:8000-8010</c> or <c>unix:/run/lb.sock</c>; see <see cref="GatewayOptions.Listen"/>.</param>
    /// <param name="pool">Name of the pool.</param>
    /// <param name="name">Name of the gateway; default: <paramref name="listen"/>.</param>
    /// <param name="configure">Changes further options; may run often, once for each reload.</param>
    public static IServiceCollection AddTcpGateway(
        this IServiceCollection services, string listen, string pool, string? name = null, Action<GatewayOptions>? configure = null) =>
        services.AddGateway("tcp", listen, pool, name, configure);

    /// <summary>Adds a UDP gateway: each client of <paramref name="listen"/> gets a session with a server of <paramref name="pool"/>.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="listen">For example <c>0.0.0.0:53</c>, <c>[::]:53</c> or <c>127.0.0.1:5000-5010</c>; see <see cref="GatewayOptions.Listen"/>.</param>
    /// <param name="pool">Name of the pool.</param>
    /// <param name="name">Name of the gateway; default: <paramref name="listen"/> with <c>/udp</c>.</param>
    /// <param name="configure">Changes further options, for example <see cref="GatewayOptions.Responses"/>; may run often, once for each reload.</param>
    public static IServiceCollection AddUdpGateway(
        this IServiceCollection services, string listen, string pool, string? name = null, Action<GatewayOptions>? configure = null) =>
        services.AddGateway("udp", listen, pool, name ?? $"{listen}/udp", configure);

    private static IServiceCollection AddGateway(
        this IServiceCollection services, string mode, string listen, string pool, string? name, Action<GatewayOptions>? configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(listen);
        ArgumentException.ThrowIfNullOrWhiteSpace(pool);
        services.AddLb().AddGateways();
        return services.AddSingleton<IConfigureOptions<LbOptions>>(new ConfigureOptions<LbOptions>(options =>
        {
            // A name of its own for every verb: a second gateway must not change the first by accident.
            string key = name ?? listen;
            if (!options.Gateways.TryGetValue(key, out GatewayOptions? gateway)) options.Gateways[key] = gateway = new GatewayOptions();
            gateway.Mode = mode;
            gateway.Pool = pool;
            gateway.Listen.Add(listen);
            configure?.Invoke(gateway);
        }));
    }
}
