namespace Lb.Core.Tests.Judging;

[Trait("Row", "P11")]
[Trait("Row", "P10")]
public sealed class QuorumTests
{
    // keepalived's update_quorum_state: gained with weight >= quorum + hysteresis, lost with weight < quorum - hysteresis or with none.
    // Weights over time, and after each: H held, L lost.
    [Theory]
    [InlineData(1, 0, "0 1 3 1 0 1", "L H H H L H")]
    [InlineData(10, 3, "12 13 8 7 6 7 12 13", "L H H H L L L H")]
    [InlineData(10, 0, "9 10 9 10", "L H L H")]
    [InlineData(1, 1, "1 2 1 0 1 2", "L H H L L H")]
    [InlineData(3, 3, "5 6 1 0", "L H H L")]
    [InlineData(0, 0, "0 5 0", "H H H")]
    [InlineData(1_000_000, 1_000_000, "1999999 2000000 1 0", "L H H L")]
    public void Is_gained_above_and_lost_below(int quorum, int hysteresis, string weights, string verdicts)
    {
        bool held = false;
        List<string> seen = [];
        foreach (string weight in weights.Split(' '))
        {
            held = Quorum.IsHeld(held, long.Parse(weight), quorum, hysteresis);
            seen.Add(held ? "H" : "L");
        }

        Assert.Equal(verdicts, string.Join(' ', seen));
    }
}
