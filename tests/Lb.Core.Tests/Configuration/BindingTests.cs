using Microsoft.Extensions.DependencyInjection;

namespace Lb.Core.Tests.Configuration;

public sealed class BindingTests
{
    [Fact]
    public void Every_key_of_the_schema_reaches_its_option()
    {
        LbOptions o = TestConfiguration.Valid("""
            {
              "Defaults": { "ConnectTimeout": "1s", "ClientTimeout": "2m", "ServerTimeout": "00:00:03", "QueueTimeout": 400, "Retries": 5, "Redispatch": 2 },
              "Pools": { "web": {
                "Balance": "RANDOM",
                "BalanceOptions": { "Draws": 3, "HashType": "map-based", "Avalanche": true },
                "Servers": [ { "Name": "a", "Address": "192.0.2.1:80", "Weight": 7, "Backup": true, "MaxConnections": 9, "InitState": "fully-down" } ],
                "Checks": [ { "Type": "http", "Interval": "4s", "FastInterval": "1s", "DownInterval": "8s", "Timeout": "500ms", "Rise": 3, "Fall": 4,
                              "Port": 81, "Path": "/up", "Method": "HEAD", "Host": "x", "Expect": "200", "ExpectBody": "ok" } ],
                "ConnectTimeout": "11s", "ServerTimeout": "12s", "ServerFinTimeout": "13s", "QueueTimeout": "14s", "MaxQueue": 15, "Retries": 16, "Redispatch": -1,
                "AllBackups": true, "Failback": "stay", "PanicThreshold": 17, "AllDown": "last-known-good" } },
              "Gateways": { "front": {
                "Mode": "TCP", "Listen": [ "0.0.0.0:80", "[::]:80" ], "Pool": "web", "MaxConnections": 21, "Backlog": 22, "ClientTimeout": "23s",
                "ClientFinTimeout": "24s", "DrainTimeout": "25s", "CloseSpreadTime": "26s" } },
              "Health": { "SpreadChecks": 31, "MaxConcurrentChecks": 32, "MaxConcurrentChecksPerHost": 34, "ChecksPerSecond": 35, "ShareChecks": false, "StalledAfter": 36, "History": 37 },
              "Transport": { "Driver": "managed", "Loops": 33 }
            }
            """);

        Assert.Equal((S(1), S(120), S(3)), (o.Defaults.ConnectTimeout, o.Defaults.ClientTimeout, o.Defaults.ServerTimeout));
        Assert.Equal((S(0.4), 5, 2), (o.Defaults.QueueTimeout, o.Defaults.Retries, o.Defaults.Redispatch));

        PoolOptions pool = o.Pools["WEB"];
        Assert.Equal(("RANDOM", 3, "map-based", true), (pool.Balance, pool.BalanceOptions.Draws, pool.BalanceOptions.HashType, pool.BalanceOptions.Avalanche));
        ServerOptions server = Assert.Single(pool.Servers);
        Assert.Equal(("a", "192.0.2.1:80", 7, true, 9), (server.Name, server.Address, server.Weight, server.Backup, server.MaxConnections));
        Assert.Equal(InitState.FullyDown, server.InitState);
        CheckOptions check = Assert.Single(pool.Checks);
        Assert.Equal(("http", S(4), S(1), S(8), S(0.5)), (check.Type, check.Interval, check.FastInterval, check.DownInterval, check.Timeout));
        Assert.Equal((3, 4, 81, "/up", "HEAD"), (check.Rise, check.Fall, check.Port, check.Path, check.Method));
        Assert.Equal(("x", "200", "ok"), (check.Host, check.Expect, check.ExpectBody));
        Assert.Equal((S(11), S(12), S(13), S(14)), (pool.ConnectTimeout, pool.ServerTimeout, pool.ServerFinTimeout, pool.QueueTimeout));
        Assert.Equal((15, 16, -1, true), (pool.MaxQueue, pool.Retries, pool.Redispatch, pool.AllBackups));
        Assert.Equal((Failback.Stay, 17, AllDown.LastKnownGood), (pool.Failback, pool.PanicThreshold, pool.AllDown));

        GatewayOptions gateway = o.Gateways["Front"];
        Assert.Equal(("TCP", "web", 21, 22), (gateway.Mode, gateway.Pool, gateway.MaxConnections, gateway.Backlog));
        Assert.Equal(["0.0.0.0:80", "[::]:80"], gateway.Listen);
        Assert.Equal((S(23), S(24), S(25), S(26)), (gateway.ClientTimeout, gateway.ClientFinTimeout, gateway.DrainTimeout, gateway.CloseSpreadTime));
        Assert.Equal((31, 32, 37, "managed", 33), (o.Health.SpreadChecks, o.Health.MaxConcurrentChecks, o.Health.History, o.Transport.Driver, o.Transport.Loops));
        Assert.Equal((34, 35, false, 36), (o.Health.MaxConcurrentChecksPerHost, o.Health.ChecksPerSecond, o.Health.ShareChecks, o.Health.StalledAfter));
    }

