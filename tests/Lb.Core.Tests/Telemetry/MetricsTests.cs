using System.Diagnostics.Metrics;
using Lb.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Lb.Core.Tests;

public sealed class MetricsTests
{
    [Fact]
    public async Task Every_instrument_reads_the_state_of_its_server_or_pool()
    {
        ManualTimeProvider time = new();
        ServiceCollection services = new();
        services.AddSingleton<TimeProvider>(time);
        services.AddServerPool("web").AddServer("127.0.0.1:1", name: "a", maxConnections: 4).UseFirst();
        services.AddServerPool("api").AddServer("127.0.0.1:2", name: "b");
        using MetricsReader metrics = new(services);
        ServerPool web = metrics.Pool("web");

        ServerLease done = web.Pick();
        time.Advance(TimeSpan.FromMilliseconds(250));
        done.Responded();
        done.Complete(LeaseOutcome.Success);
        done.Complete(LeaseOutcome.Success);
        web.Pick().Complete(LeaseOutcome.Failure(FailureKind.Connect));
        for (int n = 0; n < 4; n++) web.Pick();
        Task<ServerLease> waiting = web.AcquireAsync(default, TestContext.Current.CancellationToken).AsTask();

        Assert.Equal(4, metrics.Read("lb.server.in_flight", "web", "a"));
        Assert.Equal(6, metrics.Read("lb.server.leases", "web", "a"));
        Assert.Equal(1, metrics.Read("lb.server.failures", "web", "a"));
        Assert.Equal(1, metrics.Read("lb.server.up", "web", "a"));
        Assert.Equal(0.25, metrics.Read("lb.server.latency", "web", "a"));
        Assert.Equal(1, metrics.Read("lb.pool.queue", "web"));
        Assert.Equal(1, metrics.Read("lb.pool.usable", "web"));
        Assert.Equal(1, metrics.Read("lb.pool.lease_misuses", "web"));
        Assert.Equal(0, metrics.Read("lb.server.leases", "api", "b"));
        Assert.Equal(0, metrics.Read("lb.events.dropped"));

        web.SetHealth(web.Get("a"), ServerHealth.Down);
        Assert.Equal(0, metrics.Read("lb.server.up", "web", "a"));
        await Assert.ThrowsAsync<NoServerException>(() => waiting);
    }

    [Fact]
    public void Dropped_events_are_counted()
    {
        ServiceCollection services = new();
        services.AddServerPool("web").AddServer("127.0.0.1:1");
        using MetricsReader metrics = new(services);
        EventHub hub = metrics.Services.GetRequiredService<EventHub>();
        _ = metrics.Pool("web");
        for (int n = 0; n < EventHub.Capacity * 2; n++) hub.Publish(new ServerJoined(default, "web", "x"));
        Assert.InRange(metrics.Read("lb.events.dropped"), EventHub.Capacity, EventHub.Capacity * 2);
    }

    [Fact]
    public void Without_a_meter_factory_there_are_no_metrics_and_no_error()
    {
        ServiceCollection services = new();
        services.AddServerPool("web").AddServer("127.0.0.1:1");
        services.RemoveAll<IMeterFactory>();
        using ServiceProvider provider = services.BuildServiceProvider();
        provider.GetRequiredService<LbMetrics>().Start();
    }
}

/// <summary>Starts the meter of a service collection, without its host, and reads single measurements.</summary>
internal sealed class MetricsReader : IDisposable
{
    private readonly ServiceProvider _provider;
    private readonly MeterListener _listener = new();
    private readonly Dictionary<string, double> _values = [];

    public MetricsReader(ServiceCollection services)
    {
        services.AddMetrics();
        _provider = services.BuildServiceProvider();
        IMeterFactory factory = _provider.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Lb.Core" && ReferenceEquals(instrument.Meter.Scope, factory)) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Keep(i, value, tags));
        _listener.SetMeasurementEventCallback<int>((i, value, tags, _) => Keep(i, value, tags));
        _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Keep(i, value, tags));
        _listener.Start();
        _provider.GetRequiredService<LbMetrics>().Start();
    }

    public IServiceProvider Services => _provider;

    public ServerPool Pool(string name) => _provider.GetRequiredKeyedService<ServerPool>(name);

    public double Read(string instrument, string? pool = null, string? server = null)
    {
        _values.Clear();
        _listener.RecordObservableInstruments();
        return _values[$"{instrument} {pool} {server}"];
    }

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string? pool = null, server = null;
        foreach ((string key, object? tag) in tags)
        {
            if (key == "lb.pool") pool = (string?)tag;
            else if (key == "lb.server") server = (string?)tag;
        }

        _values[$"{instrument.Name} {pool} {server}"] = value;
    }

    public void Dispose()
    {
        _listener.Dispose();
        _provider.Dispose();
    }
}
