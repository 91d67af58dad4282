namespace Lb.Core.Tests.Judging;

[Trait("Row", "H23")]
public sealed class OutlierJudgeTests
{
    // Envoy: 100 * (ejected + 1) / hosts <= percent, or the first one; never the last is ours.
    [Theory]
    [InlineData(0, 10, 0)]
    [InlineData(1, 100, 0)]
    [InlineData(2, 10, 1)]
    [InlineData(2, 0, 1)]
    [InlineData(19, 10, 1)]
    [InlineData(20, 10, 2)]
    [InlineData(29, 10, 2)]
    [InlineData(3, 100, 2)]
    [InlineData(3, 67, 2)]
    [InlineData(3, 66, 1)]
    [InlineData(65_535, 100, 65_534)]
    public void A_share_may_be_out_but_always_one_and_never_the_last(int servers, int percent, int most) => Assert.Equal(most, OutlierJudge.MostEjected(servers, percent));

    // Envoy: min(base * times, max) + jitter; defaults 30 s and 300 s.
    [Theory]
    [InlineData(0, 0, 0, 30)]
    [InlineData(1, 0, 0, 30)]
    [InlineData(2, 0, 0, 60)]
    [InlineData(9, 0, 0, 270)]
    [InlineData(10, 0, 0, 300)]
    [InlineData(11, 0, 0, 300)]
    [InlineData(int.MaxValue, 0, 0, 300)]
    [InlineData(1, 10, 0.5, 35)]
    [InlineData(int.MaxValue, 10, 1, 310)]
    public void Each_time_out_is_longer_up_to_the_longest(int times, int jitter, double chance, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), OutlierJudge.EjectionTime(times, new OutlierOptions { EjectionJitter = TimeSpan.FromSeconds(jitter) }, chance));

    // Rates as successes/total. The first row is the example in Envoy's source: mean 90, deviation 20, threshold 52.
    [Theory]
    [InlineData(1900, "100/200 200/200 200/200 200/200 200/200", "0")]
    [InlineData(1900, "104/200 200/200 200/200 200/200 200/200", "0")]
    [InlineData(2000, "100/200 200/200 200/200 200/200 200/200", "")]
    [InlineData(1999, "100/200 200/200 200/200 200/200 200/200", "0")]
    [InlineData(1900, "100/200 200/200 200/200 200/200", "")]
    [InlineData(1900, "100/200 200/200 200/200 200/200 99/99", "")]
    [InlineData(1900, "50/100 100/100 100/100 100/100 100/100", "0")]
    [InlineData(1900, "0/99 100/200 200/200 200/200 200/200 200/200 0/0", "1")]
    [InlineData(1900, "200/200 200/200 200/200 200/200 200/200", "")]
    [InlineData(1, "33/100 33/100 33/100 33/100 33/100 33/100", "")]
    [InlineData(1, "13/101 13/101 13/101 13/101 13/101", "")]
    [InlineData(1900, "0/200 0/200 200/200 200/200 200/200 200/200 200/200", "")]
    [InlineData(1500, "10/200 0/200 200/200 200/200 200/200 200/200 200/200", "1 0")]
    [InlineData(0, "0/200 200/200 200/200 200/200 200/200 200/200 200/200", "")]
    public void Success_rates_are_compared_with_those_of_the_others(int factor, string counts, string found) =>
        Assert.Equal(found, Find(counts, new OutlierOptions { SuccessRateStdevFactor = factor }, EjectionReason.SuccessRate));

    [Theory]
    [InlineData(85, "15/100 50/50 50/50 50/50 50/50", "0")]
    [InlineData(85, "16/100 50/50 50/50 50/50 50/50", "")]
    [InlineData(85, "15/100 50/50 50/50 50/50", "")]
    [InlineData(85, "0/49 50/50 50/50 50/50 50/50", "")]
    [InlineData(85, "0/50 50/50 50/50 50/50 50/50", "0")]
    [InlineData(50, "20/50 0/50 25/50 26/50 10/50", "1 4 0 2")]
    [InlineData(50, "25/50 25/50 25/50 25/50 25/50", "0 1 2 3 4")]
    [InlineData(100, "0/50 1/50 50/50 50/50 0/50", "0 4")]
    [InlineData(0, "0/50 0/50 0/50 0/50 0/50", "")]
    public void Too_many_failures_are_found_without_comparing(int percentage, string counts, string found) =>
        Assert.Equal(found, Find(counts, new OutlierOptions { SuccessRateStdevFactor = 0, FailurePercentage = percentage }, EjectionReason.FailurePercentage));

    [Fact]
    public void A_server_is_found_once_for_the_first_reason_and_earlier_finds_stay()
    {
        List<(int, EjectionReason)> found = [(0, EjectionReason.ConsecutiveFailures)];
        OutlierJudge.FindByRate(Counts("10/200 200/200 200/200 200/200 200/200 25/50"), new OutlierOptions { FailurePercentage = 50 }, found);
        Assert.Equal([(0, EjectionReason.ConsecutiveFailures), (0, EjectionReason.SuccessRate), (5, EjectionReason.FailurePercentage)], found);
    }

    // An independent statement of the rule, with the population's variance as mean of squares less square of mean.
    [Fact]
    public void Agrees_with_the_rule_in_plain_words()
    {
        Random random = new(11);
        OutlierOptions options = new() { SuccessRateStdevFactor = 1000, SuccessRateMinimumHosts = 3, SuccessRateRequestVolume = 50, };
        int hits = 0;
        for (int round = 0; round < 500; round++)
        {
            LeaseCounts[] counts = [.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => new LeaseCounts(random.Next(100), random.Next(100)))];
            int[] judged = [.. Enumerable.Range(0, counts.Length).Where(i => counts[i].Successes + counts[i].Failures >= 50)];
            int[] expected = [];
            if (judged.Length >= 3)
            {
                double[] rates = [.. judged.Select(i => (double)counts[i].Successes / (counts[i].Successes + counts[i].Failures))];
                double limit = rates.Average() - Math.Sqrt(rates.Average(static r => r * r) - Math.Pow(rates.Average(), 2));
                expected = [.. judged.Where((_, k) => rates[k] < limit - 1e-9)];
            }

            List<(int Index, EjectionReason Reason)> found = [];
            OutlierJudge.FindByRate(counts, options, found);
            Assert.Equal(expected, found.Select(static f => f.Index).Order());
            Assert.Equal(found.OrderBy(f => (double)counts[f.Index].Successes / (counts[f.Index].Successes + counts[f.Index].Failures)), found);
            hits += found.Count;
        }

        Assert.True(hits > 100);
    }

    private static string Find(string counts, OutlierOptions options, EjectionReason reason)
    {
        List<(int Index, EjectionReason Reason)> found = [];
        OutlierJudge.FindByRate(Counts(counts), options, found);
        Assert.All(found, f => Assert.Equal(reason, f.Reason));
        return string.Join(' ', found.Select(static f => f.Index));
    }

    private static LeaseCounts[] Counts(string text) =>
        [.. text.Split(' ').Select(static t => t.Split('/')).Select(static p => new LeaseCounts(long.Parse(p[0]), long.Parse(p[1]) - long.Parse(p[0])))];
}
