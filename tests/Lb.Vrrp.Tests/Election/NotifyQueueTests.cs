namespace Lb.Vrrp.Tests;

[Trait("Row", "V20")]
[Trait("Row", "N3")]
public sealed class NotifyQueueTests
{
    // A = Active, B = Backup, F = fault, S = stopped; what is put while a program runs, and what is told after it.
    [Theory]
    [InlineData("", "")]
    [InlineData("A", "A")]
    [InlineData("AB", "B")]
    [InlineData("ABFBA", "A")]
    [InlineData("AS", "S")]
    [InlineData("SB", "SB")]
    [InlineData("ASBA", "SA")]
    [InlineData("SBS", "S")]
    public void The_last_state_wins_and_a_stop_is_never_left_out(string put, string told)
    {
        NotifyQueue queue = new();
        int priority = 0;
        foreach (char letter in put) queue.Put(new StateNotice(State(letter), ++priority));
        string taken = "";
        while (queue.TryTake(out StateNotice notice))
        {
            taken += put.First(l => State(l) == notice.State);
            Assert.Equal(put.LastIndexOf(taken[^1]) + 1, notice.Priority);
        }

        Assert.Equal(told, taken);
    }

    private static RouterState State(char letter) => letter switch
    {
        'A' => RouterState.Active,
        'B' => RouterState.Backup,
        'F' => RouterState.Fault,
        _ => RouterState.Initialize,
    };
}
