using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Lb.Architecture.Tests;

/// <summary>A line of code knows where it lives: the folder tells the room, the room tells what the code may do.</summary>
public sealed class RoomsTests
{
    private const string Decide = "Decide";
    private const string Own = "Own";

    // Folder -> room. A folder that is not here has no place in the house yet: decide which room it is.
    private static readonly Dictionary<string, string> Rooms = new(StringComparer.Ordinal)
    {
        ["Configuration"] = "Data",
        ["Scheduling"] = Decide,
        ["Hashing"] = Decide,
        ["Judging"] = Decide,
        ["Election"] = Decide,
        ["Protocol"] = Decide,
        ["ProxyProtocol"] = Decide,
        ["Inspection"] = Decide,
        ["Pools"] = Own,
        ["Limits"] = Own,
        ["Persistence"] = Own,
        ["Monitoring"] = Own,
        ["Routers"] = Own,
        ["Gateways"] = Own,
        ["Tcp"] = Own,
        ["Udp"] = Own,
        ["Admission"] = Own,
        ["Checkers"] = "Touch",
        ["Network"] = "Touch",
        ["Addresses"] = "Touch",
        ["Linux"] = "Touch",
        ["Reactor"] = "Touch",
        ["Tls"] = "Touch",
        ["Commands"] = "Touch",
        ["Tracking"] = "Touch",
        ["Telemetry"] = "Tell",
        ["Events"] = "Tell",
        ["DependencyInjection"] = "Wire",
    };

    // The tool and the test doubles are hosts of the house, not rooms in it.
    private static readonly string[] WithoutRooms = ["Lb.Testing", "Lb.Tool"];

    // Parsers decide too, wherever their owner lives.
    private static readonly string[] PureFiles =
    [
        "src/Lb.Core/Pools/Eligibility.cs",
        "src/Lb.Core/Pools/PeerAddress.cs",
        "src/Lb.Core/Pools/ServerAddress.cs",
        "src/Lb.Core/Configuration/Durations.cs",
        "src/Lb.Core/Configuration/PoolValidation.cs",
        "src/Lb.Core/Configuration/ConfigurationReader.cs",
        "src/Lb.Core/Configuration/LbOptionsReader.cs",
        "src/Lb.Transport/Gateways/ListenAddress.cs",
        "src/Lb.Tool/Playing/PlayScript.cs",
        "src/Lb.Tool/Playing/Words.cs",
    ];

    private static readonly HashSet<string> NotWhereOwned = new(StringComparer.Ordinal) { "Socket", "TcpListener", "TcpClient", "NetworkStream", "HttpClient", "Dns" };

    private static readonly HashSet<string> NotWhereDecided = new(StringComparer.Ordinal)
    {
        "await", "async", "lock", "Lock", "Monitor", "SemaphoreSlim", "ILogger", "LoggerMessage", "TimeProvider", "Stopwatch", "Socket", "NetworkStream",
        "HttpClient", "Dns", "IServiceProvider", "IServiceCollection", "Task", "Thread",
    };

    // Exceptions, each with its reason.
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        // A seeded Random is not safe for several threads; only tests and `lb play` give one, Random.Shared needs no lock.
        ["src/Lb.Core/Scheduling/SharedRandom.cs"] = ["lock"],

        // UriHostNameType.Dns is a word, not a look-up.
        ["src/Lb.Core/Pools/ServerAddress.cs"] = ["Dns"],

        // The name of a key, not a look-up.
        ["src/Lb.Health/Judging/CheckRules.cs"] = ["Dns"],
        ["src/Lb.Health/Judging/CheckValues.cs"] = ["Dns"],

        // Host names are looked up once, when a configuration is applied; following DNS will be discovery's work, in a room of its own.
        ["src/Lb.Core/Pools/ServerPools.cs"] = ["Dns"],

        // UriHostNameType.Dns is a word, not a look-up.
        ["src/Lb.Transport/Gateways/TlsValidation.cs"] = ["Dns"],

