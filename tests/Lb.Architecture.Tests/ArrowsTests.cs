using System.Xml.Linq;

namespace Lb.Architecture.Tests;

/// <summary>Arrows only point down: siblings never see each other, they meet in a pool.</summary>
public sealed class ArrowsTests
{
    // Package -> what it may reference of ours, and which packages beyond those that Core brings.
    private static readonly Dictionary<string, (string[] Ours, string[] Others)> Arrows = new(StringComparer.Ordinal)
    {
        ["Lb.Core"] = ([],
        [
            "Microsoft.Extensions.Configuration.Abstractions", "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Diagnostics.Abstractions",
            "Microsoft.Extensions.Hosting.Abstractions", "Microsoft.Extensions.Logging.Abstractions", "Microsoft.Extensions.Options",
        ]),
        ["Lb.Health"] = (["Lb.Core"], ["Microsoft.Extensions.Diagnostics.HealthChecks", "Microsoft.Extensions.Diagnostics.HealthChecks.Abstractions", "Polly.Core"]),
        ["Lb.Vrrp"] = (["Lb.Core"], []),
        ["Lb.Transport"] = (["Lb.Core"], ["Polly.Core", "Microsoft.Extensions.Http"]),
    };

    // They stand above the siblings and may see everything.
    private static readonly string[] Above = ["Lb.Testing", "Lb.Tool"];

    public static TheoryData<string> Siblings => [.. Arrows.Keys];

    [Fact]
    public void Every_package_has_its_place()
    {
        string[] projects = [.. Repository.Files("src", "*.csproj").Select(static p => Path.GetFileNameWithoutExtension(p))];
        Assert.Equal([.. Arrows.Keys.Concat(Above).Order(StringComparer.Ordinal)], projects);
    }

    [Theory]
    [MemberData(nameof(Siblings))]
    public void A_project_references_only_what_is_below(string package)
    {
        XDocument project = Repository.Project($"src/{package}/{package}.csproj");
        string[] ours = [.. project.Descendants("ProjectReference").Select(static r => Path.GetFileNameWithoutExtension(((string)r.Attribute("Include")!).Replace('\\', '/')))];
        string[] others = [.. project.Descendants("PackageReference").Where(static r => (string?)r.Attribute("PrivateAssets") != "all").Select(static r => (string)r.Attribute("Include")!)];
        Assert.Empty(ours.Except(Arrows[package].Ours));
        Assert.Empty(others.Except(Arrows[package].Others));
        Assert.Empty(project.Descendants("FrameworkReference"));
    }

    [Theory]
    [MemberData(nameof(Siblings))]
    public void An_assembly_references_only_what_is_below(string package)
    {
        string[] allowed = [.. Arrows[package].Ours, .. Arrows[package].Others, .. Arrows["Lb.Core"].Others, "Microsoft.Extensions.Primitives"];
        string[] found =
        [
            .. Repository.Packages[package].GetReferencedAssemblies().Select(static a => a.Name!)
                .Where(static name => !name.StartsWith("System.", StringComparison.Ordinal) && name != "System" && name != "netstandard"),
        ];
        Assert.Empty(found.Except(allowed));
    }

    [Theory]
    [MemberData(nameof(Siblings))]
    public void Internals_are_for_tests_and_benchmarks_only(string package)
    {
        string[] friends = [.. Repository.Project($"src/{package}/{package}.csproj").Descendants("InternalsVisibleTo").Select(static r => (string)r.Attribute("Include")!)];
        Assert.All(friends, friend => Assert.Contains(friend, (string[])[$"{package}.Tests", "Lb.Contracts", "Lb.Benchmarks"]));
    }

    [Fact]
    public void The_solution_holds_every_project()
    {
        string solution = Repository.Read("Lb.sln").Replace('\\', '/');
        string[] projects = [.. ((string[])["src", "tests", "samples", "bench", "fuzz"]).SelectMany(static folder => Repository.Files(folder, "*.csproj"))];
        string[] missing = [.. projects.Where(project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal))];
        Assert.Empty(missing);
    }
}
