using FsCheck;
using FsCheck.Fluent;

namespace Lb.Core.Tests.Configuration;

public sealed class DurationsTests
{
    [Theory]
    [InlineData("2s", 2_000)]
    [InlineData("100ms", 100)]
    [InlineData("5m", 300_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("500us", 0.5)]
    [InlineData("1.5s", 1_500)]
    [InlineData("250", 250)]
    [InlineData("0", 0)]
    [InlineData(" 2 s ", 2_000)]
    [InlineData("2S", 2_000)]
    [InlineData("100MS", 100)]
    [InlineData("-3s", -3_000)]
    [InlineData("00:00:02", 2_000)]
    [InlineData("1.02:00:00", 93_600_000)]
    public void Durations_are_read(string text, double milliseconds)
    {
        Assert.True(Durations.TryParse(text, out TimeSpan value));
        Assert.Equal(TimeSpan.FromMicroseconds(milliseconds * 1_000), value);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("s")]
    [InlineData("2x")]
    [InlineData("2 s m")]
    [InlineData("1,5s")]
    [InlineData("1e3")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    [InlineData("99999999999999d")]
    [InlineData("soon")]
    [InlineData("00:99:00")]
    public void What_is_no_duration_is_refused(string? text)
    {
        Assert.False(Durations.TryParse(text, out TimeSpan value));
        Assert.Equal(default, value);
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(2_000, "2s")]
    [InlineData(1_500, "1500ms")]
    [InlineData(60_000, "1m")]
    [InlineData(90_000, "90s")]
    [InlineData(86_400_000, "1d")]
    [InlineData(-2_000, "-2s")]
    public void Durations_are_written_in_the_largest_unit_that_keeps_them_whole(double milliseconds, string text)
    {
        Assert.Equal(text, Durations.Format(TimeSpan.FromMilliseconds(milliseconds)));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        Gen<TimeSpan> times = Gen.Choose(int.MinValue, int.MaxValue).Zip(Gen.Elements(1L, 10L, 10_000L, 10_000_000L, 600_000_000L))
            .Select(static t => TimeSpan.FromTicks(t.Item1 * t.Item2));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1_000).WithReplay(20300101, 1), Prop.ForAll(times.ToArbitrary(), static time =>
        {
            Assert.True(Durations.TryParse(Durations.Format(time), out TimeSpan again));
            Assert.Equal(time, again);
        }));
    }
}