        // Finds out whether an address is free, before anything starts: the bind is the question.
        ["src/Lb.Transport/Gateways/GatewayValidation.cs"] = ["Socket"],
    };

    // Members with a body in the room of data, each with its reason.
    private static readonly Dictionary<string, string> BehaviourOfData = new(StringComparer.Ordinal)
    {
        ["LbOptions.Pool"] = "get or add: several verbs build one pool",
        ["LbOptions.Gateway"] = "get or add, as above",
        ["LbOptions.Router"] = "get or add, as above",
        ["ServerOptions.NameOrAddress"] = "a default that depends on another value",
    };

    public static TheoryData<string> Packages => [.. Repository.Packages.Keys];

    public static TheoryData<string> DecidingFiles =>
    [
        .. PureFiles,
        .. Repository.Files("src", "*.cs").Where(static f => f.Split('/') is [_, _, var folder, ..] && Rooms.GetValueOrDefault(folder) == Decide),
    ];

    public static TheoryData<string> OwningFiles =>
        [.. Repository.Files("src", "*.cs").Where(static f => f.Split('/') is [_, _, var folder, ..] && Rooms.GetValueOrDefault(folder) == Own && !PureFiles.Contains(f))];

    public static TheoryData<string> OptionFiles =>
        [.. Repository.Files("src", "*Options.cs").Where(static f => f.Contains("/Configuration/", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Packages))]
    public void Every_folder_is_a_room(string package)
    {
        if (WithoutRooms.Contains(package)) return;
        string[] homeless = [.. Repository.Files($"src/{package}", "*.cs").Where(static f => f.Split('/') is not [_, _, var folder, _, ..] || !Rooms.ContainsKey(folder))];
        Assert.Empty(homeless);
    }

    [Theory]
    [MemberData(nameof(DecidingFiles))]
    public void What_decides_only_computes(string file) => Assert.Empty(Found(file, NotWhereDecided));

    [Theory]
    [MemberData(nameof(OwningFiles))]
    public void What_owns_state_leaves_io_to_others(string file) => Assert.Empty(Found(file, NotWhereOwned));

    [Fact]
    public void Exceptions_are_still_needed()
    {
        foreach ((string file, string[] words) in Allowed)
        {
            HashSet<string> used = [.. Repository.Parse(file).DescendantTokens().Select(static t => t.ValueText)];
            Assert.All(words, word => Assert.Contains(word, used));
        }
    }

    [Theory]
    [MemberData(nameof(OptionFiles))]
    public void Options_hold_values_and_defaults_only(string file)
    {
        SyntaxNode root = Repository.Parse(file);
        IEnumerable<string> methods = root.DescendantNodes().OfType<BaseMethodDeclarationSyntax>().Select(static m => Name(m, (m as MethodDeclarationSyntax)?.Identifier.Text ?? ".ctor"));
        IEnumerable<string> computed = root.DescendantNodes().OfType<PropertyDeclarationSyntax>()
            .Where(static p => p.ExpressionBody is not null || p.AccessorList!.Accessors.Any(static a => a.Body is not null || a.ExpressionBody is not null))
            .Select(static p => Name(p, p.Identifier.Text));
        string[] behaviour = [.. methods.Concat(computed).Where(static m => !BehaviourOfData.ContainsKey(m))];
        Assert.Empty(behaviour);

        static string Name(SyntaxNode member, string name) => $"{((TypeDeclarationSyntax)member.Parent!).Identifier.Text}.{name}";
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void The_namespace_is_the_package(string package)
    {
        string expected = package == "Lb.Core" ? "Lb" : package;
        List<string> wrong = [];
        foreach (string file in Repository.Files($"src/{package}", "*.cs"))
        {
            foreach (BaseNamespaceDeclarationSyntax space in Repository.Parse(file).DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>())
            {
                string name = space.Name.ToString();

                // Verbs on IServiceCollection are found without a using, those on a pool beside the pool.
                bool isVerb = name is "Microsoft.Extensions.DependencyInjection" or "Lb" && file.Contains("/DependencyInjection/", StringComparison.Ordinal);
                if (name != expected && !isVerb) wrong.Add($"{file}: {name}");
                if (space is not FileScopedNamespaceDeclarationSyntax) wrong.Add($"{file}: the namespace is not file-scoped");
            }
        }

        Assert.Empty(wrong);
    }

    private static string[] Found(string file, HashSet<string> words)
    {
        string[] allowed = Allowed.GetValueOrDefault(file, []);
        return
        [
            .. Repository.Parse(file).DescendantTokens()
                .Where(static t => t.IsKeyword() || t.IsContextualKeyword() || t.IsKind(SyntaxKind.IdentifierToken))
                .Where(t => words.Contains(t.ValueText) && !allowed.Contains(t.ValueText))
                .Select(static t => $"line {t.GetLocation().GetLineSpan().StartLinePosition.Line + 1}: {t.ValueText}"),
        ];
    }
}