    [Fact]
    public void What_is_not_said_has_its_default()
    {
        LbOptions o = TestConfiguration.Valid("""{ "Pools": { "web": { "Servers": [ { "Address": "192.0.2.1:80" } ], "Checks": [ {} ] } }, "Gateways": { "g": { "Listen": "x:1", "Pool": "web" } } }""");
        PoolOptions pool = o.Pools["web"];
        Assert.Equal(("p2c", 2, "map-based", false), (pool.Balance, pool.BalanceOptions.Draws, pool.BalanceOptions.HashType, pool.BalanceOptions.Avalanche));
        Assert.Equal((null, 1, false, 0, InitState.Up), (pool.Servers[0].Name, pool.Servers[0].Weight, pool.Servers[0].Backup, pool.Servers[0].MaxConnections, pool.Servers[0].InitState));
        Assert.Equal(("tcp", S(2), 2, 3), (pool.Checks[0].Type, pool.Checks[0].Interval, pool.Checks[0].Rise, pool.Checks[0].Fall));
        Assert.Equal((Failback.Immediate, AllDown.Fail, 0), (pool.Failback, pool.AllDown, pool.PanicThreshold));
        Assert.Equal((S(5), S(60), S(60), 3, 1), (o.Defaults.ConnectTimeout, o.Defaults.ClientTimeout, o.Defaults.ServerTimeout, o.Defaults.Retries, o.Defaults.Redispatch));
        Assert.Equal(("tcp", 4096, S(30)), (o.Gateways["g"].Mode, o.Gateways["g"].Backlog, o.Gateways["g"].DrainTimeout));

        // One text counts as a list of one.
        Assert.Equal(["x:1"], o.Gateways["g"].Listen);
    }

    [Fact]
    public void Keys_and_words_are_read_without_regard_to_case()
    {
        LbOptions o = TestConfiguration.Valid("""{ "pools": { "web": { "BALANCE": "RoundRobin", "servers": [ { "ADDRESS": "192.0.2.1:80" } ], "alldown": "USE-ALL", "failback": "Stay" } } }""");
        Assert.Equal((AllDown.UseAll, Failback.Stay), (o.Pools["web"].AllDown, o.Pools["web"].Failback));
    }

    [Theory]
    [InlineData("fail", AllDown.Fail)]
    [InlineData("use-all", AllDown.UseAll)]
    [InlineData("UseAll", AllDown.UseAll)]
    [InlineData("last-known-good", AllDown.LastKnownGood)]
    public void Choices_have_the_spelling_of_HAProxy_or_of_the_code(string text, AllDown choice)
    {
        Assert.Equal(choice, TestConfiguration.Valid(Pool($"\"AllDown\": \"{text}\"")).Pools["web"].AllDown);
    }

    [Theory]
    [InlineData("true", 1)]
    [InlineData("false", 0)]
    [InlineData("3", 3)]
    [InlineData("-1", -1)]
    [InlineData("\"true\"", 1)]
    public void Redispatch_is_true_false_or_a_number(string json, int value)
    {
        Assert.Equal(value, TestConfiguration.Valid(Pool($"\"Redispatch\": {json}")).Pools["web"].Redispatch);
        Assert.Equal(value, TestConfiguration.Valid($$"""{ "Defaults": { "Redispatch": {{json}} } }""").Defaults.Redispatch);
    }

    [Fact]
    public void Lists_longer_than_ten_keep_their_order()
    {
        string servers = string.Join(", ", Enumerable.Range(0, 25).Select(static n => $$"""{ "Address": "192.0.2.1:{{n + 1}}" }"""));
        string listen = string.Join(", ", Enumerable.Range(0, 25).Select(static n => $"\"*:{n + 1}\""));
        LbOptions o = TestConfiguration.Valid($$"""{ "Pools": { "web": { "Servers": [ {{servers}} ] } }, "Gateways": { "g": { "Pool": "web", "Listen": [ {{listen}} ] } } }""");
        Assert.Equal(Enumerable.Range(1, 25).Select(static n => $"192.0.2.1:{n}"), o.Pools["web"].Servers.Select(static s => s.Address));
        Assert.Equal(Enumerable.Range(1, 25).Select(static n => $"*:{n}"), o.Gateways["g"].Listen);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Code_adds_to_what_the_configuration_says_whichever_is_called_first(bool codeFirst)
    {
        ServiceCollection services = new();
        void Code() => services.AddServerPool("web").AddServer("192.0.2.2:80", name: "code").UseFirst().Configure(static p => p.MaxQueue = 9);
        void Configuration() => services.AddLb(TestConfiguration.FromJson("""
            { "Lb": { "Pools": { "web": { "Balance": "roundrobin", "MaxQueue": 5, "Retries": 1, "Servers": [ { "Name": "file", "Address": "192.0.2.1:80" } ] } } } }
            """).GetSection("Lb"));
        if (codeFirst) Code();
        Configuration();
        if (!codeFirst) Code();

        using ServiceProvider provider = services.BuildServiceProvider();
        ServerPool pool = provider.GetRequiredKeyedService<ServerPool>("web");
        Assert.Equal(["file", "code"], pool.Servers.Select(static s => s.Name));
        Assert.Equal(("first", 9, 1), (pool.PolicyName, pool.Settings.MaxQueue, pool.Settings.Retries));
    }

    internal static string Pool(string keys) => $$"""{ "Pools": { "web": { {{keys}}, "Servers": [ { "Address": "192.0.2.1:80" } ] } } }""";

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
