using System.Diagnostics.Metrics;
using Lb;
using Lb.Vrrp;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

// In the namespace of the collection, so that the verbs are found without a using.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The verbs of Lb.Vrrp.</summary>
public static class LbVrrpExtensions
{
    /// <summary>Runs the virtual routers that the configuration and the other verbs name. May be called often.</summary>
    /// <param name="builder">What <c>AddLb</c> has given.</param>
    public static ILbBuilder AddRouters(this ILbBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton(static provider =>
        {
            VirtualRouters routers = new(
                provider.GetRequiredService<ServerPools>(), provider.GetRequiredService<EventHub>(), provider.GetRequiredService<TimeProvider>(),
                name => provider.GetServices<AddressOwnerRegistration>().LastOrDefault(o => string.Equals(o.Router, name, StringComparison.OrdinalIgnoreCase))?.Create(provider),
                provider.GetService<ILogger<VirtualRouters>>());
            RouterMetrics.Create(provider.GetService<IMeterFactory>(), routers);
            return routers;
        });
        builder.Services.TryAddSingleton(static provider =>
        {
            VirtualRouters routers = provider.GetRequiredService<VirtualRouters>();
            return new NotifyCommands(routers.NotifyOf, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<NotifyCommands>>());
        });
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<ILbPart, VirtualRouters>(static provider => provider.GetRequiredService<VirtualRouters>()));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<INotifier, NotifyCommands>(static provider => provider.GetRequiredService<NotifyCommands>()));
        return builder;
    }

    /// <summary>Adds a virtual router. What a configuration says of the router of that name comes first.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="name">Its name (keepalived's <c>vrrp_instance</c>).</param>
    /// <param name="configure">Sets its options; may run often, once for each reload.</param>
    public static IVirtualRouterBuilder AddVirtualRouter(this IServiceCollection services, string name, Action<RouterOptions> configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddLb().AddRouters();
        return new VirtualRouterBuilder(services, name).Configure(configure);
    }
}

/// <summary>An address owner of the host's for one router.</summary>
internal sealed record AddressOwnerRegistration(string Router, Func<IServiceProvider, IAddressOwner> Create);

internal sealed class VirtualRouterBuilder(IServiceCollection services, string name) : IVirtualRouterBuilder
{
    public IServiceCollection Services => services;

    public string Name => name;

    public IVirtualRouterBuilder Configure(Action<RouterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.AddSingleton<IConfigureOptions<LbOptions>>(new ConfigureOptions<LbOptions>(options =>
        {
            if (!options.Routers.TryGetValue(name, out RouterOptions? router)) options.Routers[name] = router = new RouterOptions();
            configure(router);
        }));
        return this;
    }
}
