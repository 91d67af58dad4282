using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

/// <summary>A pool, a fake checker and the loops between them, on a clock that stands still.</summary>
internal sealed class ProbeRig : IDisposable
{
    private readonly List<ServerWatch> _watches = [];
    private readonly List<Task> _ended = [];

    public ProbeRig(int servers = 1, Random? random = null, Action<PoolOptions>? pool = null, params CheckOptions[] checks)
    {
        Clock = new PausableTime(Time);
        Checker = new FakeHealthChecker(Clock);
        Environment = new ProbeEnvironment(Clock, random ?? new ScriptedRandom(), addresses: Addresses.Open) { Later = static work => work() };
        Checks = checks;
        PoolOptions options = new();
        for (int i = 1; i <= servers; i++) options.Servers.Add(new ServerOptions { Name = $"s{i}", Address = $"127.0.0.1:{8000 + i}", InitState = InitState.FullyUp });
        foreach (CheckOptions check in checks) options.Checks.Add(check);
        pool?.Invoke(options);
        Pool = new ServerPool("web", options, time: Clock, events: Events);
    }

    public ManualTimeProvider Time { get; } = new();

    public PausableTime Clock { get; }

    public EventHub Events { get; } = new();

    public FakeHealthChecker Checker { get; }

    public FakeAddresses Addresses { get; } = new();

    public ProbeEnvironment Environment { get; }

    public CheckOptions[] Checks { get; }

    public ServerPool Pool { get; }

    public IReadOnlyList<ServerWatch> Watches => _watches;

    public Server S1 => Pool.Servers[0];

    /// <summary>Starts of all checks so far, in seconds since the beginning.</summary>
    public double[] Starts => [.. Checker.Calls.Select(c => (c.At - ManualTimeProvider.Start).TotalSeconds)];

    public ProbeRig Start()
    {
        CheckPlan[] plans = [.. Checks.Select(c => new CheckPlan(c, Checker, Clock))];
        List<ServerCheck> loops = [];
        foreach (Server server in Pool.Servers)
        {
            ServerWatch watch = new(Pool, server, Environment);
            _watches.Add(watch);
            loops.AddRange(watch.Follow(plans, _ended));
        }

        for (int i = 0; i < loops.Count; i++) loops[i].Start(i, loops.Count);
        return this;
    }

    /// <summary>Takes over what holds for all checks.</summary>
    public void Follow(Action<LbOptions> configure)
    {
        LbOptions options = new();
        options.Pools["web"] = new PoolOptions();
        configure(options);
        Environment.Follow(options);
        Environment.Suspension.Follow(options);
    }

    public void Advance(double seconds) => Time.Advance(TimeSpan.FromSeconds(seconds));

    public void Dispose()
    {
        foreach (ServerWatch watch in _watches) watch.Stop(_ended);
    }

    public async Task StopAsync(CancellationToken ct)
    {
        Dispose();
        await Task.WhenAll(_ended).WaitAsync(ct);
    }

    /// <summary>Causes of all status changes so far.</summary>
    public async Task<string[]> CausesAsync()
    {
        List<string> causes = [];
        await Events.RunAsync([new Ear(causes)], new CancellationToken(canceled: true));
        return [.. causes];
    }

    private sealed class Ear(List<string> causes) : INotifier
    {
        public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
        {
            if (notice is ServerStatusChanged change) causes.Add($"{change.Server} {change.To}: {change.Cause}");
            return ValueTask.CompletedTask;
        }
    }
}
