namespace Lb.Health.Tests.Monitoring;

/// <summary>A pool with one server, s1, that shares the rig's checker.</summary>
internal sealed class PoolMember
{
    private readonly ServerWatch _watch;
    private readonly CheckPlan _plan;

    public PoolMember(ProbeRig rig, string name, Action<CheckOptions>? check = null, Action<PoolOptions>? pool = null, bool isShareable = true)
    {
        PoolOptions options = new() { Servers = { new ServerOptions { Name = "s1", Address = "127.0.0.1:8001", InitState = InitState.FullyUp } } };
        pool?.Invoke(options);
        CheckOptions made = new();
        check?.Invoke(made);
        Pool = new ServerPool(name, options, time: rig.Clock, events: rig.Events);
        _plan = new CheckPlan(made, rig.Checker, rig.Clock) { IsShareable = isShareable };
        _watch = new ServerWatch(Pool, Server, rig.Environment);
    }

    public ServerPool Pool { get; }

    public Server Server => Pool.Servers[0];

    public ServerCheck? Check { get; private set; }

    /// <summary>What it was told, with an exclamation mark where that changed the verdict.</summary>
    public string[] History => [.. _watch.History.Select(static r => $"{r.Report.Word} {r.Verdict}{(r.Flipped ? "!" : "")}")];

    public void Start(double delay = 0)
    {
        Check = _watch.Follow([_plan], [])[0];
        int parts = (int)_plan.Options.Interval.TotalSeconds;
        Check.Start((int)delay, parts);
    }

    public Task StopAsync(CancellationToken ct)
    {
        List<Task> ended = [];
        _watch.Follow([], ended);
        return Task.WhenAll(ended).WaitAsync(ct);
    }
}
