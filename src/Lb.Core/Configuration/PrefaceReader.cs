namespace Lb;

/// <summary>The keys of a gateway for what it looks at before it picks. Pure.</summary>
internal static class PrefaceReader
{
    public static void Read(ConfigurationReader reader, GatewayOptions gateway)
    {
        AcceptProxyOptions proxy = gateway.AcceptProxy ?? new AcceptProxyOptions();
        bool? isOn = reader.FlagOrSection("AcceptProxy", r =>
        {
            r.Texts("From", proxy.From);
            proxy.Timeout = r.Duration("Timeout", proxy.Timeout);
        });
        gateway.AcceptProxy = isOn switch { true => proxy, false => null, _ => gateway.AcceptProxy };
        gateway.InspectDelay = reader.Duration("InspectDelay", gateway.InspectDelay);
        reader.Items("Routes", isList: true, (_, r) =>
        {
            RouteOptions route = new();
            r.Texts("Sni", route.Sni);
            r.Texts("Alpn", route.Alpn);
            route.Pool = r.Word("Pool", route.Pool);
            gateway.Routes.Add(route);
        });
    }
}
