using Lb.Testing;
using static Lb.Core.Tests.TinyScenario;

namespace Lb.Core.Tests;

/// <summary>Distributions of the simulator against their textbook moments.</summary>
public sealed class ChanceTests
{
    private const int Draws = 200_000;

    private static double[] Draw(ServiceTime time)
    {
        SimulationRandom random = new(1);
        double[] draws = new double[Draws];
        for (int i = 0; i < Draws; i++) draws[i] = time.Draw(ref random) / TimeSpan.TicksPerMillisecond;
        Array.Sort(draws);
        return draws;
    }

    private static double Deviation(double[] values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Average(v => (v - mean) * (v - mean)));
    }

    [Fact]
    public void Exponential_work_has_the_mean_the_deviation_and_the_median()
    {
        double[] draws = Draw(ServiceTime.Exponential(Ms(10)));
        Assert.Equal(10, draws.Average(), 0.1);
        Assert.Equal(10, Deviation(draws), 0.15);
        Assert.Equal(10 * Math.Log(2), draws[Draws / 2], 0.1);
    }

    [Fact]
    public void Lognormal_work_has_the_mean_the_median_and_the_tail()
    {
        double[] draws = Draw(ServiceTime.LogNormal(Ms(10), 1.5));
        Assert.Equal(10, draws.Average(), 0.3);
        double median = 10 * Math.Exp(-1.5 * 1.5 / 2);
        Assert.Equal(median, draws[Draws / 2], 0.05);

        // 2.3263 deviations hold 99 % of a normal distribution.
        Assert.Equal(median * Math.Exp(1.5 * 2.3263), draws[Draws * 99 / 100], 3.0);
    }

    [Fact]
    public void Normal_work_has_the_mean_and_the_deviation_and_is_never_negative()
    {
        double[] draws = Draw(ServiceTime.Normal(Ms(167), Ms(5)));
        Assert.Equal(167, draws.Average(), 0.05);
        Assert.Equal(5, Deviation(draws), 0.05);
        Assert.True(Draw(ServiceTime.Normal(Ms(1), Ms(50)))[0] >= 0);
    }

    [Fact]
    public void Bimodal_and_measured_work_take_their_values_only()
    {
        double[] draws = Draw(ServiceTime.Bimodal(Ms(5), Ms(100), 0.1));
        Assert.Equal([5, 100], draws.Distinct());
        Assert.Equal(0.1, draws.Count(static d => d == 100) / (double)Draws, 0.005);

        double[] measured = Draw(ServiceTime.Measured([Ms(1), Ms(2), Ms(2), Ms(7)]));
        Assert.Equal([1, 2, 7], measured.Distinct());
        Assert.Equal(0.5, measured.Count(static d => d == 2) / (double)Draws, 0.005);
    }

    private static long[] Times(Arrivals arrivals, int count)
    {
        SimulationRandom random = new(1);
        long[] times = new long[count];
        for (int i = 0; i < count; i++) times[i] = arrivals.Next(i, i == 0 ? 0 : times[i - 1], ref random);
        return times;
    }

    [Theory]
    [InlineData(5600)]
    [InlineData(640_000)]
    public void Independent_arrivals_keep_the_rate_and_vary_as_much_as_it(double rate)
    {
        long[] times = Times(Arrivals.Poisson(rate), Draws);
        Assert.Equal(rate, Draws / TimeSpan.FromTicks(times[^1]).TotalSeconds, rate / 100);

        // Counts in equal windows: variance = mean is what makes a Poisson process.
        long window = times[^1] / 2000;
        double[] counts = [.. times.GroupBy(t => t / window).Where(static g => g.Key < 2000).Select(static g => (double)g.Count())];
        Assert.Equal(1, Math.Pow(Deviation(counts), 2) / counts.Average(), 0.1);
    }

    [Fact]
    public void Bursts_come_at_the_start_of_each_period()
    {
        long[] times = Times(Arrivals.Bursts(1000, 5000, Ms(100), Ms(1000)), 140_000);
        double periods = TimeSpan.FromTicks(times[^1]).TotalSeconds;

        // 500 in the first tenth of each second, 900 in the rest.
        Assert.Equal(100, periods, 1.5);
        Assert.Equal(500 / 1400.0, times.Count(static t => t % TimeSpan.TicksPerSecond < TimeSpan.TicksPerSecond / 10) / 140_000.0, 0.01);
    }

    [Fact]
    public void Even_and_given_arrivals_come_when_they_are_said_to()
    {
        Assert.Equal([0, 30_000, 60_000], Times(Arrivals.Every(Ms(3)), 3));
        Assert.Equal([10_000, 10_000, long.MaxValue], Times(Arrivals.At(Ms(1), Ms(1)), 3));
        Assert.Throws<ArgumentException>(() => Arrivals.At(Ms(2), Ms(1)));
        Assert.Throws<ArgumentException>(() => Arrivals.At(Ms(-1)));
    }

    [Fact]
    public void Values_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Arrivals.Poisson(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Arrivals.Bursts(2, 1, Ms(1), Ms(2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Arrivals.Bursts(1, 2, Ms(2), Ms(2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => ServiceTime.Constant(Ms(0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => ServiceTime.Bimodal(Ms(1), Ms(1), 1.1));
        Assert.Throws<ArgumentException>(() => ServiceTime.Measured([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ServerCondition.Slow(Ms(1), Ms(2), 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => ServerCondition.Pause(Ms(2), Ms(2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => ServerCondition.ColdStart(Ms(2), Ms(2), 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ServerCondition.Antagonists(Ms(2), 1.1, 1));
    }
}
