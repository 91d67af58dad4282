using System.Net;
using Lb.Contracts.Checkers;
using Lb.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Health.Tests.Monitoring;

/// <summary>The lab of the Python check: every 5 s a connection with a time-out of 1 s; a dead server is out within 6 s, and back with the next success.</summary>
[Trait("Lab", "001 Python check")]
[Trait("Row", "H5")]
[Trait("Row", "H3")]
public sealed class PythonCheckTests : IAsyncDisposable
{
    private const int Limit = 60_000;
    private readonly ManualTimeProvider _time = new();
    private readonly TcpChecker _tcp;
    private EndPoint? _hole;
    private volatile bool _isDead;
    private volatile string? _verdict;
    private int _connecting;
    private long _gaveUpAt = long.MaxValue;
    private IHost? _host;

    public PythonCheckTests() => _tcp = new TcpChecker(_time);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_host is null) return;
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }

    // Every half second of the interval.
    public static TheoryData<int> Phases => [.. Enumerable.Range(0, 10)];

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Phases))]
    public async Task Out_within_six_seconds_and_back_with_the_next_success(int phase)
    {
        await using ProbeServer web = ProbeServer.Start(static (_, _) => Task.CompletedTask), hole = await ProbeServer.BlackHoleAsync(Ct);
        _hole = hole.EndPoint;
        await StartAsync(web.EndPoint);
        ServerPool pool = _host!.Services.GetRequiredService<ServerPools>()["web"];
        await AdvanceAsync(40 + phase);
        Assert.Equal([ServerStatus.Up, ServerStatus.Up], pool.Servers.Select(static s => s.Status));

        _isDead = true;
        int waited = 0;
        for (; pool.Servers[0].Status == ServerStatus.Up; waited++) await AdvanceAsync(1);

        // The next check is at most 5 s away, and fails a second after that.
        Assert.InRange(waited, 3, 12);
        Assert.Equal(CheckStatus.Layer4Timeout, pool.Servers[0].LastCheck!.Status);
        for (int i = 0; i < 4; i++)
        {
            Assert.True(pool.TryPick(default, out ServerLease lease, out _));
            Assert.Equal("b", lease.Server.Name);
            lease.Complete(LeaseOutcome.Success);
        }

        await AdvanceAsync(20);
        Assert.Equal(ServerStatus.Down, pool.Servers[0].Status);
        _isDead = false;
        for (waited = 0; pool.Servers[0].Status == ServerStatus.Down; waited++) await AdvanceAsync(1);
        Assert.InRange(waited, 1, 10);
    }

    // Half seconds. What connects does so in real time; what gets no answer waits for this clock, and ends when its time is up.
    private async Task AdvanceAsync(int halves)
    {
        ServerPool pool = _host!.Services.GetRequiredService<ServerPools>()["web"];
        for (int i = 0; i < halves; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(0.5));
            while (Volatile.Read(ref _connecting) > 0 || _time.GetTimestamp() >= Volatile.Read(ref _gaveUpAt) || !IsSettled(pool))
            {
                Ct.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
    }

    // A change is over when callers are given what it says: the snapshot comes after the state.
    private bool IsSettled(ServerPool pool) =>
        _verdict is not { } verdict || ($"{pool.Servers[0].Status}" == verdict && pool.Snapshot?.Servers.Length == (verdict == "Up" ? 2 : 1));

    private async ValueTask<ProbeResult> ConnectAsync(ProbeTarget target, CancellationToken ct)
    {
        Assert.Equal(TimeSpan.FromSeconds(1), target.ConnectTimeout);
        ProbeResult result;
        if (_isDead && target.Server == "a")
        {
            Volatile.Write(ref _gaveUpAt, _time.GetTimestamp() + target.ConnectTimeout.Ticks);
            result = await _tcp.CheckAsync(target with { EndPoint = _hole! }, ct);
            _verdict = "Down";
            Volatile.Write(ref _gaveUpAt, long.MaxValue);
            return result;
        }

        Interlocked.Increment(ref _connecting);
        result = await _tcp.CheckAsync(target, ct);
        if (target.Server == "a") _verdict = result.Passed ? "Up" : "Down";
        Interlocked.Decrement(ref _connecting);
        return result;
    }

    private async Task StartAsync(EndPoint web)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddLb().AddHealth();
        builder.Services.AddHealthChecker("python", _ => new DelegateChecker(ConnectAsync));
        builder.Services.Configure<LbOptions>(o =>
        {
            PoolOptions pool = o.Pools["web"] = new PoolOptions { ConnectTimeout = TimeSpan.FromSeconds(1) };
            foreach (string name in (string[])["a", "b"]) pool.Servers.Add(new ServerOptions { Name = name, Address = $"{web}" });
            pool.Checks.Add(new CheckOptions { Type = "python", Interval = TimeSpan.FromSeconds(5), Rise = 1, Fall = 1 });
        });
        _host = builder.Build();
        await _host.StartAsync(Ct);
    }
}
