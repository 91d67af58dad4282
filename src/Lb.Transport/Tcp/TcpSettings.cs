namespace Lb.Transport;

/// <summary>What a TCP gateway goes by; replaced whole by a reload, read once by each new connection.</summary>
internal sealed record TcpSettings(ServerPool Pool, PoolSettings Servers, TimeSpan ClientTimeout, TimeSpan ClientFinTimeout, int MaxConnections, TimeSpan DrainTimeout, TimeSpan CloseSpreadTime)
{
    public static TcpSettings From(GatewayOptions options, DefaultsOptions defaults, ServerPool pool, int most)
    {
        TimeSpan client = options.ClientTimeout ?? defaults.ClientTimeout;

        // 0 is "no limit" on both sides: the smaller of what there is.
        int limit = options.MaxConnections == 0 || (most != 0 && most < options.MaxConnections) ? most : options.MaxConnections;
        return new TcpSettings(pool, pool.Settings, client, options.ClientFinTimeout ?? client, limit, options.DrainTimeout, options.CloseSpreadTime);
    }
}
