using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>A pool's budget limits the retries that all of its clients make together.</summary>
[Trait("Row", "R7")]
public sealed class RetryBudgetTests : GatewayTests
{
    private const int Timeout = 60_000;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Without_a_budget_left_the_client_is_closed_with_the_last_failure(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l =>
        {
            l.AddRefusing();
            l.AddServer("good");
            l.SetPool(static p => p.RetryBudget = new RetryBudgetOptions { Percent = 0, Minimum = 0 });
        });
        Socket client = await lab.ClientAsync();
        await client.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Equal((1, 0, 1), (lab.Gateway.Count(RelayEnd.ConnectRefused), lab.Gateway.Retries, lab.Pool.RetryBudget.Refused));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_retry_holds_its_claim_until_it_has_failed(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l =>
        {
            l.AddRefusing();
            l.SetPool(static p => (p.Retries, p.RetryBudget) = (1, new RetryBudgetOptions { Percent = 0, Minimum = 1 }));
        });
        RetryBudget budget = lab.Pool.RetryBudget;
        Socket first = await lab.ClientAsync();
        await Wait.UntilAsync(() => budget.Active == 1, "the first waits for its turn-around");

        // The second finds it spent.
        Socket second = await lab.ClientAsync();
        await second.ShouldEndAsync();
        Assert.True(first.IsQuiet());
        Assert.Equal((1, 1), (budget.Active, budget.Refused));

        await lab.AdvanceAsync(Second);
        await lab.TickAsync();
        await first.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Equal((0, 1), (budget.Active, lab.Gateway.Retries));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_retry_that_connects_gives_its_claim_back(string driver)
    {
        TestServer good = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.AddRefusing();
            good = l.AddServer("good");
            l.SetPool(static p => p.RetryBudget = new RetryBudgetOptions { Percent = 0, Minimum = 1 });
        });
        _ = await lab.PairAsync(good);
        Assert.Equal((0, 0, 1), (lab.Pool.RetryBudget.Active, lab.Pool.RetryBudget.Refused, lab.Gateway.Retries));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_client_that_leaves_gives_its_claim_back(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l =>
        {
            l.AddRefusing();
            l.SetPool(static p => p.RetryBudget = new RetryBudgetOptions { Percent = 0, Minimum = 1 });
        });
        RetryBudget budget = lab.Pool.RetryBudget;
        Socket client = await lab.ClientAsync();
        await Wait.UntilAsync(() => budget.Active == 1, "the turn-around");
        client.Reset();
        await lab.OpenAsync(0);
        Assert.Equal(0, budget.Active);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_reload_with_another_budget_leaves_claims_where_they_are(string driver)
    {
        int minimum = 1;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.AddRefusing();
            l.SetPool(p => (p.Retries, p.RetryBudget) = (1, new RetryBudgetOptions { Percent = 0, Minimum = minimum }));
        });
        RetryBudget before = lab.Pool.RetryBudget;
        Socket client = await lab.ClientAsync();
        await Wait.UntilAsync(() => before.Active == 1, "the turn-around");
        minimum = 2;
        Assert.Empty(await lab.ReloadAsync());
        await lab.AdvanceAsync(Second);
        await lab.TickAsync();
        await client.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Same(before, lab.Pool.RetryBudget);
        Assert.Equal(0, before.Active);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Without_the_option_attempts_to_connect_are_not_limited(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l =>
        {
            l.AddRefusing();
            l.SetPool(static p => (p.Retries, p.Outlier.Enabled) = (1, false));
        });
        Socket[] clients = [.. await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => lab.ClientAsync()))];
        await Wait.UntilAsync(() => lab.Pool.Servers[0].TotalFailures == 10, "the first attempts");
        await lab.AdvanceAsync(Second);
        await lab.TickAsync();
        foreach (Socket client in clients) await client.ShouldEndAsync();
        Assert.Equal((10, 0), (lab.Gateway.Retries, lab.Pool.RetryBudget.Refused));
    }
}
