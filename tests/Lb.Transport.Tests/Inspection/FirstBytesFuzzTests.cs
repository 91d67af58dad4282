namespace Lb.Transport.Tests;

/// <summary>Outside bytes never throw, cost no memory, mean the same however they arrive, and are taken exactly when a judge of its own takes them.</summary>
[Trait("Row", "T8")]
[Trait("Row", "T10")]
[Trait("Row", "K8")]
public sealed class FirstBytesFuzzTests
{
    [Theory]
    [InlineData("proxy", 1)]
    [InlineData("proxy", 2)]
    [InlineData("clienthello", 1)]
    [InlineData("clienthello", 2)]
    [InlineData("rdp", 1)]
    [InlineData("rdp", 2)]
    public void Any_bytes_are_read_as_the_judge_reads_them(string target, int seed)
    {
        FuzzTarget fuzz = FuzzTarget.All.Single(t => t.Name == target);
        string? wrong = fuzz.Run(10_000, seed);
        Assert.True(wrong is null, wrong);
        Assert.True(fuzz.Taken > 1000 && fuzz.Refused > 1000, $"{fuzz.Taken} taken, {fuzz.Refused} refused");
    }
}
