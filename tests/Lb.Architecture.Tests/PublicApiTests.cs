namespace Lb.Architecture.Tests;

/// <summary>
/// A change of the public surface is a decision: it shows up in the review as a change of a text file. <c>LB_APPROVE=1 dotnet test tests/Lb.Architecture.Tests</c>
/// writes the files anew.
/// </summary>
public sealed class PublicApiTests
{
    public static TheoryData<string> Packages => ["Lb.Core", "Lb.Health", "Lb.Testing", "Lb.Transport", "Lb.Vrrp"];

    [Theory]
    [MemberData(nameof(Packages))]
    public void The_public_surface_is_as_approved(string package)
    {
        string path = Repository.PathOf($"tests/Lb.Architecture.Tests/PublicApi/{package}.txt");
        string actual = ApiWriter.Write(Repository.Packages[package]);
        if (Environment.GetEnvironmentVariable("LB_APPROVE") == "1") File.WriteAllText(path, actual);

        string approved = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "";
        Assert.True(approved == actual, $"The public surface of {package} has changed. Approve it with LB_APPROVE=1.\n{Difference(approved, actual)}");
    }

    // Members are sorted and unique under their type, so the two sets of qualified lines say all.
    private static string Difference(string approved, string actual)
    {
        List<string> before = Qualified(approved), after = Qualified(actual);
        return string.Join('\n', before.Except(after).Select(static l => $"- {l}").Concat(after.Except(before).Select(static l => $"+ {l}")));
    }

    private static List<string> Qualified(string text)
    {
        List<string> lines = [];
        string type = "";
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("    ", StringComparison.Ordinal)) lines.Add($"{type} {{ {line.Trim()} }}");
            else lines.Add(type = line.Trim());
        }

        return lines;
    }
}
