using System.Diagnostics.Metrics;

namespace Lb.Transport;

/// <summary>What gateways turn away and hold, and what all of them share.</summary>
internal static class AdmissionMetrics
{
    public static void Create(Meter meter, Gateways gateways)
    {
        meter.CreateObservableCounter("lb.gateway.denied", () => Denied(gateways), "{connection}", "Clients that were not simply let in, by what became of them and why.");
        meter.CreateObservableUpDownCounter("lb.gateway.held", () => Held(gateways), "{connection}", "Clients held by tarpits and delays now.");
        meter.CreateObservableUpDownCounter("lb.transport.open_clients", () => gateways.Limits?.Open ?? 0, "{connection}", "Clients of all gateways, held ones too.");
        meter.CreateObservableUpDownCounter("lb.transport.buffered", () => gateways.Limits?.Memory ?? 0, "By", "Memory in buffers for slow readers.");
    }

    private static IEnumerable<Measurement<int>> Held(Gateways gateways)
    {
        foreach (Gateway gateway in gateways.All) yield return new Measurement<int>(gateway.Admission.Held, Tag(gateway));
    }

    private static IEnumerable<Measurement<long>> Denied(Gateways gateways)
    {
        foreach (Gateway gateway in gateways.All)
        {
            foreach (AccessAction action in Enum.GetValues<AccessAction>())
            {
                foreach (AdmissionReason reason in Enum.GetValues<AdmissionReason>())
                {
                    // Pairs that never happened are no series: most can't.
                    if (gateway.Admission.Count(action, reason) is > 0 and long count)
                        yield return new Measurement<long>(count, Tag(gateway), new("lb.action", action.ToString()), new("lb.reason", reason.ToString()));
                }
            }
        }
    }

    private static KeyValuePair<string, object?> Tag(Gateway gateway) => new("lb.gateway", gateway.Name);
}
