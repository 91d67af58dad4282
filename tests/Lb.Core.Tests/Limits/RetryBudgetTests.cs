namespace Lb.Core.Tests.Limits;

[Trait("Row", "R7")]
public sealed class RetryBudgetTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    // Envoy: as many at a time as max(minimum, percent of the active), rounded down.
    [Theory]
    [InlineData(20, 3, 0, 3)]
    [InlineData(20, 3, 15, 3)]
    [InlineData(20, 3, 19, 3)]
    [InlineData(20, 3, 20, 4)]
    [InlineData(20, 3, 100, 20)]
    [InlineData(20, 0, 4, 0)]
    [InlineData(20, 0, 5, 1)]
    [InlineData(0, 0, 1000, 0)]
    [InlineData(0, 2, 1000, 2)]
    [InlineData(100, 0, 7, 7)]
    public void As_many_go_at_a_time_as_the_load_allows(int percent, int minimum, long active, int most)
    {
        RetryBudget budget = new(new RetryBudgetOptions { Percent = percent, Minimum = minimum }, () => active);
        for (int i = 0; i < most; i++) Assert.True(budget.TryBegin());
        Assert.False(budget.TryBegin());
        Assert.Equal((most, 1L), (budget.Active, budget.Refused));
        if (most == 0) return;
        budget.End();
        Assert.True(budget.TryBegin());
        Assert.Equal((most, 1L), (budget.Active, budget.Refused));
    }

    [Fact]
    public void The_load_is_asked_for_each_time()
    {
        long load = 50;
        RetryBudget budget = new(new RetryBudgetOptions { Minimum = 0 }, () => load);
        for (int i = 0; i < 10; i++) Assert.True(budget.TryBegin());
        Assert.False(budget.TryBegin());
        load = 55;
        Assert.True(budget.TryBegin());
        load = 0;
        Assert.False(budget.TryBegin());
        Assert.Equal((11, 2L), (budget.Active, budget.Refused));
    }

    // gRFC A6, 10 tokens, 0.1 for a success: x failure, + success; after each whether a retry may go: y or n. Ten tokens less five are half: not enough.
    [Theory]
    [InlineData(10, 100, "xxxxx", "yyyyn")]
    [InlineData(10, 100, "xxxxx+", "yyyyny")]
    [InlineData(10, 100, "xxxxxx++++++++++", "yyyynnnnnnnnnnnn")]
    [InlineData(10, 100, "xxxxxx+++++++++++", "yyyynnnnnnnnnnnny")]
    [InlineData(10, 100, "++++xxxxx", "yyyyyyyyn")]
    [InlineData(4, 1000, "xxxxxxx+++x", "ynnnnnnnnyn")]
    [InlineData(3, 500, "x+xx", "yynn")]
    [InlineData(1, 1_000_000, "x+x+", "nyny")]
    [InlineData(0, 100, "xxxxxxxxxxxxxxxx", "yyyyyyyyyyyyyyyy")]
    public void Retries_stop_while_too_much_fails(int tokens, int ratio, string ends, string allowed)
    {
        RetryBudget budget = new(new RetryBudgetOptions { MaxTokens = tokens, TokenRatio = ratio }, static () => 0);
        string seen = "";
        foreach (char end in ends)
        {
            if (end == 'x') budget.Failed();
            else budget.Succeeded();
            bool begun = budget.TryBegin();
            if (begun) budget.End();
            seen += begun ? 'y' : 'n';
        }

        Assert.Equal(allowed, seen);
        Assert.Equal((0, (long)seen.Count(static c => c == 'n')), (budget.Active, budget.Refused));
    }

    [Fact]
    public void More_ends_than_claims_are_refused_and_change_nothing()
    {
        RetryBudget budget = new(new RetryBudgetOptions { Minimum = 1 }, static () => 0);
        Assert.Throws<InvalidOperationException>(budget.End);
        Assert.Equal(0, budget.Active);
        Assert.True(budget.TryBegin());
        Assert.False(budget.TryBegin());
        budget.End();
        Assert.Throws<InvalidOperationException>(budget.End);
    }

    [Fact]
    public void Values_out_of_range_are_refused_by_name()
    {
        (RetryBudgetOptions Options, string Name)[] wrong =
        [
            (new() { Percent = 101 }, "Percent"), (new() { Minimum = -1 }, "Minimum"), (new() { MaxTokens = 1001 }, "MaxTokens"), (new() { TokenRatio = 0 }, "TokenRatio"),
        ];
        Assert.All(wrong, static w =>
            Assert.Contains($"RetryBudget:{w.Name} = ", Assert.Throws<ArgumentOutOfRangeException>(() => new RetryBudget(w.Options, static () => 0)).Message, StringComparison.Ordinal));
        Assert.Throws<ArgumentNullException>(static () => new RetryBudget(null!, static () => 0));
        Assert.Throws<ArgumentNullException>(static () => new RetryBudget(new RetryBudgetOptions(), null!));
    }

    [Fact(Timeout = 120_000)]
    public async Task Many_threads_never_claim_more_than_there_is()
    {
        const int most = 3, rounds = 20_000;
        RetryBudget budget = new(new RetryBudgetOptions { Percent = 0, Minimum = most, MaxTokens = 1000, TokenRatio = 1000 }, static () => 0);
        int inside = 0;
        long begun = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            () =>
            {
                for (int n = 0; n < rounds; n++)
                {
                    budget.Failed();
                    budget.Succeeded();
                    if (!budget.TryBegin()) continue;
                    Assert.InRange(Interlocked.Increment(ref inside), 1, most);
                    Interlocked.Decrement(ref inside);
                    Interlocked.Increment(ref begun);
                    budget.End();
                }
            },
            Ct)));

        Assert.Equal((0, (8L * rounds) - begun), (budget.Active, budget.Refused));

        // No token was lost or made: as many failures as at the start stop the retries.
        for (int i = 0; i < 499; i++) budget.Failed();
        Assert.True(budget.TryBegin());
        budget.Failed();
        Assert.False(budget.TryBegin());
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        long load = 10;
        RetryBudget budget = new(new RetryBudgetOptions { MaxTokens = 10 }, () => load);
        Use(budget);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Use(budget);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Use(RetryBudget budget)
        {
            for (int i = 0; i < 100; i++)
            {
                budget.Failed();
                if (budget.TryBegin()) budget.End();
                budget.Succeeded();
            }
        }
    }
}
