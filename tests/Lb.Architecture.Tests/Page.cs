using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Lb.Architecture.Tests;

/// <summary>One page of Markdown.</summary>
internal sealed class Page
{
    private static readonly MarkdownPipeline Pipeline =
        new MarkdownPipelineBuilder().UsePipeTables().UseAutoIdentifiers(AutoIdentifierOptions.GitHub).UseYamlFrontMatter().Build();

    private static readonly Dictionary<string, Page> Read = new(StringComparer.Ordinal);

    private Page(string path)
    {
        Path = path;
        Document = Markdown.Parse(Repository.Read(path), Pipeline);
    }

    /// <summary>Path in the tree, with slashes.</summary>
    public string Path { get; }

    public MarkdownDocument Document { get; }

    public IEnumerable<HeadingBlock> Headings => Document.Descendants<HeadingBlock>();

    public IEnumerable<string> Anchors => Headings.Select(static h => h.GetAttributes().Id!);

    /// <summary>Targets of all links, pictures and autolinks.</summary>
    public IEnumerable<string> Links =>
        Document.Descendants<LinkInline>().Select(static l => l.Url ?? "").Concat(Document.Descendants<AutolinkInline>().Select(static l => l.Url));

    public IEnumerable<FencedCodeBlock> Fences => Document.Descendants<FencedCodeBlock>();

    public static IEnumerable<Page> All =>
        ((string[])["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]).Concat(Repository.Files("docs", "*.md"))
            .Concat(Repository.Files("src", "README.md")).Concat(Repository.Files("bench", "*.md")).Concat(Repository.Files("samples", "*.md"))
            .Select(Of);

    public static Page Of(string path)
    {
        lock (Read) return Read.TryGetValue(path, out Page? page) ? page : Read[path] = new Page(path);
    }

    /// <summary>The text of a fence.</summary>
    public static string Text(FencedCodeBlock fence) => fence.Lines.ToString().ReplaceLineEndings("\n").TrimEnd();

    /// <summary>Plain text of a heading or a cell.</summary>
    public static string Text(ContainerInline? inlines) =>
        inlines is null ? "" : string.Concat(inlines.Descendants<LeafInline>().Select(static i => i switch
        {
            LiteralInline literal => literal.Content.ToString(),
            CodeInline code => code.Content,
            LineBreakInline => " ",
            _ => "",
        })).Trim();

    /// <summary>The word and the argument of the comment right before a block: <c>snippet: samples/X.cs#region</c>; null when there is none.</summary>
    public (string Word, string Argument)? Instruction(Block block)
    {
        ContainerBlock parent = block.Parent!;
        int index = parent.IndexOf(block);
        if (index == 0 || parent[index - 1] is not HtmlBlock html) return null;
        string text = html.Lines.ToString().Trim();
        if (!text.StartsWith("<!--", StringComparison.Ordinal) || !text.EndsWith("-->", StringComparison.Ordinal)) return null;
        string[] parts = text[4..^3].Trim().Split(':', 2, StringSplitOptions.TrimEntries);
        return (parts[0], parts.Length > 1 ? parts[1] : "");
    }

    public string Where(Block block) => $"{Path}:{block.Line + 1}";

    public override string ToString() => Path;
}
