namespace Lb.Core.Tests.Judging;

[Trait("Row", "H24")]
public sealed class FailWindowTests
{
    // Failures at these times (+ = the trial succeeded), window 10; after each failure: O out, - in use.
    [Theory]
    [InlineData(1, "0", "O")]
    [InlineData(1, "-5", "O")]
    [InlineData(3, "0 1 2", "--O")]
    [InlineData(3, "0 10 20", "--O")]
    [InlineData(3, "0 10 21 22 23", "----O")]
    [InlineData(2, "0 11 22 33", "----")]
    [InlineData(2, "0 1 2", "-OO")]
    [InlineData(2, "0 1 100", "-OO")]
    [InlineData(2, "0 1 + 12 13", "-O-O")]
    [InlineData(2, "0 1 100 + 101 102", "-OO-O")]
    [InlineData(0, "0 0 0", "---")]
    public void Fails_as_nginx_counts_them_take_a_server_out(int maxFails, string failures, string verdicts)
    {
        FailWindow window = default;
        string seen = "";
        foreach (string failure in failures.Split(' '))
        {
            if (failure == "+") window.TrialSucceeded();
            else seen += window.Observe(long.Parse(failure), 10, maxFails) ? 'O' : '-';
        }

        Assert.Equal(verdicts, seen);
    }

    // nginx's own variables: fails, accessed, checked, as picks and ends of requests change them. Each request is picked and ends at the same second,
    // and the first one after the window succeeds, so that both forget at the same time.
    [Fact]
    public void Agrees_with_the_variables_of_nginx()
    {
        Random random = new(5);
        int outs = 0;
        for (int round = 0; round < 300; round++)
        {
            const int timeout = 10;
            int maxFails = random.Next(1, 5), fails = 0, accessed = 0, check = 0;
            FailWindow window = default;
            bool isOut = false;
            int outSince = 0;
            for (int now = 100; now < 400; now++)
            {
                // The pick of nginx: skipped while it has failed too often and was checked within the time-out.
                bool skipped = fails >= maxFails && now - check <= timeout;
                Assert.Equal(skipped, isOut && now - outSince <= timeout);
                if (skipped) continue;
                bool isFirst = now - check > timeout;
                if (isFirst) check = now;

                if (random.Next(4) == 0 && (isOut || !isFirst))
                {
                    fails++;
                    accessed = check = now;
                    bool trial = isOut;
                    isOut = window.Observe(now, timeout, maxFails);
                    Assert.True(isOut || !trial);
                    if (isOut) outSince = now;
                    outs += isOut ? 1 : 0;
                }
                else
                {
                    if (accessed < check) fails = 0;
                    if (isOut) window.TrialSucceeded();
                    isOut = false;
                }

                Assert.Equal(fails >= maxFails, isOut);
            }
        }

        Assert.True(outs > 1000);
    }
}
