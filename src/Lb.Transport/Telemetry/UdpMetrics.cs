using System.Diagnostics.Metrics;

namespace Lb.Transport;

/// <summary>What only UDP gateways count; the rest is <see cref="TransportMetrics"/>, where a session is a connection.</summary>
internal static class UdpMetrics
{
    public static void Create(Meter meter, Gateways gateways)
    {
        meter.CreateObservableCounter(
            "lb.gateway.datagrams_in", () => Read(gateways, static g => g.DatagramsIn), "{datagram}", "Datagrams received from clients.");
        meter.CreateObservableCounter(
            "lb.gateway.datagrams_out", () => Read(gateways, static g => g.DatagramsOut), "{datagram}", "Datagrams received from servers.");
        meter.CreateObservableCounter(
            "lb.gateway.datagrams_dropped", () => Drops(gateways), "{datagram}", "Datagrams that went no further, by reason.");
    }

    private static IEnumerable<Measurement<long>> Read(Gateways gateways, Func<UdpGateway, long> value)
    {
        foreach (UdpGateway gateway in gateways.All.OfType<UdpGateway>()) yield return new Measurement<long>(value(gateway), TransportMetrics.Tag(gateway));
    }

    private static IEnumerable<Measurement<long>> Drops(Gateways gateways)
    {
        foreach (UdpGateway gateway in gateways.All.OfType<UdpGateway>())
        {
            foreach (UdpDrop reason in Enum.GetValues<UdpDrop>())
            {
                yield return new Measurement<long>(
                    gateway.Count(reason), TransportMetrics.Tag(gateway), new KeyValuePair<string, object?>("lb.reason", reason.ToString()));
            }
        }
    }
}
