using System.Reflection;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Lb.Architecture.Tests;

/// <summary>The source tree that is judged.</summary>
internal static class Repository
{
    public static string Root { get; } = typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(static a => a.Key == "RepositoryRoot").Value!;

    /// <summary>The packages, each with its assembly.</summary>
    public static IReadOnlyDictionary<string, Assembly> Packages { get; } = new SortedDictionary<string, Assembly>(StringComparer.Ordinal)
    {
        ["Lb.Core"] = typeof(ServerPool).Assembly,
        ["Lb.Health"] = typeof(Health.IHealthChecker).Assembly,
        ["Lb.Testing"] = typeof(Testing.ManualTimeProvider).Assembly,
        ["Lb.Transport"] = typeof(Transport.Gateways).Assembly,
        ["Lb.Vrrp"] = typeof(Vrrp.VirtualRouter).Assembly,
        ["Lb.Tool"] = Assembly.Load("lb"),
    };

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    public static string Read(string relative) => File.ReadAllText(PathOf(relative)).ReplaceLineEndings("\n");

    public static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    /// <summary>Files below a folder of the tree, as paths with slashes; what a build has made is left out.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        !Directory.Exists(PathOf(folder)) ? [] :
        Directory.EnumerateFiles(PathOf(folder), pattern, SearchOption.AllDirectories)
            .Select(Relative)
            .Where(static p => !p.Split('/').Any(static part => part is "bin" or "obj" or "artifacts" or "TestResults" or ".git"))
            .Order(StringComparer.Ordinal);

    /// <summary>A C# file as tokens, so that comments and texts don't count.</summary>
    public static SyntaxNode Parse(string relative) => CSharpSyntaxTree.ParseText(Read(relative)).GetRoot();

    public static XDocument Project(string relative) => XDocument.Parse(Read(relative));
}
