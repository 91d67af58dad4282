using FsCheck;
using FsCheck.Fluent;

namespace Lb.Core.Tests.Judging;

[Trait("Row", "P5")]
[Trait("Row", "P6")]
public sealed class SlowStartTests
{
    // HAProxy's server_recalc_eweight in its own integers: weight * ((16 * t + s) / s) with t and s in whole seconds.
    [Theory]
    [InlineData(1, 10)]
    [InlineData(100, 30)]
    [InlineData(256, 60)]
    [InlineData(7, 1)]
    [InlineData(3, 86_400)]
    public void Weights_are_those_of_haproxy(int weight, int window)
    {
        SlowStart slow = Steps(TimeSpan.FromSeconds(window));
        Assert.Equal(16, slow.Scale);
        for (int t = 0; t < window; t++)
        {
            int expected = weight * (((16 * t) + window) / window);
            Assert.Equal(expected, slow.LiveWeight(weight, TimeSpan.FromSeconds(t)));
            Assert.Equal(expected, slow.LiveWeight(weight, TimeSpan.FromSeconds(t) + TimeSpan.FromMilliseconds(999)));
        }

        Assert.Equal(16 * weight, slow.LiveWeight(weight, TimeSpan.FromSeconds(window)));
        Assert.Equal(16 * weight, slow.LiveWeight(weight, TimeSpan.MaxValue));
    }

    // By hand: 1 + 16 * t / 10.
    [Fact]
    public void Ten_seconds_are_ten_steps() =>
        Assert.Equal([1, 2, 4, 5, 7, 9, 10, 12, 13, 15, 16], Enumerable.Range(0, 11).Select(static t => Steps(TimeSpan.FromSeconds(10)).LiveWeight(1, TimeSpan.FromSeconds(t))));

    [Theory]
    [InlineData(0, 1)]
    [InlineData(49, 1)]
    [InlineData(50, 2)]
    [InlineData(400, 9)]
    [InlineData(799, 16)]
    [InlineData(800, 16)]
    public void A_window_below_a_second_has_steps_too(int elapsed, int live) =>
        Assert.Equal(live, Steps(TimeSpan.FromMilliseconds(800)).LiveWeight(1, TimeSpan.FromMilliseconds(elapsed)));

    [Theory]
    [InlineData(10_000, 0, 1_000)]
    [InlineData(10_000, 300, 700)]
    [InlineData(10_000, 9_500, 500)]
    [InlineData(10_000, 10_000, 0)]
    [InlineData(10_000, 11_000, 0)]
    [InlineData(60_000, 0, 3_000)]
    [InlineData(60_000, 2_900, 100)]
    [InlineData(60_000, 59_000, 1_000)]
    [InlineData(1_500, 1_000, 500)]
    [InlineData(800, 0, 40)]
    [InlineData(800, 790, 10)]
    [InlineData(100, 0, 10)]
    [InlineData(3, 1, 2)]
    [InlineData(0, 0, 0)]
    [InlineData(10_000, -5, 1_000)]
    public void A_step_is_a_second_or_a_twentieth(int window, int elapsed, int next) =>
        Assert.Equal(TimeSpan.FromMilliseconds(next), Steps(TimeSpan.FromMilliseconds(window)).StepAfter(TimeSpan.FromMilliseconds(elapsed)));

    // Envoy's own figures for the factor: (5/60)^(1/2) = 0.28, (9/10)^(1/1.5) = 0.93 (its round robin tests); the others by hand, times 6400.
    [Theory]
    [InlineData(60, 200, 10, 5_000, 1848)]
    [InlineData(10, 150, 10, 9_000, 5966)]
    [InlineData(10, 100, 10, 0, 640)]
    [InlineData(10, 100, 10, 999, 640)]
    [InlineData(10, 100, 10, 2_500, 1600)]
    [InlineData(10, 50, 10, 5_000, 1600)]
    [InlineData(10, 50, 10, 3_000, 640)]
    [InlineData(10, 100, 1, 0, 64)]
    [InlineData(10, 10_000, 10, 0, 5837)]
    [InlineData(10, 100, 10, 10_000, 6400)]
    [InlineData(0, 100, 10, 0, 6400)]
    public void The_curve_is_that_of_envoy(int seconds, int aggression, int minimum, int elapsed, int live)
    {
        SlowStart slow = new(TimeSpan.FromSeconds(seconds), SlowStartCurve.Aggression, aggression, minimum);
        Assert.Equal(64, slow.Scale);
        Assert.Equal(live, slow.LiveWeight(100, TimeSpan.FromMilliseconds(elapsed)));
    }

