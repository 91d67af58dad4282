using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

/// <summary>What an agent says, beside what checks and the administrator say.</summary>
[Trait("Row", "H20")]
public sealed class AdviceTests : IDisposable
{
    private static readonly CheckOptions Tcp = new(), Agent = new() { Type = "agent", Port = 9 };

    private readonly ManualTimeProvider _time = new();
    private readonly FakeHealthChecker _tcp;
    private readonly Words _agent = new();
    private readonly CountedPolicy _builds = new();
    private readonly ServerPool _pool;
    private readonly ServerWatch _watch;
    private readonly List<Task> _ended = [];
    private readonly CheckPlan _tcpPlan, _agentPlan;

    public AdviceTests()
    {
        _tcp = new FakeHealthChecker(_time);
        PoolOptions options = new() { Policy = () => _builds };
        options.Servers.Add(new ServerOptions { Name = "s1", Address = "127.0.0.1:8001", Weight = 100, MaxConnections = 50 });
        options.Checks.Add(Tcp);
        _pool = new ServerPool("web", options, time: _time);
        _watch = new ServerWatch(_pool, S1, new ProbeEnvironment(_time, new ScriptedRandom()) { Later = static work => work() });
        _tcpPlan = new CheckPlan(Tcp, _tcp);
        _agentPlan = new CheckPlan(Agent, _agent);
    }

    private Server S1 => _pool.Servers[0];

    public void Dispose() => _watch.Stop(_ended);

    [Fact]
    public void Weight_and_limit_follow_the_agent_and_are_built_once_for_each_change()
    {
        Start();
        Say("75% maxconn:20");
        Assert.Equal((75, 20), (S1.Weight, S1.MaxConnections));
        int builds = _builds.Count;
        Say("75% maxconn:20");
        Assert.Equal(builds, _builds.Count);
        Say("weight:7");
        Assert.Equal((7, 20), (S1.Weight, S1.MaxConnections));
        Say("100%");
        Assert.Equal(100, S1.Weight);
    }

    [Fact]
    public void A_reload_that_does_not_mention_the_weight_keeps_the_agents()
    {
        Start();
        Say("50%");
        ServerOptions same = new() { Name = "s1", Address = "127.0.0.1:8001", Weight = 100, MaxConnections = 50 };
        _pool.Reconcile([same]);
        Assert.Equal(50, S1.Weight);
        same.Weight = 200;
        _pool.Reconcile([same]);
        Assert.Equal(200, S1.Weight);
        Say("50%");
        Assert.Equal(100, S1.Weight);
    }

    [Fact]
    public void Down_lasts_until_the_agent_says_up_whatever_the_other_checks_say()
    {
        Start();
        Say("up");
        Assert.Equal(ServerHealth.Up, S1.Health);
        Say("down #disk full");
        Assert.Equal(ServerHealth.Down, S1.Health);
        Assert.Equal(CheckStatus.Layer7Status, S1.LastAgentCheck?.Status);
        Assert.Equal("down: disk full", S1.LastAgentCheck?.Text);
        Assert.True(S1.LastCheck?.Passed);

        // Words without health, and silence, leave it down.
        Say("ready 75%");
        Say(null);
        Assert.Equal(ServerHealth.Down, S1.Health);
        Say("up");
        Assert.Equal(ServerHealth.Up, S1.Health);
    }

    [Fact]
    public void Up_does_not_help_a_server_whose_other_check_fails()
    {
        _tcp.Answer("s1", FakeHealthChecker.Fail);
        Start();
        for (int i = 0; i < 3; i++) Say("up");
        Assert.Equal(ServerHealth.Down, S1.Health);
    }

    [Fact]
    public void An_agent_that_does_not_answer_changes_nothing()
    {
        Start();
        Say("50% drain");
        for (int i = 0; i < 10; i++) Say(null);
        Assert.Equal((ServerHealth.Up, ServerAdmin.Drain, 50), (S1.Health, S1.Agent, S1.Weight));
        Assert.Equal(CheckStatus.Layer4Connection, S1.LastAgentCheck?.Status);
        Assert.True(S1.LastCheck?.Passed);
    }

    // Administrator, agent, and what holds: the stricter.
    [Theory]
    [InlineData(ServerAdmin.Ready, "ready", ServerStatus.Up)]
    [InlineData(ServerAdmin.Ready, "drain", ServerStatus.Drain)]
    [InlineData(ServerAdmin.Ready, "maint", ServerStatus.Maintenance)]
    [InlineData(ServerAdmin.Drain, "ready", ServerStatus.Drain)]
    [InlineData(ServerAdmin.Drain, "maint", ServerStatus.Maintenance)]
    [InlineData(ServerAdmin.Maintenance, "ready", ServerStatus.Maintenance)]
    [InlineData(ServerAdmin.Maintenance, "drain", ServerStatus.Maintenance)]
    public void The_stricter_of_administrator_and_agent_holds(ServerAdmin admin, string words, ServerStatus status)
    {
        Start();
        Say(words);
        _pool.SetAdmin(S1, admin);
        Say(words);
        Assert.Equal(status, S1.Status);
        Assert.Equal(admin, S1.Admin);
        bool picked = _pool.TryPick(new PickContext(), out ServerLease lease, out _);
        Assert.Equal(status == ServerStatus.Up, picked);
        if (picked) lease.Complete(LeaseOutcome.Success);
    }

