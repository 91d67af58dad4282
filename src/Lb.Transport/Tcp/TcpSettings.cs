namespace Lb.Transport;

/// <summary>What a TCP gateway goes by; replaced whole by a reload, read once by each new connection.</summary>
internal sealed record TcpSettings(ServerPool Pool, TimeSpan ClientTimeout, TimeSpan ClientFinTimeout, int MaxConnections, TimeSpan DrainTimeout, TimeSpan CloseSpreadTime)
{
    public static TcpSettings From(GatewayOptions options, DefaultsOptions defaults, ServerPool pool)
    {
        TimeSpan client = options.ClientTimeout ?? defaults.ClientTimeout;
        return new TcpSettings(pool, client, options.ClientFinTimeout ?? client, options.MaxConnections, options.DrainTimeout, options.CloseSpreadTime);
    }
}
