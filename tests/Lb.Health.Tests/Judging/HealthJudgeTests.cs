namespace Lb.Health.Tests.Judging;

[Trait("Row", "H1")]
public sealed class HealthJudgeTests
{
    // Checks: + passed, - failed. Verdicts after each: U up, D down.
    [Theory]
    [InlineData(2, 3, InitState.FullyUp, "---", "UUD")]
    [InlineData(2, 3, InitState.FullyUp, "--+--+---", "UUUUUUUUD")]
    [InlineData(2, 5, InitState.FullyUp, "-----++-----", "UUUUDDUUUUUD")]
    [InlineData(2, 3, InitState.FullyDown, "++", "DU")]
    [InlineData(3, 3, InitState.FullyDown, "++-++-+++", "DDDDDDDDU")]
    [InlineData(1, 1, InitState.FullyUp, "-+-+", "DUDU")]
    [InlineData(1, 3, InitState.FullyUp, "---+---", "UUDUUUD")]
    [InlineData(3, 1, InitState.FullyUp, "-+++-", "DDDUD")]
    public void Counts_checks_in_a_row(int rise, int fall, InitState initial, string checks, string verdicts) =>
        Assert.Equal(verdicts, Play(new HealthJudge(rise, fall, initial), checks));

    [Theory]
    [Trait("Row", "P14")]
    [InlineData(InitState.FullyUp, 'U', "-", "U")]
    [InlineData(InitState.FullyUp, 'U', "---", "UUD")]
    [InlineData(InitState.Up, 'U', "-++", "DDU")]
    [InlineData(InitState.Up, 'U', "+---", "UUUD")]
    [InlineData(InitState.Down, 'D', "+---", "UUUD")]
    [InlineData(InitState.Down, 'D', "-++", "DDU")]
    [InlineData(InitState.None, 'D', "+---", "UUUD")]
    [InlineData(InitState.None, 'D', "-++", "DDU")]
    [InlineData(InitState.FullyDown, 'D', "+", "D")]
    [InlineData(InitState.FullyDown, 'D', "++", "DU")]
    public void Starts_in_the_initial_state(InitState initial, char before, string checks, string verdicts)
    {
        HealthJudge judge = new(2, 3, initial);
        Assert.Equal(before == 'U', judge.IsUp);
        Assert.Equal(verdicts, Play(judge, checks));
    }

    [Fact]
    [Trait("Row", "H2")]
    public void Is_in_transition_until_the_verdict_is_clear()
    {
        HealthJudge judge = new(2, 3);
        Assert.Equal((true, false, false), (judge.IsInTransition, judge.IsFullyDown, judge.IsChecked));
        (bool Passed, bool InTransition, bool FullyDown, int Consecutive)[] steps =
        [
            (true, false, false, 1), (false, true, false, -1), (false, true, false, -2), (true, false, false, 1),
            (false, true, false, -1), (false, true, false, -2), (false, false, true, -3), (false, false, true, -4),
            (true, true, false, 1), (false, false, true, -1), (true, true, false, 1), (true, false, false, 2), (true, false, false, 3),
        ];
        foreach ((bool passed, bool inTransition, bool fullyDown, int consecutive) in steps)
        {
            judge.Observe(passed);
            Assert.Equal((inTransition, fullyDown, consecutive), (judge.IsInTransition, judge.IsFullyDown, judge.Consecutive));
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void Refuses_to_count_to_zero(int rise, int fall) => Assert.Throws<ArgumentOutOfRangeException>(() => new HealthJudge(rise, fall));

    // An independent statement of the rule: the verdict flips exactly when the last `needed` checks all speak against it.
    [Fact]
    public void Agrees_with_the_rule_in_plain_words()
    {
        Random random = new(7);
        for (int round = 0; round < 200; round++)
        {
            int rise = random.Next(1, 6), fall = random.Next(1, 6);
            HealthJudge judge = new(rise, fall, InitState.FullyUp);
            bool up = true;
            List<bool> history = [];
            for (int i = 0; i < 100; i++)
            {
                bool passed = random.Next(3) > 0 == up;
                history.Add(passed);
                int needed = up ? fall : rise;
                bool flips = history.Count >= needed && history.TakeLast(needed).All(p => p != up);
                Assert.Equal(flips, judge.Observe(passed));
                up ^= flips;
                Assert.Equal(up, judge.IsUp);
            }
        }
    }

    // f: callers failed with fail-check, i: fastinter, d: sudden-death, m: mark-down. Worked out by hand from __health_adjust and set_server_check_status
    // of HAProxy 2.6's src/check.c; with 2 and 3 the server is up from 2 and fully up at 4.
    [Theory]
    [Trait("Row", "H22")]
    [InlineData(2, 3, InitState.FullyUp, "fff", "UUD")]
    [InlineData(2, 3, InitState.FullyUp, "f--", "UUD")]
    [InlineData(2, 3, InitState.FullyUp, "--f", "UUD")]
    [InlineData(2, 3, InitState.FullyUp, "f+--f", "UUUUD")]
    [InlineData(2, 3, InitState.FullyUp, "iiiii", "UUUUU")]
    [InlineData(2, 3, InitState.FullyUp, "d-", "UD")]
    [InlineData(2, 3, InitState.FullyUp, "d+---", "UUUUD")]
    [InlineData(2, 3, InitState.FullyUp, "-d-", "UUD")]
    [InlineData(2, 3, InitState.FullyUp, "--d", "UUD")]
    [InlineData(2, 3, InitState.FullyUp, "dd", "UD")]
    [InlineData(2, 9, InitState.FullyUp, "d-", "UD")]
    [InlineData(2, 1, InitState.FullyUp, "d", "D")]
    [InlineData(2, 1, InitState.FullyUp, "f", "D")]
    [InlineData(2, 3, InitState.FullyUp, "m++", "DDU")]
    [InlineData(1, 9, InitState.FullyUp, "m+m", "DUD")]
    [InlineData(2, 3, InitState.Up, "f", "D")]
    [InlineData(2, 3, InitState.FullyDown, "+f+", "DDD")]
    [InlineData(2, 3, InitState.FullyDown, "+d++", "DDDU")]
    [InlineData(2, 3, InitState.FullyDown, "+m++", "DDDU")]
    [InlineData(2, 3, InitState.FullyDown, "+i+", "DDU")]
    public void Failures_of_callers_count_as_the_reaction_says(int rise, int fall, InitState initial, string checks, string verdicts) =>
        Assert.Equal(verdicts, Play(new HealthJudge(rise, fall, initial), checks));

    private static string Play(HealthJudge judge, string checks)
    {
        string verdicts = "";
        foreach (char check in checks)
        {
            bool before = judge.IsUp;
            bool flipped = check switch
            {
                'f' => judge.React(OnError.FailCheck),
                'i' => judge.React(OnError.FastInter),
                'd' => judge.React(OnError.SuddenDeath),
                'm' => judge.React(OnError.MarkDown),
                _ => judge.Observe(check == '+'),
            };
            Assert.Equal(before != judge.IsUp, flipped);
            verdicts += judge.IsUp ? 'U' : 'D';
        }

        return verdicts;
    }
}