    [Fact]
    public void Maintenance_that_the_agent_asked_for_stops_the_other_checks_but_not_the_agent()
    {
        Start();
        Say("maint");
        int checks = _tcp.Calls.Count;
        Say("maint");
        Say("maint");
        Assert.Equal(checks, _tcp.Calls.Count);
        Say("ready");
        Assert.Equal(ServerStatus.Up, S1.Status);
        Say("ready");
        Assert.True(_tcp.Calls.Count > checks);
    }

    [Fact]
    public void Without_its_agent_a_server_is_what_administrator_and_configuration_say()
    {
        Start();
        Say("down drain 10% maxconn:1");
        Assert.Equal(ServerHealth.Down, S1.Health);
        _watch.Follow([_tcpPlan], _ended);
        Assert.Equal((ServerHealth.Up, ServerAdmin.Ready, 100, 50), (S1.Health, S1.Agent, S1.Weight, S1.MaxConnections));
        Assert.Null(S1.LastAgentCheck);
    }

    [Fact]
    public void An_agent_that_is_only_asked_in_another_way_flips_nothing()
    {
        Start();
        Say("down");
        CheckPlan slower = new(new CheckOptions { Type = "agent", Port = 9, Interval = TimeSpan.FromSeconds(9) }, _agent);
        foreach (ServerCheck loop in _watch.Follow([_tcpPlan, slower], _ended)) loop.Start(0, 1);
        Assert.Equal(ServerHealth.Down, S1.Health);
    }

    [Fact]
    [Trait("Row", "H22")]
    public void What_callers_see_is_no_matter_of_the_agents()
    {
        Start();
        Say("up");
        _watch.CallersFailed(OnError.MarkDown, 10);
        Assert.Equal(ServerHealth.Down, S1.Health);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(ServerHealth.Up, S1.Health);
    }

    [Fact]
    [Trait("Row", "H15")]
    public void A_check_that_passes_may_set_the_weight()
    {
        _agent.Next = new ProbeResult(CheckStatus.Layer7Ok, 42) { Advice = new ProbeAdvice { Weight = 40 } };
        CheckPlan dynamic = new(new CheckOptions { Type = "command", Dynamic = true, Command = { "/bin/true" } }, new Judging(_agent));
        foreach (ServerCheck loop in _watch.Follow([dynamic], _ended)) loop.Start(0, 1);
        _time.Advance(TimeSpan.Zero);
        Assert.Equal(40, S1.Weight);

        // A failed one leaves it.
        _agent.Next = new ProbeResult(CheckStatus.Layer7Status, 1) { Advice = new ProbeAdvice { Weight = 1 } };
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(40, S1.Weight);
        Assert.Equal(1, S1.LastCheck?.Code);
    }

    // HAProxy's server_parse_weight_change_request: weight x percent / 100, at most 256; but 0 only for 0.
    [Theory]
    [InlineData(100, 75, 75)]
    [InlineData(100, 0, 0)]
    [InlineData(200, 150, 256)]
    [InlineData(10, 33, 3)]
    [InlineData(1, 75, 1)]
    [InlineData(0, 100, 0)]
    [InlineData(256, 25_600, 256)]
    public void A_percentage_is_of_the_configured_weight(int configured, int percent, int expected)
    {
        _pool.Reconcile([new ServerOptions { Name = "s1", Address = "127.0.0.1:8001", Weight = configured }]);
        _pool.SetWeightPercent(S1, percent);
        Assert.Equal(expected, S1.Weight);
    }

    private void Start()
    {
        _agent.Next = Silence;
        IReadOnlyList<ServerCheck> loops = _watch.Follow([_tcpPlan, _agentPlan], _ended);
        foreach (ServerCheck loop in loops) loop.Start(0, 1);
        _time.Advance(TimeSpan.Zero);
    }

    // The agent's next answer, and the checks that come with it.
    private void Say(string? words)
    {
        _agent.Next = words is null ? Silence : AgentWords.Read(System.Text.Encoding.ASCII.GetBytes(words));
        _time.Advance(TimeSpan.FromSeconds(2));
    }

    private static ProbeResult Silence => new(CheckStatus.Layer4Connection, 0, "connection refused");

    private sealed class CountedPolicy : ISchedulingPolicy
    {
        private readonly RoundRobin _inner = new();

        public int Count { get; private set; }

        public IScheduler Build(PoolSnapshot snapshot)
        {
            Count++;
            return _inner.Build(snapshot);
        }
    }

    private sealed class Words : IHealthChecker
    {
        public ProbeResult Next { get; set; }

        public bool OnlyAdvises => true;

        public ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct) => new(Next);
    }

    private sealed class Judging(IHealthChecker inner) : IHealthChecker
    {
        public ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct) => inner.CheckAsync(target, ct);
    }
}
