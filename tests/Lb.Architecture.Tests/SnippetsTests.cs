using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Markdig.Syntax;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Samples.CustomCheck;
using Samples.CustomPolicy;

namespace Lb.Architecture.Tests;

/// <summary>
/// Examples are true: C# stands in a sample that is compiled, configurations are read by the reader that hosts use.
/// <c>&lt;!-- snippet: file#region --&gt;</c> before a fence names its source; <c>&lt;!-- refused --&gt;</c> before a configuration says that it is
/// an example of errors, and the fence after it lists them.
/// </summary>
public sealed partial class SnippetsTests
{
    private static readonly JsonDocumentOptions Relaxed = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private static readonly Lazy<MetadataReference[]> References = new(static () =>
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(static p => MetadataReference.CreateFromFile(p)),
    ]);

    public static TheoryData<string> Pages => [.. Page.All.Select(static p => p.Path)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_snippet_is_what_its_source_says(string path)
    {
        if (Environment.GetEnvironmentVariable("LB_APPROVE") == "1") Rewrite(path);
        Page page = Page.Of(path);
        foreach (FencedCodeBlock fence in page.Fences)
        {
            if (page.Instruction(fence) is not ("snippet", var source)) continue;
            Assert.True(Source(source) == Page.Text(fence), $"{page.Where(fence)} differs from {source}:\n{Source(source)}");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void CSharp_is_compiled(string path)
    {
        Page page = Page.Of(path);
        foreach (FencedCodeBlock fence in page.Fences.Where(static f => f.Info is "csharp" or "cs" or "c#"))
        {
            // From a sample, which the build compiles; a package's page stands alone, so there it is compiled here.
            if (page.Instruction(fence) is ("snippet", _)) continue;
            Assert.True(path.StartsWith("src/", StringComparison.Ordinal), $"{page.Where(fence)}: take the code from a sample and name it: <!-- snippet: file#region -->");
            Assert.Empty(Errors(Page.Text(fence)));
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Configurations_are_valid_or_refused_as_told(string path)
    {
        if (Environment.GetEnvironmentVariable("LB_APPROVE") == "1") Rewrite(path);
        Page page = Page.Of(path);
        foreach (FencedCodeBlock fence in page.Fences.Where(static f => f.Info is "json" or "jsonc"))
        {
            string text = Page.Text(fence);
            using JsonDocument json = JsonDocument.Parse(text, Relaxed);
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("Lb", out _)) continue;

            bool isRefused = page.Instruction(fence) is ("refused", _);
            IReadOnlyList<ConfigurationError> errors = Validate(text, withSamples: !isRefused);
            if (!isRefused)
            {
                Assert.True(errors.Count == 0, $"{page.Where(fence)}:\n{string.Join('\n', errors)}");
                continue;
            }

            FencedCodeBlock told = page.Fences.First(f => f.Line > fence.Line);
            Assert.Equal(Page.Text(told).Split('\n'), errors.Select(static e => e.ToString()));
        }
    }

    [Fact]
    public void Sample_configurations_are_valid()
    {
        string[] files = [.. Repository.Files("samples", "*.json")];
        Assert.NotEmpty(files);
        Assert.All(files, static file => Assert.Empty(Validate(Repository.Read(file), withSamples: true)));
    }

    internal static IReadOnlyList<ConfigurationError> Validate(IConfiguration configuration, bool withSamples = false)
    {
        ServiceCollection services = new();
        if (withSamples)
        {
            // The kinds that the pages about extending register.
            services.AddSchedulingPolicy("cheapest-first", static _ => new CheapestFirst(new Dictionary<string, int>(), 1));
            services.AddHealthChecker("redis", static _ => new RedisChecker());
        }

        services.AddLb(configuration.GetSection("Lb")).AddHealth().AddGateways().AddRouters();
        using ServiceProvider provider = services.BuildServiceProvider();

        // Whether a port is free on this machine is no fault of a page.
        LbConfiguration reader = provider.GetRequiredService<LbConfiguration>();
        LbOptions options = reader.Read();
        options.SkipPortChecks = true;
        return reader.Validate(options);
    }

    private static IReadOnlyList<ConfigurationError> Validate(string json, bool withSamples)
    {
        using MemoryStream stream = new(Encoding.UTF8.GetBytes(json));
        return Validate(new ConfigurationBuilder().AddJsonStream(stream).Build(), withSamples);
    }

    private static void Rewrite(string path)
    {
        string before = Repository.Read(path);
        string after = Snippet().Replace(before, static m => $"{m.Groups[1].Value}{Source(m.Groups[2].Value)}\n```");
        after = Refused().Replace(after, static m => $"{m.Groups[1].Value}{string.Join('\n', Validate(m.Groups[2].Value, withSamples: false))}\n```");
        if (after != before) File.WriteAllText(Repository.PathOf(path), after);
    }

    /// <summary>A file, or a region of it, moved to the left.</summary>
    private static string Source(string source)
    {
        string[] parts = source.Split('#', 2);
        IEnumerable<string> lines = Repository.Read(parts[0]).TrimEnd().Split('\n');
        if (parts.Length == 2)
        {
            lines = lines.SkipWhile(l => l.Trim() != $"#region {parts[1]}").Skip(1).TakeWhile(static l => l.Trim() != "#endregion");
            Assert.True(lines.Any(), $"There is no region {parts[1]} in {parts[0]}.");
        }

        string[] kept = [.. lines.Where(static l => !l.TrimStart().StartsWith("#region ", StringComparison.Ordinal) && l.Trim() != "#endregion")];
        int indent = kept.Where(static l => l.Length > 0).Min(static l => l.Length - l.TrimStart().Length);
        return string.Join('\n', kept.Select(l => l.Length == 0 ? l : l[indent..].TrimEnd()));
    }

    [GeneratedRegex(@"(<!-- snippet: (\S+) -->\n```\w+\n).*?```", RegexOptions.Singleline)]
    private static partial Regex Snippet();

    [GeneratedRegex(@"(<!-- refused -->\n```json\n(.*?)```\n\n```text\n).*?```", RegexOptions.Singleline)]
    private static partial Regex Refused();

    private static IEnumerable<string> Errors(string code)
    {
        const string usings = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks; global using Xunit;";
        CSharpCompilation compilation = CSharpCompilation.Create(
            "snippet", [CSharpSyntaxTree.ParseText(code), CSharpSyntaxTree.ParseText(usings)], References.Value, new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));

        // A snippet may be a program, or only types.
        return compilation.GetDiagnostics().Where(static d => d.Severity == DiagnosticSeverity.Error && d.Id != "CS5001").Select(static d => d.ToString());
    }
}
