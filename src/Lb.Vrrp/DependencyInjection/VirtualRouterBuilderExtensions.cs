using Lb.Vrrp;
using Microsoft.Extensions.DependencyInjection;

namespace Lb;

/// <summary>Builds one virtual router. The verbs add to what a configuration says of the router of that name.</summary>
public interface IVirtualRouterBuilder
{
    /// <summary>The host's services.</summary>
    IServiceCollection Services { get; }

    /// <summary>Name of the router.</summary>
    string Name { get; }

    /// <summary>Changes the router's options.</summary>
    /// <param name="configure">The change; may run often, once for each reload.</param>
    IVirtualRouterBuilder Configure(Action<RouterOptions> configure);
}

/// <summary>The verbs that hang on one virtual router.</summary>
public static class VirtualRouterBuilderExtensions
{
    /// <summary>Has the priority follow a pool of this process: it is well while it has its quorum. No script, and no delay between check and election.</summary>
    /// <param name="builder">The router.</param>
    /// <param name="pool">Name of the pool.</param>
    /// <param name="weight">-253 to 253: below 0 added while the pool is not well, above 0 while it is; 0 = not well is a fault.</param>
    public static IVirtualRouterBuilder TrackPool(this IVirtualRouterBuilder builder, string pool, int weight = 0)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(pool);
        return builder.Configure(options => options.Track.Add(new RouterTrackOptions { Pool = pool, Weight = weight }));
    }

    /// <summary>Has the priority follow an interface: it is well while its link is up.</summary>
    /// <param name="builder">The router.</param>
    /// <param name="name">Name of the interface.</param>
    /// <param name="weight">As in <see cref="TrackPool"/>.</param>
    public static IVirtualRouterBuilder TrackInterface(this IVirtualRouterBuilder builder, string name, int weight = 0)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return builder.Configure(options => options.Track.Add(new RouterTrackOptions { Interface = name, Weight = weight }));
    }

    /// <summary>Has the priority follow code of the host's own (keepalived needs a <c>vrrp_script</c>).</summary>
    /// <param name="builder">The router.</param>
    /// <param name="check">Says whether it is well; an exception or no answer in time says no. One call at a time.</param>
    /// <param name="weight">As in <see cref="TrackPool"/>.</param>
    /// <param name="configure">Sets interval, timeout, rise and fall.</param>
    public static IVirtualRouterBuilder Track(
        this IVirtualRouterBuilder builder, Func<CancellationToken, ValueTask<bool>> check, int weight = 0, Action<RouterTrackOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(check);
        return builder.Configure(options =>
        {
            RouterTrackOptions track = new() { Check = check, Weight = weight };
            configure?.Invoke(track);
            options.Track.Add(track);
        });
    }

    /// <summary>Has code of the host's own take the addresses and give them up, in place of netlink: a cloud's API, a route, a DNS record.</summary>
    /// <param name="builder">The router.</param>
    /// <param name="create">Makes the owner, once for each time the router is made; it is disposed with the router.</param>
    public static IVirtualRouterBuilder UseAddressOwner(this IVirtualRouterBuilder builder, Func<IServiceProvider, IAddressOwner> create)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(create);
        builder.Services.AddSingleton(new AddressOwnerRegistration(builder.Name, create));
        return builder;
    }
}
