using FsCheck;
using FsCheck.Fluent;

namespace Lb.Core.Tests.Judging;

[Trait("Row", "H34")]
public sealed class DownLimitTests
{
    // Servers that are down as index@since.
    [Theory]
    [InlineData("", 4, 50, "")]
    [InlineData("0@5", 4, 50, "")]
    [InlineData("0@5 1@3", 4, 50, "")]
    [InlineData("0@5 1@3 2@9", 4, 50, "2")]
    [InlineData("0@5 1@3 2@4 3@1", 4, 50, "2 0")]
    [InlineData("0@5 1@5 2@5 3@5", 4, 50, "2 3")]
    [InlineData("3@5 2@5 1@5 0@5", 4, 75, "3")]
    [InlineData("0@1 1@2 2@3", 3, 50, "1 2")]
    [InlineData("0@1 1@2 2@3", 3, 33, "0 1 2")]
    [InlineData("0@1 1@2 2@3", 3, 34, "1 2")]
    [InlineData("0@1 1@2 2@3", 3, 99, "2")]
    [InlineData("0@1 1@2 2@3", 3, 100, "")]
    [InlineData("0@1 1@2 2@3", 3, 0, "0 1 2")]
    [InlineData("0@1", 1, 99, "0")]
    [InlineData("0@1", 1, 100, "")]
    [InlineData("0@-9223372036854775808 1@9223372036854775807", 2, 50, "1")]
    public void The_first_to_fail_are_out_and_later_ones_stay(string down, int total, int percent, string kept)
    {
        List<(int, long)> list = [.. down.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static d => (int.Parse(d.Split('@')[0]), long.Parse(d.Split('@')[1])))];
        Assert.Equal(kept, string.Join(' ', Keep(list, total, percent)));
    }

    [Fact]
    public void Never_are_all_out_below_a_hundred_percent_and_the_order_does_not_matter()
    {
        Gen<((int[], int), int)> cases = Gen.Choose(0, 5).ArrayOf(12).Zip(Gen.Choose(1, 12)).Zip(Gen.Choose(0, 100));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000).WithReplay(20300101, 1), Prop.ForAll(cases.ToArbitrary(), static given =>
        {
            ((int[] times, int total), int percent) = given;

            // A time of 0 is a server that is up.
            List<(int Index, long Since)> down = [.. times.Take(total).Select(static (t, i) => (i, (long)t)).Where(static d => d.Item2 > 0)];
            List<int> kept = Keep([.. down], total, percent);
            int stillOut = down.Count - kept.Count;
            Assert.True(stillOut * 100 <= total * percent);
            Assert.True(kept.Count == 0 || (stillOut + 1) * 100 > total * percent);
            if (percent < 100) Assert.True(stillOut < total);
            Assert.All(kept, k => Assert.All(down.Where(d => !kept.Contains(d.Index)), d => Assert.True(d.Since <= down.Single(x => x.Index == k).Since)));
            Assert.Equal(kept, Keep([.. Enumerable.Reverse(down)], total, percent));
        }));
    }

    private static List<int> Keep(List<(int, long)> down, int total, int percent)
    {
        List<int> kept = [];
        DownLimit.Keep(down, total, percent, kept);
        return kept;
    }
}
