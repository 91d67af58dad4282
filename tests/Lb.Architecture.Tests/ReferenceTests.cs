using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Markdig.Extensions.Tables;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.Extensions.Configuration;

namespace Lb.Architecture.Tests;

/// <summary>The reference pages say what the code does: keys, ranges, defaults, words, event ids, metrics.</summary>
public sealed partial class ReferenceTests
{
    private const string Configuration = "docs/guide/configuration.md";
    private const string Pools = "docs/guide/pools.md";
    private static readonly string[] FamilyPages = ["docs/guide/haproxy-schedulers.md", "docs/guide/lvs-schedulers.md", "docs/guide/hash-schedulers.md"];
    private const string Checks = "docs/guide/health-checks.md";
    private const string Operations = "docs/guide/operations.md";
    private const string Unknown = "QqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqQ";

    // Heading of the reference -> where the section is in a configuration, and the options class that it fills.
    private static readonly Dictionary<string, (string Path, Type Options)> Sections = new(StringComparer.Ordinal)
    {
        ["Lb"] = ("", typeof(LbOptions)),
        ["Defaults"] = ("Defaults:", typeof(DefaultsOptions)),
        ["Pools"] = ("Pools:p:", typeof(PoolOptions)),
        ["BalanceOptions"] = ("Pools:p:BalanceOptions:", typeof(BalanceOptions)),
        ["Outlier"] = ("Pools:p:Outlier:", typeof(OutlierOptions)),
        ["CircuitBreaker"] = ("Pools:p:CircuitBreaker:", typeof(CircuitBreakerOptions)),
        ["FlapDamping"] = ("Pools:p:FlapDamping:", typeof(FlapDampingOptions)),
        ["RetryBudget"] = ("Pools:p:RetryBudget:", typeof(RetryBudgetOptions)),
        ["ZoneAware"] = ("Pools:p:ZoneAware:", typeof(ZoneAwareOptions)),
        ["Subset"] = ("Pools:p:Subset:", typeof(SubsetOptions)),
        ["SorryServer"] = ("Pools:p:SorryServer:", typeof(SorryServerOptions)),
        ["Persistence"] = ("Pools:p:Persistence:", typeof(PersistenceOptions)),
        ["Servers"] = ("Pools:p:Servers:0:", typeof(ServerOptions)),
        ["Checks"] = ("Pools:p:Checks:0:", typeof(CheckOptions)),
        ["Requests"] = ("Pools:p:Checks:0:Requests:0:", typeof(CheckRequestOptions)),
        ["Expects"] = ("Pools:p:Checks:0:Expects:0:", typeof(CheckExpectOptions)),
        ["Script"] = ("Pools:p:Checks:0:Script:0:", typeof(CheckStepOptions)),
        ["Tls"] = ("Pools:p:Checks:0:Tls:", typeof(CheckTlsOptions)),
        ["Udp"] = ("Pools:p:Checks:0:Udp:", typeof(CheckUdpOptions)),
        ["Dns"] = ("Pools:p:Checks:0:Dns:", typeof(CheckDnsOptions)),
        ["Gateways"] = ("Gateways:g:", typeof(GatewayOptions)),
        ["Access"] = ("Gateways:g:Access:0:", typeof(AccessRuleOptions)),
        ["PerSource"] = ("Gateways:g:PerSource:", typeof(PerSourceOptions)),
        ["QueuePriority"] = ("Gateways:g:QueuePriority:", typeof(QueuePriorityOptions)),
        ["Tcp of a gateway"] = ("Gateways:g:Tcp:", typeof(ListenTcpOptions)),
        ["Tcp of a pool or server"] = ("Pools:p:Tcp:", typeof(ConnectTcpOptions)),
        ["KeepAlive"] = ("Gateways:g:Tcp:KeepAlive:", typeof(KeepAliveOptions)),
        ["Tls of a gateway"] = ("Gateways:g:Tls:", typeof(GatewayTlsOptions)),
        ["Certificates"] = ("Gateways:g:Tls:Certificates:0:", typeof(CertificateOptions)),
        ["Tls of a server"] = ("Pools:p:Servers:0:Tls:", typeof(ServerTlsOptions)),
        ["Health"] = ("Health:", typeof(HealthOptions)),
        ["Transport"] = ("Transport:", typeof(TransportOptions)),
        ["Routers"] = ("Routers:r:", typeof(RouterOptions)),
        ["Addresses"] = ("Routers:r:Addresses:0:", typeof(VirtualAddressOptions)),
        ["Track"] = ("Routers:r:Track:0:", typeof(RouterTrackOptions)),
        ["Unicast"] = ("Routers:r:Unicast:", typeof(RouterUnicastOptions)),
        ["Authentication"] = ("Routers:r:Authentication:", typeof(RouterAuthenticationOptions)),
        ["VirtualMac"] = ("Routers:r:VirtualMac:", typeof(RouterVirtualMacOptions)),
        ["Announce"] = ("Routers:r:Announce:", typeof(RouterAnnounceOptions)),
        ["Notify"] = ("Routers:r:Notify:", typeof(RouterNotifyOptions)),
        ["Vrrp"] = ("Vrrp:", typeof(VrrpOptions)),
    };

