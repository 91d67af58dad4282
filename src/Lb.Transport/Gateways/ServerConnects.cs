namespace Lb.Transport;

/// <summary>How to connect to the servers of a host's pools; made anew by a reload. Immutable; any thread.</summary>
internal sealed class ServerConnects
{
    private readonly Dictionary<Server, ConnectOptions> _servers = [];
    private readonly Dictionary<ServerPool, ConnectOptions> _pools = [];

    private ServerConnects()
    {
    }

    /// <summary>Works it out; null when nobody says anything, so that ordinary connections don't even look.</summary>
    public static ServerConnects? From(LbOptions options, ServerPools pools)
    {
        ServerConnects connects = new();
        foreach ((string name, PoolOptions pool) in options.Pools)
        {
            ServerPool owner = pools[name];
            if (Make(pool, null) is { } ofPool) connects._pools[owner] = ofPool;
            Dictionary<string, Server> servers = owner.Servers.ToDictionary(static s => s.Name, StringComparer.OrdinalIgnoreCase);
            foreach (ServerOptions server in pool.Servers)
            {
                string key = string.IsNullOrEmpty(server.Name) ? server.Address : server.Name;
                if (servers.TryGetValue(key, out Server? known) && (server.Source ?? server.Interface ?? (object?)server.Tcp) is not null)
                    connects._servers[known] = Make(pool, server)!;
            }
        }

        return connects._pools.Count + connects._servers.Count == 0 ? null : connects;
    }

    /// <summary>For a server; null: as the system does it.</summary>
    public ConnectOptions? For(Server server) => _servers.GetValueOrDefault(server) ?? _pools.GetValueOrDefault(server.Pool);

    /// <summary>What a pool, or one of its servers, says; null when it says nothing.</summary>
    public static ConnectOptions? Make(PoolOptions pool, ServerOptions? server)
    {
        string? source = server?.Source ?? pool.Source, device = server?.Interface ?? pool.Interface;
        ConnectTcpOptions? tcp = server?.Tcp ?? pool.Tcp;
        if (source is null && device is null && tcp is null) return null;
        SourceAddress? from = source is not null && SourceAddress.TryParse(source, out SourceAddress? parsed, out _) ? parsed : null;
        return new ConnectOptions(tcp ?? new ConnectTcpOptions(), device, from);
    }
}
