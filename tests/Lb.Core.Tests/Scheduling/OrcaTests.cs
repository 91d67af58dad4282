using Lb.Contracts.Policies;
using Lb.Testing;

namespace Lb.Core.Tests.Scheduling;

public sealed class OrcaTests
{
    private readonly ManualTimeProvider _time = new();

    // gRFC A58: weight = requests ÷ (utilization + errors ÷ requests × penalty).
    [Theory]
    [InlineData(0, 0.5, 100, 0, 1.0, 200)]
    [InlineData(0.8, 0.5, 100, 0, 1.0, 125)]
    [InlineData(0, 0.5, 100, 10, 1.0, 100 / 0.6)]
    [InlineData(0, 0.5, 100, 10, 0.0, 200)]
    [InlineData(0, 2.0, 100, 100, 3.0, 20)]
    [InlineData(0, 0, 100, 0, 1.0, 0)]
    [InlineData(0, 0.5, 0, 0, 1.0, 0)]
    public void The_weight_is_the_one_of_the_definition(double application, double cpu, double requests, double errors, double penalty, double weight)
    {
        LoadReportCell cell = default;
        LoadReport report = new() { ApplicationUtilization = application, CpuUtilization = cpu, RequestsPerSecond = requests, ErrorsPerSecond = errors };
        Assert.True(cell.Take(in report, 0, now: 10));
        Assert.Equal(weight, cell.Weight(now: 10, blackout: 0, expiration: 1000, penalty), 1e-9);
    }

    [Fact]
    public void Reports_count_after_the_blackout_until_they_expire_and_then_the_blackout_begins_anew()
    {
        LoadReportCell cell = default;
        LoadReport report = Report(1);
        double At(long now) => cell.Weight(now, blackout: 10, expiration: 180, penalty: 1);
        Assert.Equal(0, At(0));
        cell.Take(in report, 0, 0);
        Assert.Equal(0, At(9));
        Assert.Equal(100, At(10));
        cell.Take(in report, 0, 50);
        Assert.Equal(100, At(229));
        Assert.Equal(0, At(230));
        cell.Take(in report, 0, 231);
        Assert.Equal(0, At(240));
        Assert.Equal(100, At(241));
    }

    [Fact]
    public void Servers_get_what_they_can_take_and_those_that_say_nothing_the_mean()
    {
        ServerPool pool = TestPool.Create(3, time: _time);
        OrcaRoundRobin policy = new();
        policy.Build(pool.Snapshot!);
        pool.ReportLoad(pool.Get("a"), Report(0.25));
        pool.ReportLoad(pool.Get("b"), Report(0.75));
        Assert.Equal((200, 200, 200), Shares(policy, pool, 600));
        _time.Advance(TimeSpan.FromSeconds(10));

        // Weights 400, 133 and the mean 267.
        (int a, int b, int c) = Shares(policy, pool, 800);
        Assert.InRange(a, 399, 401);
        Assert.InRange(b, 132, 134);
        Assert.InRange(c, 266, 268);
    }

    [Fact]
    public void With_one_weight_known_all_take_turns()
    {
        ServerPool pool = TestPool.Create(3, time: _time);
        OrcaRoundRobin policy = new(blackout: TimeSpan.Zero);
        pool.ReportLoad(pool.Get("a"), Report(0.25));
        Assert.Equal((100, 100, 100), Shares(policy, pool, 300));
    }

    [Fact]
    public void A_server_that_comes_back_waits_for_its_blackout_again()
    {
        ServerPool pool = TestPool.Create(3, time: _time);
        OrcaRoundRobin policy = new();
        policy.Build(pool.Snapshot!);
        foreach (Server server in pool.Servers) pool.ReportLoad(server, Report(server.Name == "a" ? 0.25 : 0.5));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal((200, 100, 100), Shares(policy, pool, 400));
        pool.Down("a");
        policy.Build(pool.Snapshot!);
        pool.Up("a");
        pool.ReportLoad(pool.Get("a"), Report(0.25));
        Assert.Equal((100, 100, 100), Shares(policy, pool, 300));
        pool.ReportLoad(pool.Get("a"), Report(0.25));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal((200, 100, 100), Shares(policy, pool, 400));
    }

