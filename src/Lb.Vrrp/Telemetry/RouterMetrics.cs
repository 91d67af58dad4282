using System.Diagnostics.Metrics;

namespace Lb.Vrrp;

/// <summary>The meter <c>Lb.Vrrp</c>: observable instruments that read the routers' counters when they are collected.</summary>
internal static class RouterMetrics
{
    public static void Create(IMeterFactory? meters, VirtualRouters routers)
    {
        if (meters is null) return;
        Meter meter = meters.Create("Lb.Vrrp");
        meter.CreateObservableGauge("lb.router.state", () => Read(routers, static r => (long)r.State), null, "State: 0 initialize, 1 backup, 2 active, 3 fault, 4 resigning.");
        meter.CreateObservableGauge("lb.router.priority", () => Read(routers, static r => (long)r.EffectivePriority), null, "Priority in the adverts.");
        meter.CreateObservableCounter("lb.router.adverts_received", () => Read(routers, static r => r.Statistics.AdvertisementsReceived), "{advert}", "Adverts received and taken.");
        meter.CreateObservableCounter("lb.router.adverts_sent", () => Read(routers, static r => r.Statistics.AdvertisementsSent), "{advert}", "Adverts sent.");
        meter.CreateObservableCounter("lb.router.became_active", () => Read(routers, static r => r.Statistics.BecameActive), "{time}", "Times a router has become Active.");
        meter.CreateObservableCounter("lb.router.released_active", () => Read(routers, static r => r.Statistics.ReleasedActive), "{time}", "Times a router has ceased to be Active.");
        meter.CreateObservableCounter("lb.router.resignations_received", () => Read(routers, static r => r.Statistics.ResignationsReceived), "{advert}", "Adverts of priority 0 received.");
        meter.CreateObservableCounter("lb.router.resignations_sent", () => Read(routers, static r => r.Statistics.ResignationsSent), "{advert}", "Adverts of priority 0 sent.");
        meter.CreateObservableCounter("lb.router.send_failures", () => Read(routers, static r => r.Statistics.SendFailures), "{advert}", "Adverts that could not be sent.");
        meter.CreateObservableCounter("lb.router.dual_active", () => Read(routers, static r => r.Statistics.DualActive), "{time}", "Times that two nodes were seen Active.");
        meter.CreateObservableCounter("lb.router.pauses", () => Read(routers, static r => r.Statistics.Pauses), "{time}", "Pauses of this process longer than an interval.");
        meter.CreateObservableCounter("lb.router.lower_priority_received", () => Read(routers, static r => r.Statistics.LowerPriorityReceived), "{advert}", "Adverts of lower priority received while Active.");
        meter.CreateObservableCounter("lb.router.announcements", () => Read(routers, static r => r.Statistics.Announcements), "{frame}", "Gratuitous ARPs and unsolicited neighbour advertisements sent.");
        meter.CreateObservableCounter("lb.router.addresses_restored", () => Read(routers, static r => r.Statistics.AddressesRestored), "{time}", "Times that virtual addresses had to be put back.");
        meter.CreateObservableCounter("lb.router.discarded", () => Discarded(routers), "{packet}", "Packets discarded, by reason.");
    }

    private static IEnumerable<Measurement<long>> Read(VirtualRouters routers, Func<VirtualRouter, long> value)
    {
        foreach (VirtualRouter router in routers.All) yield return new Measurement<long>(value(router), Tag(router));
    }

    private static IEnumerable<Measurement<long>> Discarded(VirtualRouters routers)
    {
        foreach (VirtualRouter router in routers.All)
        {
            foreach (ReceiveFault fault in Enum.GetValues<ReceiveFault>())
            {
                if (fault != ReceiveFault.None)
                    yield return new Measurement<long>(router.Statistics.Discarded(fault), Tag(router), new KeyValuePair<string, object?>("lb.reason", fault.ToString()));
            }
        }
    }

    private static KeyValuePair<string, object?> Tag(VirtualRouter router) => new("lb.router", router.Name);
}
