using Lb.Testing;

namespace Lb.Core.Tests.Testing;

public sealed class ManualTimeProviderTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly List<string> _fired = [];

    [Fact]
    public void It_starts_at_a_fixed_time_and_stands_still()
    {
        Assert.Equal(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero), _time.GetUtcNow());
        Assert.Equal(_time.GetUtcNow(), _time.GetLocalNow());
        Assert.True(_time.GetTimestamp() > 0);
        Assert.Equal(10_000_000, _time.TimestampFrequency);
    }

    [Fact]
    public void Advancing_moves_both_clocks()
    {
        long before = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromSeconds(90));
        Assert.Equal(TimeSpan.FromSeconds(90), _time.GetElapsedTime(before));
        Assert.Equal(ManualTimeProvider.Start.AddSeconds(90), _time.GetUtcNow());
        Assert.Throws<ArgumentOutOfRangeException>(() => _time.Advance(TimeSpan.FromTicks(-1)));
    }

    [Fact]
    public void Setting_the_wall_clock_moves_no_timer()
    {
        long before = _time.GetTimestamp();
        using ITimer timer = Timer("t", 1);
        _time.SetUtcNow(new DateTimeOffset(2031, 5, 5, 2, 0, 0, TimeSpan.FromHours(2)));
        Assert.Equal(new DateTimeOffset(2031, 5, 5, 0, 0, 0, TimeSpan.Zero), _time.GetUtcNow());
        Assert.Equal(before, _time.GetTimestamp());
        Assert.Empty(_fired);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new DateTimeOffset(2031, 5, 5, 0, 0, 1, TimeSpan.Zero), _time.GetUtcNow());
        Assert.Single(_fired);
    }

    [Fact]
    public void Timers_fire_in_the_order_of_their_due_times_with_the_clock_at_each()
    {
        using ITimer late = Timer("late", 3), early = Timer("early", 1), same = Timer("same", 1), never = Timer("never", 4);
        _time.Advance(TimeSpan.FromSeconds(3.5));
        Assert.Equal(["early@1", "same@1", "late@3"], _fired);
        Assert.Equal(ManualTimeProvider.Start.AddSeconds(3.5), _time.GetUtcNow());
        Assert.Equal(1, _time.ActiveTimers);
    }

    [Fact]
    public void Periodic_timers_fire_as_often_as_time_passes()
    {
        using ITimer timer = Timer("p", 1, 2);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(["p@1", "p@3", "p@5"], _fired);
        Assert.Equal(1, _time.ActiveTimers);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_period_of_nothing_means_once(int periodMilliseconds)
    {
        int calls = 0;
        using ITimer timer = _time.CreateTimer(_ => calls++, null, TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(periodMilliseconds));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((1, 0), (calls, _time.ActiveTimers));
    }

    [Fact]
    public void Timers_made_by_a_callback_fire_within_the_same_advance()
    {
        ITimer? second = null;
        using ITimer first = _time.CreateTimer(_ => second = Timer("second", 1), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(["second@2"], _fired);
        second!.Dispose();
    }

    [Fact]
    public void A_timer_due_at_once_fires_with_the_next_advance_of_any_length()
    {
        using ITimer timer = Timer("now", 0);
        Assert.Empty(_fired);
        _time.Advance(TimeSpan.Zero);
        Assert.Equal(["now@0"], _fired);
    }

    [Fact]
    public void Changing_rearms_and_disposing_ends()
    {
        ITimer timer = Timer("t", 1);
        Assert.True(timer.Change(TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan));
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Empty(_fired);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["t@5"], _fired);
        Assert.True(timer.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan));
        Assert.True(timer.Change(Timeout.InfiniteTimeSpan, TimeSpan.FromSeconds(1)));
        Assert.Equal(0, _time.ActiveTimers);
        timer.Dispose();
        Assert.False(timer.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Single(_fired);
        Assert.Throws<ArgumentOutOfRangeException>(() => timer.Change(TimeSpan.FromMilliseconds(-2), Timeout.InfiniteTimeSpan));
        Assert.Throws<ArgumentOutOfRangeException>(() => timer.Change(TimeSpan.Zero, TimeSpan.FromDays(60)));
        Assert.Throws<ArgumentNullException>(() => _time.CreateTimer(null!, null, TimeSpan.Zero, TimeSpan.Zero));
    }

    [Fact]
    public void A_callback_may_end_its_own_timer()
    {
        ITimer? timer = null;
        int calls = 0;
        timer = _time.CreateTimer(
            _ =>
            {
                if (++calls == 2) timer!.Dispose();
            },
            null,
            TimeSpan.FromSeconds(1),
            TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(2, calls);
    }

    [Fact]
    public void Callbacks_run_outside_the_clocks_lock()
    {
        // Another thread uses the clock while a callback runs.
        using ITimer timer = _time.CreateTimer(_ => Task.Run(() => _time.ActiveTimers).Wait(TestContext.Current.CancellationToken), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        _time.Advance(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void An_exception_comes_out_of_advance_at_the_timers_time()
    {
        using ITimer timer = _time.CreateTimer(static _ => throw new InvalidOperationException("boom"), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        Assert.Throws<InvalidOperationException>(() => _time.Advance(TimeSpan.FromSeconds(5)));
        Assert.Equal(ManualTimeProvider.Start.AddSeconds(1), _time.GetUtcNow());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_test_can_wait_until_timers_are_armed()
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        await _time.WhenTimersReach(0, ct);
        Task two = _time.WhenTimersReach(2, ct);
        using ITimer first = Timer("a", 1);
        Assert.False(two.IsCompleted);
        using ITimer second = Timer("b", 1);
        await two;

        using CancellationTokenSource source = new();
        Task never = _time.WhenTimersReach(3, source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => never);
    }

    [Fact(Timeout = 60_000)]
    public async Task Delays_timers_and_timeouts_of_the_runtime_run_on_it()
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        Task delay = Task.Delay(TimeSpan.FromHours(1), _time, ct);
        using PeriodicTimer periodic = new(TimeSpan.FromMinutes(30), _time);
        using CancellationTokenSource source = new(TimeSpan.FromMinutes(45), _time);
        ValueTask<bool> tick = periodic.WaitForNextTickAsync(ct);
        _time.Advance(TimeSpan.FromMinutes(30));
        Assert.True(await tick);
        Assert.False(source.IsCancellationRequested);
        _time.Advance(TimeSpan.FromMinutes(15));
        Assert.True(source.IsCancellationRequested);
        _time.Advance(TimeSpan.FromMinutes(15));
        await delay;
    }

    [Fact(Timeout = 60_000)]
    public async Task Any_thread_may_use_it()
    {
        int fired = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int n = 0; n < 1_000; n++)
            {
                using ITimer timer = _time.CreateTimer(_ => Interlocked.Increment(ref fired), null, TimeSpan.FromTicks(1), Timeout.InfiniteTimeSpan);
                _time.Advance(TimeSpan.FromTicks(1));
            }
        })));
        Assert.InRange(fired, 1, 4_000);
        Assert.Equal(0, _time.ActiveTimers);
    }

    private ITimer Timer(string name, double due, double? period = null) => _time.CreateTimer(
        state => _fired.Add($"{state}@{(_time.GetUtcNow() - ManualTimeProvider.Start).TotalSeconds:0.###}"),
        name,
        TimeSpan.FromSeconds(due),
        period is null ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(period.Value));
}

