namespace Lb.Core.Tests.Scheduling;

/// <summary>The tests of gRPC's own scheduler (static_stride_scheduler_test.cc), and its definition written down once more.</summary>
public sealed class StaticStrideTests
{
    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("1")]
    [InlineData("0 0 0 0")]
    [InlineData("0 5 0")]
    public void Fewer_than_two_known_weights_make_no_schedule(string weights) => Assert.Null(StaticStride.Build(Numbers(weights)));

    [Theory]
    [InlineData("1 2 3", "1 2 3")]
    [InlineData("3 0 1", "3 2 1")]
    public void Picks_are_weighted_exactly(string weights, string picks)
    {
        long counter = 0;
        StaticStride stride = StaticStride.Build(Numbers(weights))!;
        int[] count = new int[3];
        for (int n = 0; n < 6; n++) count[stride.Next(ref counter)]++;
        Assert.Equal(picks, string.Join(' ', count));
    }

    [Fact]
    public void Equal_weights_take_turns()
    {
        long counter = 0;
        StaticStride stride = StaticStride.Build([300, 300, 0])!;
        int[] first = [stride.Next(ref counter), stride.Next(ref counter), stride.Next(ref counter)];
        Assert.Equal([0, 1, 2], first.Order());
        for (int n = 0; n < 1000; n++) Assert.Equal(first[n % 3], stride.Next(ref counter));
    }

    [Fact]
    public void The_heaviest_is_picked_in_every_round()
    {
        long counter = 0;
        StaticStride stride = StaticStride.Build([1, 2, 3])!;
        int heaviest = 0;
        for (int n = 0; n < ushort.MaxValue * 2; n++) heaviest += stride.Next(ref counter) == 2 ? 1 : 0;
        Assert.Equal(ushort.MaxValue, heaviest);
    }

    [Fact]
    public void A_new_schedule_goes_on_where_the_old_one_was()
    {
        long counter = 0, again = 0;
        StaticStride stride = StaticStride.Build([1, 2, 3])!;
        for (int n = 0; n < 100; n++)
        {
            int peeked = stride.Peek(counter);
            int next = stride.Next(ref counter);
            Assert.Equal(next, peeked);
            Assert.Equal(next, StaticStride.Build([1, 2, 3])!.Next(ref again));
        }
    }

    [Fact]
    public void Weights_far_from_the_mean_are_bounded()
    {
        double[] weights = [.. Enumerable.Repeat(1.0, 98), 1e9, 1e-9];
        StaticStride stride = StaticStride.Build(weights)!;

        // The mean is 1e9 / 100; ten times that is the most, a hundredth of it the least.
        Assert.Equal(65_535, stride.Weights[98]);
        Assert.Equal(66, stride.Weights[0]);
        Assert.Equal(66, stride.Weights[99]);
    }

    [Fact]
    public void Every_pick_is_the_one_of_the_definition()
    {
        Random random = new(5);
        for (int round = 0; round < 50; round++)
        {
            double[] weights = [.. Enumerable.Range(0, 2 + random.Next(20)).Select(_ => 0.5 + random.NextDouble())];
            StaticStride stride = StaticStride.Build(weights)!;
            double most = weights.Max();
            uint[] scaled = [.. weights.Select(w => (uint)Math.Round(w / most * 65_535, MidpointRounding.AwayFromZero))];
            long counter = 0;
            for (uint sequence = 0; sequence < 2_000; sequence++)
            {
                uint index = sequence % (uint)weights.Length, generation = sequence / (uint)weights.Length;
                if (((scaled[index] * generation) + (index * 32_767)) % 65_535 < 65_535 - scaled[index]) continue;
                Assert.Equal((int)index, stride.Next(ref counter));
                Assert.Equal(sequence + 1, counter);
            }
        }
    }

    private static double[] Numbers(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(double.Parse)];
}
