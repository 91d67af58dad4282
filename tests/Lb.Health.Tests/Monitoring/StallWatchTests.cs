namespace Lb.Health.Tests.Monitoring;

[Trait("Row", "H30")]
public sealed class StallWatchTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Checks_that_do_not_start_for_three_intervals_are_an_alarm_and_its_end_is_told()
    {
        using ProbeRig rig = Blocked();
        using StallWatch watch = new(rig.Environment, rig.Events);
        watch.Follow(3);

        // s2 is due at 1 s; three intervals later is 7 s.
        Look(rig, watch, 7);
        Assert.Equal(0, watch.Stalled);
        Look(rig, watch, 1);
        Assert.Equal(1, watch.Stalled);
        Look(rig, watch, 4);
        rig.Checker.Release("s1");
        await rig.Checker.WhenCallsReach(2, Ct);
        Look(rig, watch, 1);
        Assert.Equal(0, watch.Stalled);
        Look(rig, watch, 20);
        Assert.Equal(["stalled 1/2 00:00:07", "resumed 00:00:05"], await ToldAsync(rig.Events));
    }

    [Theory]
    [InlineData(0, 60)]
    [InlineData(100, 60)]
    public async Task The_number_of_intervals_is_configured(int intervals, int seconds)
    {
        using ProbeRig rig = Blocked();
        using StallWatch watch = new(rig.Environment, rig.Events);
        watch.Follow(intervals);
        Look(rig, watch, seconds);
        Assert.Empty(await ToldAsync(rig.Events));
    }

    [Fact]
    [Trait("Row", "H29")]
    public async Task A_pause_of_the_host_is_no_stall()
    {
        using ProbeRig rig = new(10, random: new ScriptedFractions(0.5), checks: new CheckOptions());
        rig.Start();
        using StallWatch watch = new(rig.Environment, rig.Events);
        watch.Follow(3);
        Look(rig, watch, 4);

        // Whoever wakes first, the look or the timers of the checks.
        rig.Clock.Pause(TimeSpan.FromSeconds(300), watch.Look);
        Assert.Equal(0, watch.Stalled);
        Look(rig, watch, 20);
        Assert.Empty(await ToldAsync(rig.Events));
    }

    [Theory]
    [Trait("Row", "H29")]
    [InlineData(1.1)]
    [InlineData(1.5)]
    [InlineData(1.9)]
    public async Task A_short_pause_is_no_stall_either(double seconds)
    {
        using ProbeRig rig = new(10, random: new ScriptedFractions(0.5), checks: new CheckOptions { Interval = TimeSpan.FromSeconds(0.1) });
        rig.Start();
        using StallWatch watch = new(rig.Environment, rig.Events);
        watch.Follow(3);
        Look(rig, watch, 4);
        rig.Clock.Pause(TimeSpan.FromSeconds(seconds), watch.Look);
        Assert.Equal(0, watch.Stalled);
        Look(rig, watch, 5);
        Assert.Empty(await ToldAsync(rig.Events));
    }

    [Fact]
    public async Task A_pause_does_not_end_a_stall()
    {
        using ProbeRig rig = Blocked(timeout: 2000);
        using StallWatch watch = new(rig.Environment, rig.Events);
        watch.Follow(3);
        Look(rig, watch, 8);
        rig.Advance(300);
        watch.Look();
        Look(rig, watch, 8);
        Assert.Equal(1, watch.Stalled);
        Assert.Equal("stalled 1/2 00:00:07", (await ToldAsync(rig.Events))[0]);
    }

    [Fact]
    public async Task Maintenance_and_long_checks_are_no_stall()
    {
        using ProbeRig rig = new(2, checks: new CheckOptions { Interval = TimeSpan.FromSeconds(2), Timeout = TimeSpan.FromSeconds(100) });
        rig.Pool.SetAdmin(rig.S1, ServerAdmin.Maintenance);
        rig.Checker.Hold("s2");
        rig.Start();
        using StallWatch watch = new(rig.Environment, rig.Events);
        watch.Follow(1);
        Look(rig, watch, 60);
        Assert.Empty(await ToldAsync(rig.Events));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_alarm_has_a_thread_of_its_own()
    {
        EventHub events = new();
        ProbeEnvironment environment = new(TimeProvider.System);
        ServerPool pool = new("web", new PoolOptions { Servers = { new ServerOptions { Address = "127.0.0.1:1" } } }, events: events);
        LbOptions options = new();
        options.Pools["web"] = new PoolOptions();
        environment.Follow(options);

        // Nobody ever gets a slot.
        ProbeSlots slots = environment.SlotsOf("web");
        slots.SetLimit(0);
        ServerWatch server = new(pool, pool.Servers[0], environment);
        List<Task> ended = [];
        server.Follow([new CheckPlan(new CheckOptions { Interval = TimeSpan.FromMilliseconds(100) }, new TcpChecker())], [])[0].Start(0, 1);
        using StallWatch watch = new(environment, events);
        watch.Follow(1);
        TaskCompletionSource<ChecksStalled> told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenSource stop = new();
        Task running = events.RunAsync([new Ear(notice =>
        {
            if (notice is ChecksStalled stalled) told.TrySetResult(stalled);
        })], stop.Token);
        Assert.Equal((1, 1), ((await told.Task).Late, (await told.Task).Checks));
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        server.Stop(ended);
    }

    // s1's check hangs in the only slot.
    private static ProbeRig Blocked(int timeout = 200)
    {
        ProbeRig rig = new(2, checks: new CheckOptions { Interval = TimeSpan.FromSeconds(2), Timeout = TimeSpan.FromSeconds(timeout) });
        rig.Follow(static o => o.Health.MaxConcurrentChecks = 1);
        rig.Checker.Hold("s1");
        return rig.Start();
    }

    private static void Look(ProbeRig rig, StallWatch watch, int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            rig.Advance(1);
            watch.Look();
        }
    }

    private static async Task<string[]> ToldAsync(EventHub events)
    {
        List<string> told = [];
        await events.RunAsync([new Ear(notice =>
        {
            if (notice is ChecksStalled stalled) told.Add($"stalled {stalled.Late}/{stalled.Checks} {stalled.Longest}");
            if (notice is ChecksResumed resumed) told.Add($"resumed {resumed.Stalled}");
        })], new CancellationToken(canceled: true));
        return [.. told];
    }

    private sealed class Ear(Action<LbEvent> hear) : INotifier
    {
        public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
        {
            hear(notice);
            return ValueTask.CompletedTask;
        }
    }
}