public sealed class ScriptedRandomTests
{
    [Fact]
    public void Draws_come_from_the_script_in_order()
    {
        ScriptedRandom random = new(1, 2);
        random.Then(long.MaxValue - 1, 7).ThenFractions(0.25, 0.5).Then(255, 0);
        Assert.Equal(1, random.Next());
        Assert.Equal(2, random.Next(3));
        Assert.Equal(long.MaxValue - 1, random.NextInt64());
        Assert.Equal(7, random.Next(5, 8));
        Assert.Equal(0.25, random.NextDouble());
        Assert.Equal(0.5f, random.NextSingle());
        byte[] bytes = new byte[2];
        random.NextBytes(bytes);
        Assert.Equal([255, 0], bytes);
        Assert.Equal(0, random.Remaining);
    }

    [Fact]
    public void The_end_of_the_script_and_values_out_of_range_are_told()
    {
        Assert.Contains("ended after 0 draws", Fails(new ScriptedRandom(), static r => r.Next(1)), StringComparison.Ordinal);
        Assert.Contains("Draw 1 of the script is 3, but 0 to below 3", Fails(new ScriptedRandom(3), static r => r.Next(3)), StringComparison.Ordinal);
        Assert.Contains("is -1", Fails(new ScriptedRandom(-1), static r => r.NextInt64(5)), StringComparison.Ordinal);
        Assert.Contains("is 4, but 5", Fails(new ScriptedRandom(4), static r => r.NextInt64(5, 9)), StringComparison.Ordinal);
        Assert.Contains("a fraction was asked for", Fails(new ScriptedRandom(1), static r => r.NextDouble()), StringComparison.Ordinal);
        Assert.Contains("an integer was asked for", Fails(new ScriptedRandom().ThenFractions(0.5), static r => r.Next(2)), StringComparison.Ordinal);
        Assert.Contains("is 1, but 0 to below 1", Fails(new ScriptedRandom().ThenFractions(1), static r => r.NextDouble()), StringComparison.Ordinal);
    }

    private static string Fails(ScriptedRandom random, Action<ScriptedRandom> draw) => Assert.Throws<InvalidOperationException>(() => draw(random)).Message;
}
