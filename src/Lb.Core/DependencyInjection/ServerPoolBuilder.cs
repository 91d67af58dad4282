using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Lb;

/// <summary>What the verbs of the packages hang on.</summary>
public interface ILbBuilder
{
    /// <summary>The host's services.</summary>
    IServiceCollection Services { get; }
}

/// <summary>Builds one pool. The verbs add to what a configuration says of the pool of that name.</summary>
public interface IServerPoolBuilder
{
    /// <summary>The host's services.</summary>
    IServiceCollection Services { get; }

    /// <summary>Name of the pool.</summary>
    string Name { get; }

    /// <summary>Changes the pool's options.</summary>
    /// <param name="configure">The change; may run often, once for each reload.</param>
    IServerPoolBuilder Configure(Action<PoolOptions> configure);
}

internal sealed record LbBuilder(IServiceCollection Services) : ILbBuilder;

internal sealed class ServerPoolBuilder(IServiceCollection services, string name) : IServerPoolBuilder
{
    public IServiceCollection Services => services;

    public string Name => name;

    public IServerPoolBuilder Configure(Action<PoolOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.AddSingleton<IConfigureOptions<LbOptions>>(new ConfigureOptions<LbOptions>(options => configure(options.Pool(name))));
        return this;
    }
}
