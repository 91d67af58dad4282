namespace Lb;

/// <summary>Servers and policies of a pool in code.</summary>
public static class ServerPoolBuilderExtensions
{
    /// <summary>Adds a server.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="address"><c>192.0.2.1:80</c>, <c>[2001:db8::1]:80</c>, <c>host.example:80</c> or <c>unix:/path</c>.</param>
    /// <param name="weight">0 to 256; default 1.</param>
    /// <param name="name">Unique in the pool; default: the address.</param>
    /// <param name="backup">Used only when no main server is usable; default false.</param>
    /// <param name="maxConnections">Most leases at a time; default 0 = no limit.</param>
    public static IServerPoolBuilder AddServer(
        this IServerPoolBuilder builder, string address, int weight = 1, string? name = null, bool backup = false, int maxConnections = 0)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Configure(pool => pool.Servers.Add(
            new ServerOptions { Address = address, Weight = weight, Name = name, Backup = backup, MaxConnections = maxConnections }));
    }

    /// <summary>Smooth weighted round robin (<c>roundrobin</c>).</summary>
    /// <param name="builder">The pool.</param>
    public static IServerPoolBuilder UseRoundRobin(this IServerPoolBuilder builder) => builder.UseScheduler("roundrobin");

    /// <summary>The least loaded server for its weight (<c>leastconn</c>).</summary>
    /// <param name="builder">The pool.</param>
    public static IServerPoolBuilder UseLeastConnections(this IServerPoolBuilder builder) => builder.UseScheduler("leastconn");

    /// <summary>The better of two drawn servers (<c>p2c</c>), the default.</summary>
    /// <param name="builder">The pool.</param>
    public static IServerPoolBuilder UsePowerOfTwoChoices(this IServerPoolBuilder builder) => builder.UseScheduler("p2c");

    /// <summary>The best of some drawn servers (<c>random</c>).</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="draws">Servers to draw, 1 to 16; default 2.</param>
    public static IServerPoolBuilder UseRandom(this IServerPoolBuilder builder, int draws = 2)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseScheduler("random").Configure(pool => pool.BalanceOptions.Draws = draws);
    }

    /// <summary>The first server with a free slot (<c>first</c>).</summary>
    /// <param name="builder">The pool.</param>
    public static IServerPoolBuilder UseFirst(this IServerPoolBuilder builder) => builder.UseScheduler("first");

    /// <summary>The server that the client's address hashes to (<c>source</c>).</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="avalanche">Mixes the key before the modulo; default false.</param>
    public static IServerPoolBuilder UseSourceHash(this IServerPoolBuilder builder, bool avalanche = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseScheduler("source").Configure(pool => pool.BalanceOptions.Avalanche = avalanche);
    }

    /// <summary>The faster of two drawn servers (<c>peak-ewma</c>).</summary>
    /// <param name="builder">The pool.</param>
    public static IServerPoolBuilder UsePeakEwma(this IServerPoolBuilder builder) => builder.UseScheduler("peak-ewma");

    /// <summary>Round robin by the load that the servers report (<c>orca</c>).</summary>
    /// <param name="builder">The pool.</param>
    public static IServerPoolBuilder UseOrca(this IServerPoolBuilder builder) => builder.UseScheduler("orca");

    /// <summary>The server that says it has least to do (<c>rif</c>), asked by the probe of <c>AddLoadProbe</c>.</summary>
    /// <param name="builder">The pool.</param>
    public static IServerPoolBuilder UseRif(this IServerPoolBuilder builder) => builder.UseScheduler("rif");

    /// <summary>Maglev hashing of the key or the client's address (<c>maglev</c>).</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="tableSize">Slots of the table, a prime from 251 to 5 000 011; default 65 537.</param>
    public static IServerPoolBuilder UseMaglev(this IServerPoolBuilder builder, int tableSize = Maglev.DefaultTableSize)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseScheduler("maglev").Configure(pool => pool.BalanceOptions.TableSize = tableSize);
    }

    /// <summary>A policy by its name, built-in or added by <c>AddSchedulingPolicy</c>.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="name">The name.</param>
    public static IServerPoolBuilder UseScheduler(this IServerPoolBuilder builder, string name)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return builder.Configure(pool =>
        {
            pool.Balance = name;
            pool.Policy = null;
        });
    }

    /// <summary>A policy of your own.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="policy">Makes it, once for the pool.</param>
    public static IServerPoolBuilder UseScheduler(this IServerPoolBuilder builder, Func<ISchedulingPolicy> policy)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(policy);
        return builder.Configure(pool => pool.Policy = policy);
    }
}
