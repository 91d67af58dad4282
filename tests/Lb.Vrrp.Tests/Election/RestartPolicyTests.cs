namespace Lb.Vrrp.Tests;

[Trait("Row", "V26")]
public sealed class RestartPolicyTests
{
    // One look each 500 ms, + = well; below it what to do: w well, R restart, . wait, X not well.
    [Theory]
    [InlineData(0, "+--+", "wXXw")]
    [InlineData(1, "---", "R.X")]
    [InlineData(3, "---------------", "R.R...R.......X")]
    [InlineData(3, "--+++", "R.www")]
    // It dies again before it was well for the 8 s that come next: the attempts go on counting, and the fourth death is told at once.
    [InlineData(3, "-+-+-+-+", "RwRwRwXw")]
    // Well for 8 s, 16 looks after the first: the attempts are forgotten.
    [InlineData(3, "-+-+-+++++++++++++++++-", "RwRwRwwwwwwwwwwwwwwwwwR")]
    [InlineData(3, "-+-+-++++++++++++++++-", "RwRwRwwwwwwwwwwwwwwwwX")]
    public void Attempts_and_their_waits(int attempts, string looks, string expected)
    {
        RestartPolicy policy = new(attempts, TimeSpan.FromSeconds(1));
        string advice = "";
        for (int i = 0; i < looks.Length; i++)
        {
            advice += policy.Observe(looks[i] == '+', TimeSpan.FromMilliseconds(500 * i)) switch
            {
                RestartAdvice.Well => 'w',
                RestartAdvice.Restart => 'R',
                RestartAdvice.Wait => '.',
                _ => 'X',
            };
        }

        Assert.Equal(expected, advice);
    }

    [Fact]
    public void The_wait_begins_when_the_command_has_ended()
    {
        RestartPolicy policy = new(2, TimeSpan.FromSeconds(1));
        Assert.Equal(RestartAdvice.Restart, policy.Observe(well: false, TimeSpan.Zero));
        policy.Ran(TimeSpan.FromSeconds(20));
        Assert.Equal(RestartAdvice.Wait, policy.Observe(well: false, TimeSpan.FromSeconds(20.9)));
        Assert.Equal(RestartAdvice.Restart, policy.Observe(well: false, TimeSpan.FromSeconds(21)));
        Assert.Equal(2, policy.Tried);
    }

    [Fact]
    public void No_wait_is_longer_than_an_hour()
    {
        RestartPolicy policy = new(100, TimeSpan.FromSeconds(1));
        List<int> at = [];
        for (int second = 0; at.Count < 16; second++)
        {
            if (policy.Observe(well: false, TimeSpan.FromSeconds(second)) == RestartAdvice.Restart) at.Add(second);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600], at.Zip(at.Skip(1), static (a, b) => b - a));
    }
}
