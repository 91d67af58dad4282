using System.Diagnostics.Metrics;

namespace Lb.Transport;

/// <summary>The meter <c>Lb.Transport</c>: observable instruments that read the gateways' counters when they are collected.</summary>
internal static class TransportMetrics
{
    public static void Create(IMeterFactory? meters, Gateways gateways)
    {
        if (meters is null) return;
        Meter meter = meters.Create("Lb.Transport");
        meter.CreateObservableUpDownCounter("lb.gateway.open_connections", () => Read(gateways, static g => g.OpenConnections), "{connection}", "Client connections open now.");
        meter.CreateObservableCounter("lb.gateway.connections", () => Read(gateways, static g => g.TotalConnections), "{connection}", "Client connections ever accepted.");
        meter.CreateObservableCounter("lb.gateway.bytes_in", () => Read(gateways, static g => g.BytesIn), "By", "Bytes received from clients.");
        meter.CreateObservableCounter("lb.gateway.bytes_out", () => Read(gateways, static g => g.BytesOut), "By", "Bytes received from servers.");
        meter.CreateObservableCounter("lb.gateway.retries", () => Read(gateways, static g => (g as TcpGateway)?.Retries), "{attempt}", "Connection attempts after a failed one.");
        meter.CreateObservableCounter("lb.gateway.redispatches", () => Read(gateways, static g => (g as TcpGateway)?.Redispatches ?? (g as UdpGateway)?.Redispatches), "{attempt}", "Attempts that went to another server.");
        meter.CreateObservableCounter("lb.gateway.ends", () => Ends(gateways), "{connection}", "Ended client connections by the way they ended.");
        UdpMetrics.Create(meter, gateways);
        AdmissionMetrics.Create(meter, gateways);
    }

    private static IEnumerable<Measurement<long>> Read(Gateways gateways, Func<Gateway, long?> value)
    {
        foreach (Gateway gateway in gateways.All)
        {
            if (value(gateway) is { } known) yield return new Measurement<long>(known, Tag(gateway));
        }
    }

    private static IEnumerable<Measurement<long>> Ends(Gateways gateways)
    {
        foreach (TcpGateway gateway in gateways.All.OfType<TcpGateway>())
        {
            foreach (RelayEnd end in Enum.GetValues<RelayEnd>())
                yield return new Measurement<long>(gateway.Count(end), Tag(gateway), new KeyValuePair<string, object?>("lb.end", end.ToString()));
        }

        foreach (UdpGateway gateway in gateways.All.OfType<UdpGateway>())
        {
            foreach (UdpEnd end in Enum.GetValues<UdpEnd>())
                yield return new Measurement<long>(gateway.Count(end), Tag(gateway), new KeyValuePair<string, object?>("lb.end", end.ToString()));
        }
    }

    internal static KeyValuePair<string, object?> Tag(Gateway gateway) => new("lb.gateway", gateway.Name);
}
