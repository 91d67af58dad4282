namespace Lb.Core.Tests.Judging;

[Trait("Row", "H32")]
public sealed class FlapJudgeTests
{
    // Times down, within 10; after each: H hold, - not.
    [Theory]
    [InlineData(2, "0 1 2", "--H")]
    [InlineData(2, "0 5 10", "--H")]
    [InlineData(2, "0 5 11", "---")]
    [InlineData(2, "0 5 11 12 13", "---HH")]
    [InlineData(1, "0 10 20 31", "-HH-")]
    [InlineData(3, "0 1 2 3 4 20 21 22 23", "---HH---H")]
    [InlineData(0, "0 0 0 0", "----")]
    [InlineData(2, "-3 -2 -1", "--H")]
    public void More_than_the_flaps_allowed_within_the_while_hold_a_server_down(int flaps, string downs, string verdicts)
    {
        FlapJudge judge = default;
        Assert.Equal(verdicts, string.Concat(downs.Split(' ').Select(d => judge.WentDown(long.Parse(d), 10, flaps) ? 'H' : '-')));
    }

    [Fact]
    public void Another_number_of_flaps_begins_anew()
    {
        FlapJudge judge = default;
        Assert.Equal([false, false, true], Enumerable.Range(0, 3).Select(t => judge.WentDown(t, 10, 2)));
        Assert.Equal([false, false, false, true], Enumerable.Range(3, 4).Select(t => judge.WentDown(t, 10, 3)));
    }

    // An independent statement of the rule, which remembers everything.
    [Fact]
    public void Agrees_with_the_rule_in_plain_words()
    {
        Random random = new(3);
        for (int round = 0; round < 200; round++)
        {
            int flaps = random.Next(1, 7), within = random.Next(1, 50);
            FlapJudge judge = default;
            List<long> downs = [];
            long now = 0;
            for (int i = 0; i < 60; i++)
            {
                downs.Add(now += random.Next(12));
                Assert.Equal(downs.Count(d => now - d <= within) > flaps, judge.WentDown(now, within, flaps));
            }
        }
    }
}