    [Fact]
    public void The_curve_is_worked_out_twenty_times()
    {
        SlowStart slow = new(TimeSpan.FromSeconds(10), SlowStartCurve.Aggression, 100, 10);
        TimeSpan elapsed = TimeSpan.Zero;
        int steps = 0;
        while (slow.StepAfter(elapsed) is { Ticks: > 0 } step)
        {
            elapsed += step;
            steps++;
        }

        Assert.Equal((20, TimeSpan.FromSeconds(10)), (steps, elapsed));
    }

    // HAProxy's srv_dynamic_maxconn: whole percents of whole seconds, at least 1. One second of 30 is 3 %, seven are 23 %.
    [Theory]
    [InlineData(1000, 0, 1)]
    [InlineData(1000, 1_000, 30)]
    [InlineData(1000, 1_999, 30)]
    [InlineData(1000, 7_000, 230)]
    [InlineData(1000, 29_000, 960)]
    [InlineData(1000, 30_000, 1000)]
    [InlineData(10, 5_000, 1)]
    [InlineData(1, 15_000, 1)]
    [InlineData(0, 0, 0)]
    [InlineData(0, 15_000, 0)]
    [InlineData(16_000_000, 15_000, 8_000_000)]
    public void The_limit_grows_as_that_of_haproxy(int limit, int elapsed, int now) =>
        Assert.Equal(now, Steps(TimeSpan.FromSeconds(30)).Limit(limit, TimeSpan.FromMilliseconds(elapsed)));

    [Theory]
    [InlineData(0, 100)]
    [InlineData(5_000, 500)]
    [InlineData(10_000, 1000)]
    public void With_the_curve_the_limit_goes_the_way_of_the_weight(int elapsed, int now) =>
        Assert.Equal(now, new SlowStart(TimeSpan.FromSeconds(10), SlowStartCurve.Aggression, 100, 10).Limit(1000, TimeSpan.FromMilliseconds(elapsed)));

    [Fact]
    public void No_weight_stays_none() => Assert.Equal(0, Steps(TimeSpan.FromSeconds(10)).LiveWeight(0, TimeSpan.FromSeconds(5)));

    [Fact]
    public void Weight_and_limit_only_grow_and_stay_in_bounds()
    {
        Gen<(int, int, (int, int))> cases = Gen.Choose(0, 100_000).Zip(Gen.Choose(1, 256)).Zip(Gen.Choose(0, 2 * 10_000).Zip(Gen.Choose(0, 400)))
            .Select(static t => (t.Item1.Item1, t.Item1.Item2, t.Item2));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000).WithReplay(20300101, 1), Prop.ForAll(cases.ToArbitrary(), static given =>
        {
            (int window, int weight, (int elapsed, int shape)) = given;
            SlowStart slow = new(TimeSpan.FromMilliseconds(window), shape % 2 == 0 ? SlowStartCurve.Steps : SlowStartCurve.Aggression, 1 + shape, 1 + (shape % 100));
            TimeSpan time = TimeSpan.FromMilliseconds(elapsed), next = time + slow.StepAfter(time);
            int live = slow.LiveWeight(weight, time), limit = slow.Limit(weight, time);
            Assert.InRange(live, 1, weight * slow.Scale);
            Assert.InRange(limit, 1, weight);
            Assert.InRange(slow.LiveWeight(weight, next), live, weight * slow.Scale);
            Assert.InRange(slow.Limit(weight, next), limit, weight);
            Assert.Equal(next == time, elapsed >= window);
            if (elapsed >= window) Assert.Equal((weight * slow.Scale, weight), (live, limit));
        }));
    }

    private static SlowStart Steps(TimeSpan window) => new(window, SlowStartCurve.Steps, 100, 10);
}
