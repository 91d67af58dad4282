namespace Lb.Core.Tests.Judging;

[Trait("Row", "H31")]
public sealed class CircuitJudgeTests
{
    // + success, x failure, one a second; after each failure: O opens, - does not.
    [Theory]
    [InlineData(3, "xxx", "--O")]
    [InlineData(3, "xx+xx+xxx", "------O")]
    [InlineData(1, "+++x", "O")]
    [InlineData(0, "xxxxxxxx", "--------")]
    [InlineData(3, "xxxxx", "--O--")]
    public void Failures_in_a_row_open_it(int consecutive, string leases, string verdicts) =>
        Assert.Equal(verdicts, Play(new CircuitRule(consecutive, 0, 20, 10, 30, 1), leases));

    // The window begins with a failure and lasts 10 seconds, its end included. A dot is a second in which nothing ends.
    [Theory]
    [InlineData(50, 4, "x+x+x", "--O")]
    [InlineData(50, 4, "x++x", "-O")]
    [InlineData(50, 4, "x+++x", "--")]
    [InlineData(50, 5, "x++xx", "--O")]
    [InlineData(50, 2, "+++++++++xx", "-O")]
    [InlineData(50, 2, "x.........x", "-O")]
    [InlineData(50, 2, "x..........x", "--")]
    [InlineData(50, 2, "x..........xx", "--O")]
    [InlineData(100, 3, "xx+xxxxxxx", "---------")]
    [InlineData(100, 3, "xxx", "--O")]
    [InlineData(1, 1, "x", "O")]
    [InlineData(0, 1, "xxx", "---")]
    [InlineData(67, 3, "x+x", "--")]
    [InlineData(66, 3, "x+x", "-O")]
    public void A_percentage_in_the_window_opens_it(int percentage, int minimum, string leases, string verdicts) =>
        Assert.Equal(verdicts, Play(new CircuitRule(0, percentage, minimum, 10, 30, 1), leases));

    [Fact]
    public void What_was_before_the_window_does_not_count()
    {
        CircuitJudge judge = default;
        CircuitRule rule = new(0, 50, 2, 10, 30, 1);
        Assert.False(judge.Failed(0, 1_000_000, 501, rule));
        Assert.True(judge.Failed(1, 1_000_000, 502, rule));
        Assert.Equal(CircuitState.Open, judge.State);
    }

    // Ends of the leases of a trial: + success, x failure. Verdicts: s still trying, c close, o open again.
    [Theory]
    [InlineData(1, "+", "c", true)]
    [InlineData(1, "x", "o", false)]
    [InlineData(3, "+++", "ssc", true)]
    [InlineData(3, "++x", "sso", false)]
    [InlineData(3, "x++", "oss", false)]
    [InlineData(2, "++x", "scs", true)]
    [InlineData(2, "xx+", "oss", false)]
    public void A_trial_closes_it_or_opens_it_again(int leases, string ends, string verdicts, bool isClosed)
    {
        CircuitJudge judge = default;
        Assert.True(judge.Failed(0, 0, 1, new CircuitRule(1, 0, 20, 10, 30, leases)));
        judge.BeginTrial(leases);
        Assert.Equal((CircuitState.HalfOpen, leases), (judge.State, judge.TrialsLeft));
        string seen = string.Concat(ends.Select(end => judge.TrialEnded(end == '+') switch
        {
            TrialVerdict.Close => 'c',
            TrialVerdict.OpenAgain => 'o',
            _ => 's',
        }));
        Assert.Equal((verdicts, isClosed ? CircuitState.Closed : CircuitState.Open, 0), (seen, judge.State, judge.TrialsLeft));
    }

    [Fact]
    public void Late_ends_change_nothing_while_it_is_open_or_tried()
    {
        CircuitJudge judge = default;
        CircuitRule rule = new(1, 1, 1, 10, 30, 2);
        Assert.True(judge.Failed(0, 0, 1, rule));
        Assert.False(judge.Failed(1, 0, 2, rule));
        Assert.Equal(TrialVerdict.StillTrying, judge.TrialEnded(success: true));
        judge.BeginTrial(2);
        judge.Succeeded();
        Assert.False(judge.Failed(2, 0, 3, rule));
        Assert.Equal((CircuitState.HalfOpen, 2), (judge.State, judge.TrialsLeft));
    }

    [Fact]
    public void A_closed_circuit_begins_to_count_anew()
    {
        CircuitJudge judge = default;
        CircuitRule rule = new(3, 60, 3, 1000, 30, 1);
        Assert.Equal([false, false, true], Enumerable.Range(1, 3).Select(n => judge.Failed(n, 0, n, rule)));
        judge.BeginTrial(1);
        Assert.Equal(TrialVerdict.Close, judge.TrialEnded(success: true));
        Assert.Equal([false, false, true], Enumerable.Range(4, 3).Select(n => judge.Failed(n, 1, n, rule)));
    }

    [Theory]
    [InlineData(10_000_000, 100_000_000, 300_000_000)]
    [InlineData(1_000_000_000, 10_000_000_000, 30_000_000_000)]
    [InlineData(3, 30, 90)]
    public void The_rule_is_that_of_the_options_in_timestamps(long frequency, long window, long openFor)
    {
        CircuitBreakerOptions options = new() { ConsecutiveFailures = 1, FailurePercentage = 2, MinimumRequests = 3, HalfOpenRequests = 4 };
        Assert.Equal(new CircuitRule(1, 2, 3, window, openFor, 4), CircuitRule.From(options, frequency));
    }

    [Fact]
    public void The_longest_duration_does_not_overflow() =>
        Assert.Equal(24L * 86_400 * 1_000_000_000, CircuitRule.From(new CircuitBreakerOptions { OpenFor = TimeSpan.FromDays(24) }, 1_000_000_000).OpenFor);

    private static string Play(CircuitRule rule, string leases)
    {
        CircuitJudge judge = default;
        long successes = 0, failures = 0;
        string seen = "";
        for (int now = 0; now < leases.Length; now++)
        {
            switch (leases[now])
            {
                case '+':
                    successes++;
                    judge.Succeeded();
                    break;
                case 'x':
                    failures++;
                    seen += judge.Failed(now, successes, failures, rule) ? 'O' : '-';
                    break;
            }
        }

        return seen;
    }
}
