using Lb.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Health.Tests.Monitoring;

/// <summary>A checker that never waits and takes as long as its interval: whoever starts it must get its thread back.</summary>
[Trait("Row", "H4")]
public sealed class GivingWayTests
{
    private readonly ManualTimeProvider _time = new();
    private int _calls;

    [Fact(Timeout = 60_000)]
    public async Task A_host_starts_and_reloads_beside_a_checker_that_keeps_its_thread_and_others_are_checked()
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        FakeHealthChecker other = new(_time);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(_time);
        int checks = 1;
        builder.Services.AddServerPool("web").AddServer("127.0.0.1:1").Configure(p =>
        {
            for (int i = 0; i < checks; i++) p.Checks.Add(new CheckOptions { Interval = TimeSpan.FromSeconds(1), Checker = _ => new DelegateChecker(Block), Port = i + 1 });
        });
        builder.Services.AddServerPool("other").AddServer("127.0.0.1:2").AddCheck(other, static c => c.Interval = TimeSpan.FromSeconds(1));
        using IHost host = builder.Build();
        await host.StartAsync(ct);
        Assert.Equal(1, _calls);
        checks = 2;
        Assert.Empty(await host.Services.GetRequiredService<ILbReloader>().ReloadAsync(ct));

        _time.Advance(TimeSpan.Zero);
        Assert.InRange(_calls, 10, 20);
        Assert.InRange(other.Calls.Count, 5, 20);
        await host.StopAsync(ct);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_thread_that_starts_the_host_runs_no_check()
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        using ManualResetEventSlim go = new();
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddServerPool("web").AddServer("127.0.0.1:1").AddCheck("blocks", (_, _) =>
        {
            asked.TrySetResult();
            go.Wait(ct);
            return new(FakeHealthChecker.Pass);
        });
        using IHost host = builder.Build();

        // Would not return.
        await Task.Run(() => host.StartAsync(ct), ct).WaitAsync(ct);
        await asked.Task.WaitAsync(ct);
        go.Set();
        await host.StopAsync(ct);
    }

    // Time passes inside the call. The tenth hangs: where nobody gives way, it is the first to return to whoever started the check.
    private ValueTask<ProbeResult> Block(ProbeTarget target, CancellationToken ct)
    {
        if (++_calls >= 10) return new(new TaskCompletionSource<ProbeResult>().Task);
        _time.Advance(TimeSpan.FromSeconds(1));
        return new(FakeHealthChecker.Pass);
    }
}
