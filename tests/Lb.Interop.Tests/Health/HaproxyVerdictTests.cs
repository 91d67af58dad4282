using System.Globalization;
using Lb.Health;

namespace Lb.Interop.Tests.Health;

/// <summary>We say of a server what HAProxy says of it.</summary>
[Trait("Row", "H28")]
public sealed class HaproxyVerdictTests(HaproxyVerdicts verdicts) : IClassFixture<HaproxyVerdicts>
{
    public static TheoryData<string> Names => [.. HaproxyCases.All.Select(static c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Row", "H5")]
    [Trait("Row", "H7")]
    [Trait("Row", "H9")]
    [Trait("Row", "H10")]
    [Trait("Row", "H14")]
    [Trait("Row", "H17")]
    public void Says_what_HAProxy_says(string name)
    {
        verdicts.Demand();
        (ProbeResult ours, string word, string code, string last) = verdicts[name];
        HaproxyCase one = HaproxyCases.All.Single(c => c.Name == name);
        string ourWord = new CheckReport(ours.Status, ours.Code, default, "", default, 1).Word;
        string ourCode = ours.Code.ToString(CultureInfo.InvariantCulture);
        string theirs = $"{word} {(code is "" ? "0" : code)}", mine = $"{ourWord} {ourCode}";
        if (one.Ours is not { } difference)
        {
            Assert.True(theirs == mine, $"HAProxy: {theirs} ({last}); we: {mine} ({ours.Text})");
            return;
        }

        // On purpose; once they agree the exception has to go.
        Assert.Equal($"{difference.Word} {difference.Code}", mine);
        Assert.True(theirs != mine, $"HAProxy says {mine} too");
    }
}