    [Fact]
    public void Changes_that_were_built_together_are_no_absence()
    {
        ServerPool pool = TestPool.Create(3, time: _time);
        OrcaRoundRobin policy = new();
        policy.Build(pool.Snapshot!);
        foreach (Server server in pool.Servers) pool.ReportLoad(server, Report(server.Name == "a" ? 0.25 : 0.5));
        _time.Advance(TimeSpan.FromSeconds(10));
        long before = pool.Snapshot!.Version;
        for (int weight = 2; weight < 5; weight++) pool.SetWeight(pool.Get("c"), weight);
        Assert.True(pool.Snapshot!.Version > before + 1);
        Assert.Equal((200, 100, 100), Shares(policy, pool, 400));
    }

    [Theory]
    [InlineData(double.NaN, 0, 0)]
    [InlineData(-1, 0, 0)]
    [InlineData(double.PositiveInfinity, 0, 0)]
    [InlineData(0.5, double.NaN, 0)]
    [InlineData(0.5, 10, -0.1)]
    public void Reports_that_make_no_sense_are_ignored_and_counted(double utilization, double requests, double errors)
    {
        ServerPool pool = TestPool.Create(2, time: _time);
        ServerLease lease = pool.Pick();
        lease.ReportLoad(new LoadReport { ApplicationUtilization = utilization, RequestsPerSecond = requests, ErrorsPerSecond = errors, InFlight = 3 });
        Assert.Equal(1, pool.BadLoadReports);
        Assert.False(lease.Server.Reported.TryGetInFlight(0, _time.GetTimestamp(), long.MaxValue, out _));
        lease.ReportLoad(new LoadReport { InFlight = 3 });
        Assert.Equal(1, pool.BadLoadReports);
        Assert.True(lease.Server.Reported.TryGetInFlight(lease.Server.InFlight, _time.GetTimestamp(), long.MaxValue, out int inFlight));
        Assert.Equal(3, inFlight);
        Assert.Equal(-1, default(LoadReport).InFlight);
    }

    [Fact]
    public void It_is_built_anew_each_second_unless_told_otherwise()
    {
        Assert.Equal(TimeSpan.FromSeconds(1), new OrcaRoundRobin().RebuildInterval);
        Assert.Throws<ArgumentOutOfRangeException>(static () => new OrcaRoundRobin(update: TimeSpan.FromMilliseconds(99)));
        PoolOptions options = new() { Balance = "orca", BalanceOptions = { UpdatePeriod = TimeSpan.FromMilliseconds(50) }, Servers = { TestPool.Server("a") } };
        List<ConfigurationError> errors = [];
        PoolValidation.Validate("Lb:Pools:web", options, SchedulingPolicies.BuiltIn, errors);
        Assert.Equal("Lb:Pools:web:BalanceOptions:UpdatePeriod = '50ms': must be 100ms or more", Assert.Single(errors).ToString());
    }

    [Fact]
    public void Reporting_allocates_nothing()
    {
        ServerPool pool = TestPool.Create(2);
        Server server = pool.Servers[0];
        LoadReport report = Report(0.5) with { InFlight = 1 };
        for (int n = 0; n < 100; n++) pool.ReportLoad(server, in report);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int n = 0; n < 1000; n++) pool.ReportLoad(server, in report);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static LoadReport Report(double utilization) => new() { CpuUtilization = utilization, RequestsPerSecond = 100 };

    private static (int A, int B, int C) Shares(OrcaRoundRobin policy, ServerPool pool, int picks)
    {
        IScheduler scheduler = policy.Build(pool.Snapshot!);
        int[] count = new int[3];
        for (int n = 0; n < picks; n++)
        {
            Server told = scheduler.Explain(default, n).Choice!, picked = scheduler.Pick(default, n);
            Assert.Same(told, picked);
            count[picked.Id - 1]++;
        }

        return (count[0], count[1], count[2]);
    }
}

public sealed class OrcaContract : SchedulingPolicyContract
{
    // The servers' own reports decide, not the configuration.
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new OrcaRoundRobin(random: new Random(seed));
}
