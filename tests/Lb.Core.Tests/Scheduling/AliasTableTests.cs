namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S15")]
public sealed class AliasTableTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1, 1)]
    [InlineData(1, 256)]
    [InlineData(3, 1, 4, 1, 5, 9, 2, 6)]
    [InlineData(256, 1, 256, 1, 256)]
    public void Draws_follow_the_weights(params int[] weights)
    {
        AliasTable table = new(weights);
        Random random = new(20300101);
        long[] counts = new long[weights.Length];
        for (int n = 0; n < 200_000; n++) counts[table.Draw(random.NextInt64())]++;
        Assert.True(weights.Length == 1 || ChiSquare.Fits(counts, weights), string.Join(' ', counts));
    }

    [Fact]
    public void Every_63_bit_number_is_a_draw()
    {
        AliasTable table = new([1, 2, 3]);
        foreach (long extreme in new[] { 0, 1, long.MaxValue - 1, long.MaxValue, 0x7FFFFFFF, 0x80000000L, 1L << 62 })
            Assert.InRange(table.Draw(extreme), 0, 2);
    }

    [Fact]
    public void The_columns_cover_the_weights_exactly()
    {
        // 2^16 evenly spaced numbers stand for all of them.
        int[] weights = [5, 1, 2];
        AliasTable table = new(weights);
        double[] counts = new double[3];
        for (long column = 0; column < 256; column++)
        {
            for (long coin = 0; coin < 256; coin++) counts[table.Draw((column << 55) + (coin << 23))]++;
        }

        for (int i = 0; i < 3; i++) Assert.InRange(counts[i] / 65_536, (weights[i] / 8.0) - 0.01, (weights[i] / 8.0) + 0.01);
    }

    [Fact]
    public void Very_large_weights_do_not_overflow()
    {
        AliasTable table = new([int.MaxValue, int.MaxValue / 2, int.MaxValue / 2]);
        Random random = new(1);
        long[] counts = new long[3];
        for (int n = 0; n < 30_000; n++) counts[table.Draw(random.NextInt64())]++;
        Assert.True(ChiSquare.Fits(counts, [2, 1, 1]), string.Join(' ', counts));
    }
}
