using System.Net;
using Lb.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Health.Tests.Monitoring;

/// <summary>Checks that rest while another node holds the address; on a clock and addresses that the test moves.</summary>
[Trait("Row", "H33")]
public sealed class HaSuspendTests : IAsyncDisposable
{
    private const int Limit = 60_000;
    private readonly ManualTimeProvider _time = new();
    private readonly FakeAddresses _addresses = new();
    private readonly FakeHealthChecker _checker;
    private IHost? _host;

    public HaSuspendTests() => _checker = new FakeHealthChecker(_time);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ServerPools Pools => _host!.Services.GetRequiredService<ServerPools>();

    public async ValueTask DisposeAsync()
    {
        if (_host is null) return;
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
        Assert.Equal(_addresses.Opened, _addresses.Disposed);
    }

    [Fact(Timeout = Limit)]
    public async Task Checks_rest_until_the_address_comes_and_then_start_at_once()
    {
        await StartAsync("192.0.2.86");
        _time.Advance(TimeSpan.FromSeconds(7));
        Assert.Empty(Of("web"));
        Assert.Equal(4, Of("other").Length);

        Set("192.0.2.1", "192.0.2.86");
        Assert.Equal([7, 7], Of("web"));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([7, 7, 9, 9], Of("web"));

        Set("192.0.2.1");
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(4, Of("web").Length);
    }

    [Fact(Timeout = Limit)]
    public async Task Servers_stay_as_they_are_and_afterwards_the_first_check_decides()
    {
        Set("2001:db8::86");
        await StartAsync("192.0.2.86", "2001:db8:0::86");
        Server a = Pools["web"].Servers[0];
        _checker.Answer("a", FakeHealthChecker.Fail);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(ServerStatus.Down, a.Status);

        Set();
        _checker.Answer("a", FakeHealthChecker.Pass);
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(ServerStatus.Down, a.Status);
        Set("192.0.2.86");
        Assert.Equal(ServerStatus.Up, a.Status);
    }

    [Fact(Timeout = Limit)]
    public async Task A_change_that_was_not_told_is_found_within_two_seconds()
    {
        await StartAsync("192.0.2.86");
        _time.Advance(TimeSpan.FromSeconds(1));
        int reads = _addresses.Reads;
        _addresses.SetSilently("192.0.2.86");
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.NotEmpty(Of("web"));
        Assert.Equal(1, _addresses.Reads - reads);

        // The one that found it is not asked to check again.
        Assert.All(_checker.Calls.GroupBy(static c => (c.Server, c.At)), static once => Assert.Single(once));
    }

    [Fact(Timeout = Limit)]
    public async Task An_address_that_left_without_a_word_is_missed_within_two_seconds()
    {
        Set("2001:db8::86");
        await StartAsync("2001:db8::86");
        _time.Advance(TimeSpan.FromSeconds(5));
        int reads = _addresses.Reads;
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.InRange(_addresses.Reads - reads, 5, 10);
        _addresses.SetSilently();
        _time.Advance(TimeSpan.FromSeconds(2));
        int asked = Of("web").Length;
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(asked, Of("web").Length);
        _addresses.SetSilently("2001:db8::86");
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(asked + 2, Of("web").Length);
    }

    [Fact(Timeout = Limit)]
    public async Task A_reload_that_no_longer_asks_for_it_checks_again_and_looks_at_nothing()
    {
        string[] addresses = ["192.0.2.86"];
        await StartAsync(() => addresses);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Empty(Of("web"));
        addresses = [];
        await ReloadAsync();
        Assert.Equal([5, 5], Of("web"));
        Assert.Equal((1, 1), (_addresses.Opened, _addresses.Disposed));
        addresses = ["192.0.2.87"];
        await ReloadAsync();
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal((2, 2), (Of("web").Length, _addresses.Opened));
    }

    [Fact(Timeout = Limit)]
    public async Task Without_it_nobody_looks_at_addresses()
    {
        await StartAsync();
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal((0, 0), (_addresses.Opened, _addresses.Reads));
        Assert.NotEmpty(Of("web"));
    }

    [Fact(Timeout = Limit)]
    public async Task What_cannot_be_read_changes_nothing()
    {
        await StartAsync("192.0.2.86");
        _addresses.Broken = true;
        Set("192.0.2.86");
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Empty(Of("web"));
        _addresses.Broken = false;
        Set("192.0.2.86");
        Assert.NotEmpty(Of("web"));
    }

    [Fact]
    public void The_system_knows_the_loopback_address()
    {
        using LocalAddresses addresses = new();
        Assert.Contains(IPAddress.Loopback, addresses.Read());
        Assert.DoesNotContain(IPAddress.Parse("203.0.113.254"), addresses.Read());
    }

    // Loops are woken, and check on the clock's own thread.
    private void Set(params string[] addresses)
    {
        _addresses.Set(addresses);
        _time.Advance(TimeSpan.Zero);
    }

    private Task StartAsync(params string[] addresses) => StartAsync(() => addresses);

    private async Task StartAsync(Func<string[]> addresses)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(_time).AddSingleton<Func<ILocalAddresses>>(() => _addresses.Open());
        foreach (string pool in (string[])["web", "other"])
        {
            builder.Services.AddServerPool(pool).AddServer("127.0.0.1:8001", name: pool == "web" ? "a" : "o").AddCheck(_checker).Configure(o =>
            {
                if (pool != "web") return;
                o.Servers.Add(new ServerOptions { Name = "b", Address = "127.0.0.1:8002" });
                foreach (string address in addresses()) o.HaSuspend.Add(address);
            });
        }

        _host = builder.Build();
        await _host.StartAsync(Ct);
    }

    private async Task ReloadAsync()
    {
        Assert.Empty(await _host!.Services.GetRequiredService<ILbReloader>().ReloadAsync(Ct));
        _time.Advance(TimeSpan.Zero);
    }

    private double[] Of(string pool) => [.. _checker.Calls.Where(c => c.Target.Pool == pool).Select(static c => (c.At - ManualTimeProvider.Start).TotalSeconds)];
}
