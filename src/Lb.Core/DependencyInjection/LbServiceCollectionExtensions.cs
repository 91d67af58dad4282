using Lb;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

// In the namespace of the collection, so that the verbs are found without a using.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The verbs of Lb.Core.</summary>
public static class LbServiceCollectionExtensions
{
    /// <summary>Adds Lb without a configuration: pools and gateways come from code. May be called often.</summary>
    /// <param name="services">The host's services.</param>
    /// <returns>A builder for the verbs of the other packages.</returns>
    public static ILbBuilder AddLb(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<EventHub>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<INotifier, LogNotifier>());
        services.TryAddSingleton(static provider => new ServerPools(
            new SchedulingPolicies(SchedulingPolicies.BuiltInRegistrations.Concat(provider.GetServices<SchedulingPolicyRegistration>())),
            new Lazy<LbConfiguration>(provider.GetRequiredService<LbConfiguration>),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<EventHub>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ILbPart, ServerPools>(static provider => provider.GetRequiredService<ServerPools>()));
        services.TryAddSingleton<LbConfiguration>();
        services.TryAddSingleton<LbMetrics>();
        services.TryAddSingleton<LbService>();
        services.TryAddSingleton<ILbReloader>(static provider => provider.GetRequiredService<LbService>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, LbService>(static provider => provider.GetRequiredService<LbService>()));
        // Asked for anew each time: a pool that a reload removed and another one added again is another object.
        services.TryAddKeyedTransient<ServerPool>(KeyedService.AnyKey, static (provider, key) => provider.GetRequiredService<ServerPools>()[(string)key!]);
        return new LbBuilder(services);
    }

    /// <summary>
    /// Adds Lb with a section of the host's configuration, usually <c>Lb</c>; it is followed when it changes. Unknown keys, wrong types and values out of
    /// range stop the host from starting, all told at once.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="section">The section.</param>
    /// <returns>A builder for the verbs of the other packages.</returns>
    public static ILbBuilder AddLb(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        ILbBuilder builder = services.AddLb();
        string path = section is IConfigurationSection { Path.Length: > 0 } named ? named.Path : "Lb";
        services.AddSingleton(new LbConfigurationSection(section, path));
        services.AddSingleton<IConfigureOptions<LbOptions>>(new SectionSource(section, path));
        return builder;
    }

    /// <summary>Adds a pool, or goes on with the one of that name. Get it as the keyed service <see cref="ServerPool"/> or from <see cref="ServerPools"/>.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="name">Name of the pool.</param>
    /// <returns>A builder for its servers, policy and checks.</returns>
    public static IServerPoolBuilder AddServerPool(this IServiceCollection services, string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        services.AddLb();
        ServerPoolBuilder builder = new(services, name);
        return builder.Configure(static _ => { });
    }

    /// <summary>Makes a scheduling policy known by name, for <c>Balance</c> and <see cref="ServerPoolBuilderExtensions.UseScheduler(IServerPoolBuilder, string)"/>.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="name">The name; one that exists already is replaced.</param>
    /// <param name="create">Makes the policy for one pool.</param>
    public static IServiceCollection AddSchedulingPolicy(this IServiceCollection services, string name, Func<BalanceOptions, ISchedulingPolicy> create)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(create);
        return services.AddSingleton(new SchedulingPolicyRegistration(name, create));
    }

    /// <summary>Gives the policy <c>rif</c> a way to ask servers for their load; without one it goes by load reports and by its own leases.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="create">Makes the probe, once.</param>
    public static IServiceCollection AddLoadProbe(this IServiceCollection services, Func<IServiceProvider, ILoadProbe> create)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(create);
        services.AddSingleton(create);
        return services.AddSingleton(static provider =>
        {
            ILoadProbe probe = provider.GetRequiredService<ILoadProbe>();
            return new SchedulingPolicyRegistration("rif", (o, random) => SchedulingPolicies.Rif(o, probe, random));
        });
    }

    /// <summary>Adds a notifier: it hears of every event, in order.</summary>
    /// <typeparam name="T">The notifier, made by dependency injection.</typeparam>
    /// <param name="services">The host's services.</param>
    public static IServiceCollection AddNotifier<[System.Diagnostics.CodeAnalysis.DynamicallyAccessedMembers(System.Diagnostics.CodeAnalysis.DynamicallyAccessedMemberTypes.PublicConstructors)] T>(this IServiceCollection services)
        where T : class, INotifier
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddLb();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<INotifier, T>());
        return services;
    }
}
