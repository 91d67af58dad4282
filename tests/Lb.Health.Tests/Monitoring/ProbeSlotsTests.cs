namespace Lb.Health.Tests.Monitoring;

[Trait("Row", "H4")]
public sealed class ProbeSlotsTests
{
    [Fact(Timeout = 60_000)]
    public async Task Waiters_are_served_in_order_and_those_who_gave_up_are_skipped()
    {
        ProbeSlots slots = new(1);
        await slots.EnterAsync(CancellationToken.None);
        using CancellationTokenSource gaveUp = new();
        Task first = slots.EnterAsync(gaveUp.Token).AsTask(), second = slots.EnterAsync(CancellationToken.None).AsTask(), third = slots.EnterAsync(CancellationToken.None).AsTask();
        await gaveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        slots.Leave();
        await second;
        Assert.False(third.IsCompleted);
        Assert.Equal(1, slots.Taken);
        slots.Leave();
        await third;
        slots.Leave();
        Assert.Equal(0, slots.Taken);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_limit_may_change_while_checks_wait()
    {
        ProbeSlots slots = new(1);
        Task[] tasks = [.. Enumerable.Range(0, 4).Select(_ => slots.EnterAsync(CancellationToken.None).AsTask())];
        slots.SetLimit(3);
        await Task.WhenAll(tasks[..3]);
        Assert.False(tasks[3].IsCompleted);
        slots.SetLimit(1);
        slots.Leave();
        slots.Leave();
        Assert.False(tasks[3].IsCompleted);
        slots.Leave();
        await tasks[3];
        Assert.Equal(1, slots.Taken);
    }
}
