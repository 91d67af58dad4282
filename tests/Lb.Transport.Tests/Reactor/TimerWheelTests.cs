namespace Lb.Transport.Tests.Reactor;

[Trait("Row", "T3")]
public sealed class TimerWheelTests
{
    // One unit is a millisecond, so a tick is 16 units.
    private const long Frequency = 1000;
    private const long Tick = TimerWheel.TickMilliseconds;
    private readonly List<string> _fired = [];

    [Theory]
    [InlineData(0, 16)]
    [InlineData(1, 16)]
    [InlineData(16, 16)]
    [InlineData(17, 32)]
    [InlineData(8192, 8192)]
    [InlineData(8193, 8208)]
    [InlineData(100_000_000, 100_000_000)]
    public void Fires_in_the_first_tick_at_or_after_the_deadline(long deadline, long expected)
    {
        TimerWheel wheel = new(now: 0, Frequency);
        Probe timer = new(this, "a");
        wheel.Schedule(timer, deadline);
        Assert.True(timer.IsScheduled);
        Assert.Equal(expected, wheel.NextDelay(0));

        wheel.Advance(expected - 1);
        Assert.Empty(_fired);
        wheel.Advance(expected);
        Assert.Equal(["a"], _fired);
        Assert.False(timer.IsScheduled);
        Assert.Equal(0, wheel.Count);
        Assert.Equal(-1, wheel.NextDelay(expected));
    }

    [Fact]
    public void Ticks_count_from_the_wheels_birth()
    {
        TimerWheel wheel = new(now: 1_000_003, Frequency);
        wheel.Schedule(new Probe(this, "a"), 1_000_003 + Tick);
        Assert.Equal(Tick, wheel.NextDelay(1_000_003));
        wheel.Advance(1_000_003 + Tick - 1);
        Assert.Empty(_fired);
        wheel.Advance(1_000_003 + Tick);
        Assert.Equal(["a"], _fired);
    }

    [Fact]
    public void A_long_pause_fires_each_timer_once()
    {
        TimerWheel wheel = new(0, Frequency);
        for (int i = 0; i < 2000; i++) wheel.Schedule(new Probe(this, $"{i}"), i * 37);

        wheel.Advance(10_000_000);

        Assert.Equal(2000, _fired.Count);
        Assert.Equal(2000, _fired.Distinct().Count());
        wheel.Advance(20_000_000);
        Assert.Equal(2000, _fired.Count);
    }

    [Fact]
    public void A_timer_may_change_any_timer_while_it_fires()
    {
        TimerWheel wheel = new(0, Frequency);
        Probe cancelled = new(this, "cancelled");
        Probe moved = new(this, "moved");
        Probe added = new(this, "added");
        Probe again = new(this, "again");
        again.Action = () =>
        {
            // In the same slot, not fired yet; one revolution further; and itself.
            wheel.Cancel(cancelled);
            wheel.Schedule(moved, 20 * Tick);
            wheel.Schedule(added, 0);
            wheel.Schedule(again, 10 * Tick + Tick * TimerWheel.SlotCount);
        };
        wheel.Schedule(again, 10 * Tick);
        wheel.Schedule(cancelled, 10 * Tick);
        wheel.Schedule(moved, 10 * Tick);
        Probe last = new(this, "last");
        wheel.Schedule(last, 10 * Tick);

        wheel.Advance(10 * Tick);
        Assert.Equal(["again", "last"], _fired);
        Assert.Equal(3, wheel.Count);
        Assert.False(cancelled.IsScheduled);
        wheel.Advance(11 * Tick);
        Assert.Equal(["again", "last", "added"], _fired);
        wheel.Advance(20 * Tick);
        Assert.Equal(["again", "last", "added", "moved"], _fired);
        Assert.Equal((10 + TimerWheel.SlotCount - 20) * Tick, wheel.NextDelay(20 * Tick));
        wheel.Advance((10 + TimerWheel.SlotCount) * Tick);
        Assert.Equal(["again", "last", "added", "moved", "again"], _fired);
    }

    [Fact]
    public void An_exception_leaves_the_other_timers_for_the_next_call()
    {
        TimerWheel wheel = new(0, Frequency);
        Probe bad = new(this, "bad") { Action = static () => throw new InvalidOperationException("bad") };
        wheel.Schedule(bad, Tick);
        wheel.Schedule(new Probe(this, "good"), Tick);

        Assert.Throws<InvalidOperationException>(() => wheel.Advance(Tick));
        Assert.Equal(["bad"], _fired);
        Assert.Equal(0, wheel.NextDelay(Tick));
        wheel.Advance(Tick);
        Assert.Equal(["bad", "good"], _fired);
        Assert.Equal(-1, wheel.NextDelay(Tick));
    }

