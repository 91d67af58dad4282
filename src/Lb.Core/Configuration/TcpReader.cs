namespace Lb;

/// <summary>Reads the TCP options and addresses of gateways, pools and servers.</summary>
internal static class TcpReader
{
    public static void Read(ConfigurationReader reader, GatewayOptions gateway)
    {
        gateway.Freebind = reader.Flag("Freebind", gateway.Freebind);
        gateway.Transparent = reader.Flag("Transparent", gateway.Transparent);
        gateway.Interface = reader.Text("Interface", gateway.Interface);
        gateway.Respond = reader.Word("Respond", gateway.Respond);
        gateway.MinServers = reader.Integer("MinServers", gateway.MinServers);
        reader.Section("Tcp", r =>
        {
            ReadCommon(r, gateway.Tcp);
            gateway.Tcp.FastOpen = r.Integer("FastOpen", gateway.Tcp.FastOpen);
            gateway.Tcp.DeferAccept = r.Duration("DeferAccept", gateway.Tcp.DeferAccept);
        });
    }

    public static void Read(ConfigurationReader reader, PoolOptions pool)
    {
        pool.Source = reader.Text("Source", pool.Source);
        pool.Interface = reader.Text("Interface", pool.Interface);
        pool.Tcp = ReadConnect(reader, pool.Tcp);
    }

    public static void Read(ConfigurationReader reader, ServerOptions server)
    {
        server.Source = reader.Text("Source", server.Source);
        server.Interface = reader.Text("Interface", server.Interface);
        server.Tcp = ReadConnect(reader, server.Tcp);
    }

    private static ConnectTcpOptions? ReadConnect(ConfigurationReader reader, ConnectTcpOptions? current)
    {
        reader.Section("Tcp", r =>
        {
            current ??= new ConnectTcpOptions();
            ReadCommon(r, current);
            current.FastOpen = r.Flag("FastOpen", current.FastOpen);
        });
        return current;
    }

    private static void ReadCommon(ConfigurationReader reader, TcpOptions tcp)
    {
        tcp.NoDelay = reader.Flag("NoDelay", tcp.NoDelay);
        tcp.UserTimeout = reader.Duration("UserTimeout", tcp.UserTimeout);
        tcp.MaxSegment = reader.Integer("MaxSegment", tcp.MaxSegment);
        tcp.Dscp = reader.Integer("Dscp", tcp.Dscp);
        tcp.Mark = reader.Integer("Mark", tcp.Mark);
        reader.Section("KeepAlive", r =>
        {
            KeepAliveOptions keepAlive = tcp.KeepAlive ??= new KeepAliveOptions();
            keepAlive.Idle = r.Duration("Idle", keepAlive.Idle);
            keepAlive.Interval = r.Duration("Interval", keepAlive.Interval);
            keepAlive.Count = r.Integer("Count", keepAlive.Count);
        });
    }
}
