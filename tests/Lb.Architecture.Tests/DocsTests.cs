using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Markdig.Syntax;

namespace Lb.Architecture.Tests;

/// <summary>The documentation leads somewhere: links, anchors, uids, tables of contents, numbers.</summary>
public sealed partial class DocsTests
{
    public static TheoryData<string> Pages => [.. Page.All.Select(static p => p.Path)];

    public static TheoryData<string> Tocs => [.. Repository.Files("docs", "toc.yml")];

    private static HashSet<string> Uids { get; } = [.. PublicUids()];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_somewhere(string path)
    {
        Page page = Page.Of(path);
        Assert.Empty(page.Links.Select(link => Fault(page, link)).OfType<string>());
    }

    [Theory]
    [MemberData(nameof(Tocs))]
    public void Every_entry_of_a_table_of_contents_leads_somewhere(string toc) =>
        Assert.All(Entries(toc), entry => Assert.True(File.Exists(Repository.PathOf(entry)), $"{toc}: {entry} does not exist."));

    [Fact]
    public void Every_page_is_in_a_table_of_contents()
    {
        HashSet<string> seen = [];
        Queue<string> tocs = new(["docs/toc.yml"]);
        while (tocs.TryDequeue(out string? toc))
        {
            foreach (string entry in Entries(toc))
            {
                if (seen.Add(entry) && entry.EndsWith("/toc.yml", StringComparison.Ordinal)) tocs.Enqueue(entry);
            }
        }

        Assert.Empty(Repository.Files("docs", "*.md").Except(seen));
        Assert.Empty(Repository.Files("docs", "toc.yml").Except([.. seen, "docs/toc.yml"]));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_page_has_one_title_and_it_comes_first(string path)
    {
        Page page = Page.Of(path);
        Block first = page.Document.First(static b => b is not HtmlBlock);
        Assert.Equal(1, Assert.IsType<HeadingBlock>(first).Level);
        Assert.Single(page.Headings, static h => h.Level == 1);
    }

    [Fact]
    public void Decisions_are_numbered_without_gaps_and_say_what_was_given_up()
    {
        Page[] decisions = [.. Page.All.Where(static p => DecisionPath().IsMatch(p.Path))];
        Assert.NotEmpty(decisions);
        for (int i = 0; i < decisions.Length; i++)
        {
            Assert.StartsWith($"docs/decisions/{i + 1:0000}-", decisions[i].Path, StringComparison.Ordinal);
            string[] headings = [.. decisions[i].Headings.Select(static h => Page.Text(h.Inline))];
            Assert.StartsWith($"{i + 1}. ", headings[0], StringComparison.Ordinal);
            Assert.Equal(["We chose", "We gave up", "Evidence"], headings[1..]);
        }
    }

    [Fact]
    public void A_symptom_begins_with_what_to_check_first()
    {
        foreach (Page page in Page.All.Where(static p => p.Path.StartsWith("docs/symptoms/", StringComparison.Ordinal) && !p.Path.EndsWith("/index.md", StringComparison.Ordinal)))
        {
            ParagraphBlock first = Assert.IsType<ParagraphBlock>(page.Document.SkipWhile(static b => b is not HeadingBlock).ElementAt(1));
            Assert.StartsWith("Check first:", Page.Text(first.Inline), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void DocFX_finds_what_its_configuration_names()
    {
        using JsonDocument json = JsonDocument.Parse(Repository.Read("docs/docfx.json"));
        foreach (JsonElement source in json.RootElement.GetProperty("metadata").EnumerateArray().SelectMany(static m => m.GetProperty("src").EnumerateArray()))
        {
            string folder = source.GetProperty("src").GetString()!;
            foreach (JsonElement file in source.GetProperty("files").EnumerateArray())
                Assert.True(File.Exists(Path.Combine(Repository.PathOf("docs"), folder, file.GetString()!)), $"docs/docfx.json: {file} does not exist.");
        }

        string[] documented = [.. json.RootElement.GetProperty("metadata")[0].GetProperty("src")[0].GetProperty("files").EnumerateArray().Select(static f => Path.GetFileNameWithoutExtension(f.GetString()!))];
        Assert.Equal(Repository.Packages.Keys.Where(static p => p != "Lb.Tool"), documented.Order(StringComparer.Ordinal));
    }

    private static string? Fault(Page page, string link)
    {
        if (link.StartsWith("xref:", StringComparison.Ordinal)) return Uids.Contains(Uri.UnescapeDataString(link[5..])) ? null : $"{link}: no such uid";
        if (link.Contains("://", StringComparison.Ordinal) || link.StartsWith("mailto:", StringComparison.Ordinal)) return null;

        string[] parts = link.Split('#', 2);
        string folder = Path.GetDirectoryName(Repository.PathOf(page.Path))!;
        string target = parts[0].Length == 0 ? page.Path : Repository.Relative(Path.GetFullPath(Path.Combine(folder, Uri.UnescapeDataString(parts[0]))));
        if (target.StartsWith("..", StringComparison.Ordinal)) return $"{link}: leads out of the tree";

        // A site made from docs/ does not hold the rest of the tree.
        if (page.Path.StartsWith("docs/", StringComparison.Ordinal) && !target.StartsWith("docs/", StringComparison.Ordinal)) return $"{link}: leads out of docs/";
        if (!Path.Exists(Repository.PathOf(target))) return $"{link}: no such file";
        if (parts.Length == 2 && (!target.EndsWith(".md", StringComparison.Ordinal) || !Page.Of(target).Anchors.Contains(parts[1], StringComparer.Ordinal))) return $"{link}: no such heading";
        return null;
    }

    /// <summary>The files that a table of contents names; a folder means the table in it.</summary>
    private static IEnumerable<string> Entries(string toc)
    {
        string folder = Path.GetDirectoryName(toc)!.Replace('\\', '/');
        foreach (Match match in TocHref().Matches(Repository.Read(toc)))
        {
            string entry = $"{folder}/{match.Groups[1].Value}";

            // Made from the code when the site is built.
            if (entry == "docs/api/") continue;
            yield return entry.EndsWith('/') ? $"{entry}toc.yml" : entry;
        }
    }

    // DocFX's names: Namespace, Namespace.Type, Namespace.Type.Property, and Namespace.Type.Method* for all overloads.
    private static IEnumerable<string> PublicUids()
    {
        const BindingFlags declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (Type type in Repository.Packages.Where(static p => p.Key != "Lb.Tool").SelectMany(static p => p.Value.GetExportedTypes()))
        {
            string name = type.FullName!.Replace('+', '.');
            yield return type.Namespace!;
            yield return name;
            foreach (MemberInfo member in type.GetMembers(declared)) yield return member is MethodBase ? $"{name}.{member.Name}*" : $"{name}.{member.Name}";
        }
    }

    [GeneratedRegex(@"^docs/decisions/\d{4}-[a-z0-9-]+\.md$")]
    private static partial Regex DecisionPath();

    [GeneratedRegex(@"^\s*(?:- )?href:\s*(\S+)\s*$", RegexOptions.Multiline)]
    private static partial Regex TocHref();
}