    [Fact]
    public void Re_scheduling_moves_the_deadline_both_ways_and_cancelling_twice_is_nothing()
    {
        TimerWheel wheel = new(0, Frequency);
        Probe timer = new(this, "a");
        wheel.Schedule(timer, 100 * Tick);
        wheel.Schedule(timer, 5 * Tick);
        Assert.Equal(1, wheel.Count);
        Assert.Equal(5 * Tick, wheel.NextDelay(0));
        wheel.Schedule(timer, 50 * Tick);
        wheel.Advance(49 * Tick);
        Assert.Empty(_fired);
        wheel.Advance(50 * Tick);
        Assert.Equal(["a"], _fired);
        wheel.Cancel(timer);
        wheel.Cancel(timer);
        Assert.Equal(0, wheel.Count);
    }

    [Fact]
    public void A_wheel_of_idle_timeouts_sleeps_until_the_nearest_one()
    {
        // Ten thousand connections with a minute each, renewed now and then, and a few cancelled ones: how often must the loop look?
        TimerWheel wheel = new(0, Frequency);
        Probe[] timers = [.. Enumerable.Range(0, 10_000).Select(i => new Probe(this, $"{i}"))];
        foreach (Probe timer in timers) wheel.Schedule(timer, 60_000);
        foreach (Probe timer in timers.AsSpan(0, 5000)) wheel.Schedule(timer, 90_000);
        foreach (Probe timer in timers.AsSpan(0, 100)) wheel.Cancel(timer);

        int looks = 0;
        for (long now = 0; wheel.NextDelay(now) is >= 0 and long delay; looks++)
        {
            now += delay;
            wheel.Advance(now);
        }

        Assert.Equal(9900, _fired.Count);
        Assert.Equal(2, looks);
    }

    [Fact]
    public void Scheduling_and_cancelling_allocate_nothing()
    {
        TimerWheel wheel = new(0, Frequency);
        Probe[] timers = [.. Enumerable.Range(0, 100).Select(i => new Probe(this, ""))];
        Exercise(1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exercise(1_000_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Exercise(long from)
        {
            for (int i = 0; i < timers.Length; i++) wheel.Schedule(timers[i], from + i * 100);
            for (int i = 0; i < timers.Length; i += 2) wheel.Cancel(timers[i]);
            for (int i = 0; i < timers.Length; i += 3) wheel.Schedule(timers[i], from + i);
            foreach (Probe timer in timers) wheel.Cancel(timer);
            wheel.Advance(from + 100_000);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Agrees_with_a_naive_model(int seed)
    {
        Random random = new(seed);
        long now = random.Next(1000);
        long origin = now;
        TimerWheel wheel = new(now, Frequency);
        Dictionary<ModelTimer, long> model = [];
        List<ModelTimer> fired = [];
        ModelTimer[] timers = [.. Enumerable.Range(0, 60).Select(_ => new ModelTimer(fired))];
        long current = 0; // the tick the wheel has reached

        for (int step = 0; step < 20_000; step++)
        {
            ModelTimer timer = timers[random.Next(timers.Length)];
            switch (random.Next(10))
            {
                case < 5:
                    long deadline = now + random.Next(5) switch { 0 => 0, 1 => random.Next(40), 2 => random.Next(1000), 3 => random.Next(9000), _ => random.Next(60_000) };
                    wheel.Schedule(timer, deadline);
                    model[timer] = Math.Max(current + 1, (deadline - origin + Tick - 1) / Tick);
                    break;
                case < 7:
                    wheel.Cancel(timer);
                    model.Remove(timer);
                    break;
                default:
                    long delay = wheel.NextDelay(now);
                    now += random.Next(6) switch { 0 => 0, 1 => 1, 2 => Math.Max(0, delay), 3 => random.Next(20_000), 4 => random.Next(200), _ => 16 };
                    current = Math.Max(current, (now - origin) / Tick);
                    ModelTimer[] expected = [.. model.Where(entry => entry.Value <= current).Select(static entry => entry.Key)];
                    if (expected.Length > 0) Assert.True(delay >= 0);
                    fired.Clear();
                    wheel.Advance(now);
                    Assert.Equal(expected.ToHashSet(), fired.ToHashSet());
                    Assert.Equal(expected.Length, fired.Count);
                    foreach (ModelTimer gone in expected) model.Remove(gone);
                    break;
            }

            Assert.Equal(model.Count, wheel.Count);
            Assert.Equal(model.ContainsKey(timer), timer.IsScheduled);
            long next = wheel.NextDelay(now);
            if (model.Count == 0) Assert.Equal(-1, next);
            else Assert.InRange(next, 0, Math.Max(0, origin + model.Values.Min() * Tick - now)); // a look too early is allowed, one too late is not
        }
    }

    private sealed class Probe(TimerWheelTests owner, string name) : LoopTimer
    {
        public Action? Action { get; set; }

        protected internal override void OnTimer()
        {
            owner._fired.Add(name);
            Action?.Invoke();
        }
    }

    private sealed class ModelTimer(List<ModelTimer> fired) : LoopTimer
    {
        protected internal override void OnTimer() => fired.Add(this);
    }
}
