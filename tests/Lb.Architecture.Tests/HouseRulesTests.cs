using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace Lb.Architecture.Tests;

/// <summary>Small rules of the house that nothing else would notice.</summary>
public sealed partial class HouseRulesTests
{
    private static readonly Dictionary<string, int> EventIdBlocks = new(StringComparer.Ordinal)
    {
        ["Lb.Core"] = 1000,
        ["Lb.Health"] = 2000,
        ["Lb.Vrrp"] = 3000,
        ["Lb.Transport"] = 4000,
        ["Lb.Testing"] = 8000,
        ["Lb.Tool"] = 9000,
    };

    // What this version promises: features that have to be proved by at least one test each.
    public static TheoryData<string> Rows =>
    [
        "P1", "P2", "P3", "P4", "P14", "P15", "P16",
        "S1", "S2", "S5", "S15", "S22", "S28",
        "H1", "H2", "H3", "H4", "H5", "H7", "H28", "H29",
        "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T13", "T15", "T16", "T17",
        "L1", "L2", "L3", "L4", "L5", "L7", "L10", "A5", "A6", "C1", "C2", "C3", "C4", "C5", "K6", "K8",
        "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9", "V10", "V11", "V12", "V13", "V18", "V20", "V22", "V24", "V25", "V26", "V28", "V29", "V31", "V32",
        "B6", "B7", "N3", "N6", "X4", "X16",
        "R1", "R2", "R3", "R4", "R6",
    ];

    private static string TestSources { get; } = string.Concat(
        Repository.Files("tests", "*.cs").Where(static f => !f.StartsWith("tests/Lb.Architecture.Tests/", StringComparison.Ordinal)).Select(Repository.Read));

    [Theory]
    [MemberData(nameof(Rows))]
    public void Every_promised_feature_has_a_test(string row) => Assert.Contains($"[Trait(\"Row\", \"{row}\")]", TestSources);

    [Fact]
    public void Event_ids_are_unique_and_in_the_block_of_their_package()
    {
        List<int> all = [];
        foreach ((string package, int id, string name) in EventIds())
        {
            int block = EventIdBlocks[package];
            Assert.True(id >= block && id < block + 1000, $"{package}: {name} has the id {id}, outside {block} to {block + 999}.");
            all.Add(id);
        }

        Assert.NotEmpty(all);
        Assert.Equal(all.Distinct().Count(), all.Count);
    }

    [Fact]
    public void Every_banned_symbol_has_a_reason()
    {
        string[] lines = [.. Repository.Read("BannedSymbols.txt").Split('\n').Where(static l => l.Length > 0)];
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Matches(BannedLine(), line));
        Assert.Equal(lines.Distinct(StringComparer.Ordinal).Count(), lines.Length);
    }

    [Fact]
    public void Every_package_is_packed_with_a_readme() =>
        Assert.All(Repository.Packages.Keys, package => Assert.True(File.Exists(Repository.PathOf($"src/{package}/README.md")), $"src/{package}/README.md is missing."));

    internal static IEnumerable<(string Package, int Id, string Name)> EventIds()
    {
        const BindingFlags any = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        return
            from package in Repository.Packages
            from type in package.Value.GetTypes()
            from method in type.GetMethods(any)
            let message = method.GetCustomAttribute<LoggerMessageAttribute>()
            where message is not null
            orderby message.EventId
            select (package.Key, message.EventId, string.Create(CultureInfo.InvariantCulture, $"{type.Name}.{method.Name}"));
    }

    [GeneratedRegex(@"^[PMTFN]:[\w.#()`,]+; .{10,}$")]
    private static partial Regex BannedLine();
}