    public static TheoryData<string> SectionNames => [.. Sections.Keys];

    [Theory]
    [MemberData(nameof(SectionNames))]
    public void The_reference_has_the_keys_that_the_reader_knows(string section)
    {
        string path = Sections[section].Path;
        string told = Assert.Single(Errors(path + Unknown, "x"), static e => e.Path.EndsWith(Unknown, StringComparison.Ordinal)).Message;
        string[] known = told[(told.IndexOf("there are: ", StringComparison.Ordinal) + "there are: ".Length)..].Split(", ");
        string[] refused = [.. known.Where(key => Errors(path + key, "1").Any(static e => e.Message == "is not in this version"))];

        (Dictionary<string, Row> taken, Dictionary<string, Row> not) = Tables(section);
        Assert.Equal(known.Except(refused).Order(StringComparer.Ordinal), taken.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(refused.Order(StringComparer.Ordinal), not.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(SectionNames))]
    public void The_reference_has_the_ranges_and_defaults_of_the_code(string section)
    {
        Type type = Sections[section].Options;
        object options = Activator.CreateInstance(type)!;
        foreach ((string key, Row row) in Tables(section).Taken)
        {
            PropertyInfo property = type.GetProperty(key)!;
            if (property.CustomAttributes.FirstOrDefault(static a => a.AttributeType.Name == "WithinAttribute") is { } within)
                Assert.Equal($"{key}: {Number(within.ConstructorArguments[0])} to {Number(within.ConstructorArguments[1])}", $"{key}: {row.Range}");
            if (Value(property.GetValue(options)) is { } value)
                Assert.Equal($"{key}: {value}", $"{key}: {row.Default.Split(',')[0].Split(" (")[0]}");
        }
    }

    [Fact]
    public void Every_scheduling_policy_has_its_paragraph()
    {
        string told = Assert.Single(Errors("Pools:p:Balance", Unknown), static e => e.Path == "Lb:Pools:p:Balance").Message;
        string[] known = told[(told.IndexOf("there are: ", StringComparison.Ordinal) + "there are: ".Length)..].Split(", ");
        Assert.Equal(known.Order(StringComparer.Ordinal), CodeHeadings(Pools).Concat(FamilyPages.SelectMany(NamedPolicies)).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_kind_of_check_has_its_paragraph()
    {
        string told = Assert.Single(Errors("Pools:p:Checks:0:Type", Unknown), static e => e.Path == "Lb:Pools:p:Checks:0:Type").Message;
        string[] known = told[(told.IndexOf("there are: ", StringComparison.Ordinal) + "there are: ".Length)..].Split(", ");
        Assert.Equal(known.Order(StringComparer.Ordinal), CodeHeadings(Checks));
    }

    [Fact]
    public void Every_event_id_is_explained()
    {
        int[] documented = [.. Rows(Page.Of(Operations)).Select(static r => r[0]).Where(static c => EventId().IsMatch(c)).Select(static c => int.Parse(c, CultureInfo.InvariantCulture))];
        Assert.Equal(HouseRulesTests.EventIds().Select(static e => e.Id).Order(), documented.Order());
    }

    [Fact]
    public void Every_metric_is_explained()
    {
        string[] instruments =
        [
            .. Repository.Files("src", "*Metrics.cs").SelectMany(static f => Repository.Parse(f).DescendantNodes().OfType<InvocationExpressionSyntax>())
                .Where(static i => i.Expression is MemberAccessExpressionSyntax { Name.Identifier.Text: var name } && name.StartsWith("Create", StringComparison.Ordinal) && name != "Create")
                .Select(static i => i.ArgumentList.Arguments[0].Expression).OfType<LiteralExpressionSyntax>().Select(static l => l.Token.ValueText),
        ];
        Assert.NotEmpty(instruments);
        Assert.Equal(
            instruments.Order(StringComparer.Ordinal),
            Rows(Page.Of(Operations)).Select(static r => r[0]).Where(static c => c.StartsWith("lb.", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_ending_of_a_connection_is_explained()
    {
        string[] documented = [.. Rows(Page.Of("docs/guide/tcp-gateway.md")).Select(static r => r[0]).Where(static c => Enum.TryParse<Transport.RelayEnd>(c, out _))];
        Assert.Equal(Enum.GetNames<Transport.RelayEnd>(), documented);
    }

    [Fact]
    public void Every_ending_of_a_UDP_session_and_every_reason_of_a_drop_is_explained()
    {
        Assert.Equal(Enum.GetNames<Transport.UdpEnd>(), FirstColumn("Ending"));
        Assert.Equal(Enum.GetNames<Transport.UdpDrop>(), FirstColumn("Reason"));

        static IEnumerable<string> FirstColumn(string heading) => Page.Of("docs/guide/udp-gateways.md").Document.Descendants<Table>().Select(Rows)
            .Single(rows => rows[0][0] == heading).Skip(1).Select(static row => row[0]);
    }

    private sealed record Row(string Range, string Default);

    private static IReadOnlyList<ConfigurationError> Errors(string key, string value) =>
        SnippetsTests.Validate(new ConfigurationBuilder().AddInMemoryCollection([new($"Lb:{key}", value)]).Build());

    private static string[] CodeHeadings(string page) =>
    [
        .. Page.Of(page).Headings.Where(static h => h.Inline!.FirstChild is CodeInline && h.Inline.FirstChild == h.Inline.LastChild)
            .Select(static h => Page.Text(h.Inline)).Order(StringComparer.Ordinal),
    ];

    /// <summary>Policies that a page of a family explains: under a heading of their own, or in a row of a table whose first column is "Balance".</summary>
    private static IEnumerable<string> NamedPolicies(string page) =>
        CodeHeadings(page).Concat(Page.Of(page).Document.Descendants<Table>().Select(Rows).Where(static rows => rows[0][0] == "Balance")
            .SelectMany(static rows => rows.Skip(1).Select(static row => row[0])));

    /// <summary>The keys below a heading: those of the first table, and of the table that begins with "Refused".</summary>
    private static (Dictionary<string, Row> Taken, Dictionary<string, Row> Refused) Tables(string section)
    {
        Dictionary<string, Row> taken = new(StringComparer.Ordinal), refused = new(StringComparer.Ordinal);
        IEnumerable<Block> blocks = Page.Of(Configuration).Document
            .SkipWhile(b => b is not HeadingBlock h || Page.Text(h.Inline) != section).Skip(1).TakeWhile(static b => b is not HeadingBlock);
        foreach (Table table in blocks.OfType<Table>())
        {
            List<string[]> rows = Rows(table);
            bool isRefused = rows[0][0].StartsWith("Refused", StringComparison.Ordinal);
            foreach (string[] row in rows.Skip(1)) (isRefused ? refused : taken).Add(row[0], isRefused ? new Row("", "") : new Row(row[2], row[3]));
        }

        return (taken, refused);
    }

    private static IEnumerable<string[]> Rows(Page page) => page.Document.Descendants<Table>().SelectMany(Rows);

    private static List<string[]> Rows(Table table) =>
        [.. table.OfType<TableRow>().Select(static r => r.OfType<TableCell>().Select(static c => string.Join(' ', c.Descendants<ParagraphBlock>().Select(static p => Page.Text(p.Inline)))).ToArray())];

    private static string Number(CustomAttributeTypedArgument argument) =>
        ((int)argument.Value!).ToString(argument.Value is int and (> 9999 or < -9999) ? "#,0" : "0", CultureInfo.InvariantCulture).Replace(',', ' ');

    // As the page writes it; null for what has no value of its own.
    private static string? Value(object? value) => value switch
    {
        TimeSpan time => Durations.Format(time),
        bool flag => flag ? "true" : "false",
        int number => number.ToString(CultureInfo.InvariantCulture),
        Enum choice => string.Concat(choice.ToString().Select(static (c, i) => i > 0 && char.IsAsciiLetterUpper(c) ? $"-{char.ToLowerInvariant(c)}" : char.ToLowerInvariant(c).ToString())),
        string { Length: > 0 } text => text,
        _ => null,
    };

    [GeneratedRegex(@"^\d{4}$")]
    private static partial Regex EventId();
}
