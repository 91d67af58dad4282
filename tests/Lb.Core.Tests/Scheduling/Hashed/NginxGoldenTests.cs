namespace Lb.Core.Tests;

/// <summary>The picks of a real nginx with <c>hash … consistent</c> (tests/Golden/nginx/make.py).</summary>
public class NginxGoldenTests
{
    [Theory]
    [InlineData("equal", new[] { 1, 1, 1, 1, 1, 1, 1 })]
    [InlineData("weighted", new[] { 1, 2, 5, 3 })]
    [Trait("Row", "S16")]
    public void KetamaPicksWhatNginxPicks(string set, int[] weights)
    {
        ServerPool pool = TablePool.Make(() => new Ketama(), 22001, weights);
        string[] lines = [.. File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Golden", "nginx", "picks.csv")).Where(l => l.StartsWith(set + ",", StringComparison.Ordinal))];
        Assert.Equal(300, lines.Length);
        foreach (string line in lines)
        {
            string[] fields = line.Split(',');
            Assert.Equal((fields[1], fields[2]), (fields[1], TablePool.Pick(pool, fields[1])));
        }
    }
}
