using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Transport.Tests;

/// <summary>What a collector of metrics sees.</summary>
[Trait("Row", "O11")]
public sealed class MetricsTests : GatewayTests
{
    [Theory(Timeout = 60_000)]
    [ClassData(typeof(Drivers))]
    public async Task Both_meters_tell_of_the_traffic(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.AddRefusing("bad");
            server = l.AddServer("good");
        });
        (System.Net.Sockets.Socket client, System.Net.Sockets.Socket accepted) = await lab.PairAsync(server);
        await client.SendAllAsync(new byte[10]);
        await accepted.ReadAsync(10);

        Dictionary<string, double> seen = Collect(lab);
        Assert.Equal(1, seen["lb.gateway.open_connections gate"]);
        Assert.Equal(1, seen["lb.gateway.connections gate"]);
        Assert.Equal(11, seen["lb.gateway.bytes_in gate"]);
        Assert.Equal(1, seen["lb.gateway.bytes_out gate"]);
        Assert.Equal(1, seen["lb.gateway.retries gate"]);
        Assert.Equal(1, seen["lb.gateway.redispatches gate"]);
        Assert.Equal(0, seen["lb.gateway.ends gate ClientReset"]);
        Assert.Equal(1, seen["lb.server.in_flight web good"]);
        Assert.Equal(1, seen["lb.server.leases web bad"]);
        Assert.Equal(1, seen["lb.server.failures web bad"]);
        Assert.Equal(0, seen["lb.server.failures web good"]);
        Assert.Equal(2, seen["lb.pool.usable web"]);

        client.Reset();
        await lab.OpenAsync(0);
        seen = Collect(lab);
        Assert.Equal(0, seen["lb.gateway.open_connections gate"]);
        Assert.Equal(1, seen["lb.gateway.ends gate ClientReset"]);
        Assert.Equal(0, seen["lb.server.in_flight web good"]);
    }

    internal static Dictionary<string, double> Collect(GatewayLab lab)
    {
        Dictionary<string, double> seen = [];
        IMeterFactory factory = lab.Host.Services.GetRequiredService<IMeterFactory>();
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, l) =>
        {
            // Other tests have meters of the same name; the factory is the scope of this host's.
            if (instrument.Meter.Name is "Lb.Transport" or "Lb.Core" && ReferenceEquals(instrument.Meter.Scope, factory)) l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => seen[Key(instrument, tags)] = value);
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => seen[Key(instrument, tags)] = value);
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => seen[Key(instrument, tags)] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return seen;
    }

    private static string Key(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string key = instrument.Name;
        foreach (KeyValuePair<string, object?> tag in tags) key += $" {tag.Value}";
        return key;
    }
}
