using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Lb.Vrrp.Tests;

/// <summary>The page "Failover" shows what the simulator shows. <c>LB_APPROVE=1</c> writes its picture and its table anew.</summary>
public sealed partial class FailoverPageTests
{
    private static bool Writes => Environment.GetEnvironmentVariable("LB_APPROVE") == "1";

    [Fact]
    public async Task The_picture_is_that_of_the_simulator()
    {
        string drawn = FailoverStory.Draw(), path = PathOf("docs/explain/failover.svg");
        Assert.True(XDocument.Parse(drawn).Descendants().Count() > 40);
        if (Writes) await File.WriteAllTextAsync(path, drawn, TestContext.Current.CancellationToken);
        Assert.Equal((await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).ReplaceLineEndings("\n"), drawn);
    }

    [Fact]
    public async Task The_table_is_that_of_the_simulator()
    {
        string path = PathOf("docs/explain/failover.md"), table = FailoverTable.Write();
        string page = (await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).ReplaceLineEndings("\n");
        string current = Block().Replace(page, m => $"{m.Groups[1].Value}{table}{m.Groups[3].Value}");
        if (Writes && current != page) await File.WriteAllTextAsync(path, page = current, TestContext.Current.CancellationToken);
        Assert.Equal(table, Block().Match(page).Groups[2].Value);
    }

    private static string PathOf(string file) => Path.Combine(
        typeof(FailoverPageTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static a => a.Key == "RepositoryRoot").Value!, file);

    [GeneratedRegex(@"(<!-- simulated -->\n\n)(.*?)(\n<!-- end of simulated -->)", RegexOptions.Singleline)]
    private static partial Regex Block();
}
