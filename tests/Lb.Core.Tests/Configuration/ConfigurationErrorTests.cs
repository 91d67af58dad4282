using Microsoft.Extensions.DependencyInjection;

namespace Lb.Core.Tests.Configuration;

public sealed class ConfigurationErrorTests
{
    [Fact]
    public void All_faults_are_told_at_once_each_with_its_path_and_value()
    {
        string[] errors = TestConfiguration.Errors("""
            {
              "Defaults": { "ConnectTimeout": "soon", "Retries": 101, "ClientTimeout": "0s" },
              "Pools": {
                "web": {
                  "Balence": "p2c",
                  "Balance": "fastest",
                  "Servers": [ { "Address": "192.0.2.1:80", "Weight": 300 }, { "Name": "b", "Address": "192.0.2.2:99999", "Wieght": 1 }, { "Name": "B", "Address": "192.0.2.3:80" }, {} ],
                  "Checks": [ { "Rise": 0, "Port": "http", "Interval": "1s", "FastInterval": "2s" } ],
                  "MaxQueue": -1, "AllDown": "give-up", "AllBackups": "maybe", "PanicThreshold": 101, "ServerTimeout": "25d"
                },
                "empty": {}
              },
              "Transport": { "Driver": "uring", "Loops": "many" },
              "Health": { "SpreadChecks": 51, "MaxConcurrentChecksPerHost": -1, "ChecksPerSecond": 1000001, "StalledAfter": 1001 }
            }
            """);

        string[] expected =
        [
            "Lb:Defaults:ConnectTimeout = 'soon': must be a duration such as 2s, 100ms, 5m or 00:00:02",
            "Lb:Defaults:Retries = '101': must be 0 to 100",
            "Lb:Defaults:ClientTimeout = '0s': must be a duration above 0 and at most 24d",
            "Lb:Pools:web:Balence = 'p2c': is no known key; did you mean Balance?",
            "Lb:Pools:web:Balance = 'fastest': is no scheduling policy of this version; there are: anchor, dh, first, fo, hash, hdr, jump, ketama, lblc, lblcr, lc, leastconn, maglev, mh, nq, orca, ovf, p2c, peak-ewma, random, rdp-cookie, rendezvous, rif, ring, roundrobin, rr, sed, sh, source, static-rr, sticky, twos, uri, url_param, wlc, wrr",
            "Lb:Pools:web:Servers:0:Weight = '300': must be 0 to 256",
            "Lb:Pools:web:Servers:1:Address = '192.0.2.2:99999': the port '99999' must be 1 to 65535",
            "Lb:Pools:web:Servers:1:Wieght = '1': is no known key; did you mean Weight?",
            "Lb:Pools:web:Servers:2:Name = 'B': is already the name of Lb:Pools:web:Servers:1; names are unique in a pool",
            "Lb:Pools:web:Servers:3:Address = '': is required and must not be empty",
            "Lb:Pools:web:Checks:0:Rise = '0': must be 1 to 1000",
            "Lb:Pools:web:Checks:0:Port = 'http': must be a whole number",
            "Lb:Pools:web:Checks:0:FastInterval = '2s': must not be longer than Interval",
            "Lb:Pools:web:MaxQueue = '-1': must be 0 to 1000000",
            "Lb:Pools:web:AllDown = 'give-up': must be one of fail, use-all, last-known-good",
            "Lb:Pools:web:AllBackups = 'maybe': must be true or false",
            "Lb:Pools:web:PanicThreshold = '101': must be 0 to 100",
            "Lb:Pools:web:ServerTimeout = '25d': must be a duration above 0 and at most 24d",
            "Lb:Pools:empty:Servers: a pool needs at least one server",
            "Lb:Transport:Driver = 'uring': must be one of auto, epoll, io_uring, managed in this version",
            "Lb:Transport:Loops = 'many': must be a whole number",
            "Lb:Health:SpreadChecks = '51': must be 0 to 50",
            "Lb:Health:MaxConcurrentChecksPerHost = '-1': must be 0 to 100000",
            "Lb:Health:ChecksPerSecond = '1000001': must be 0 to 1000000",
            "Lb:Health:StalledAfter = '1001': must be 0 to 1000",
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), errors.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("\"MaxQueue\": \"1.5\"", "MaxQueue = '1.5': must be a whole number")]
    [InlineData("\"MaxQueue\": \"99999999999\"", "MaxQueue = '99999999999': must be a whole number")]
    [InlineData("\"MaxQueue\": null", "MaxQueue = '': must be a whole number")]
    [InlineData("\"MaxQueue\": true", "MaxQueue = 'True': must be a whole number")]
    [InlineData("\"MaxQueue\": [ 1 ]", "MaxQueue: must be a value, not a section or list")]
    [InlineData("\"MaxQueue\": { \"a\": 1 }", "MaxQueue: must be a value, not a section or list")]
    [InlineData("\"AllBackups\": 1", "AllBackups = '1': must be true or false")]
    [InlineData("\"Balance\": \"\"", "Balance = '': is required and must not be empty")]
    [InlineData("\"BalanceOptions\": \"random\"", "BalanceOptions = 'random': must be a section with keys, not a value")]
    [InlineData("\"BalanceOptions\": { \"Draws\": 17 }", "BalanceOptions:Draws = '17': must be 1 to 16")]
    [InlineData("\"BalanceOptions\": { \"HashType\": \"ring\" }", "BalanceOptions:HashType = 'ring': must be one of map-based, consistent in this version")]
    [InlineData("\"BalanceOptions\": { \"HashFunction\": \"md5\" }", "BalanceOptions:HashFunction = 'md5': must be one of sdbm, djb2, wt6, crc32, none")]
    [InlineData("\"BalanceOptions\": { \"HashKey\": \"guid\" }", "BalanceOptions:HashKey = 'guid': must be one of id, addr, addr-port")]
    [InlineData("\"BalanceOptions\": { \"HashBalanceFactor\": 100 }", "BalanceOptions:HashBalanceFactor = '100': must be 0 (no limit) or above 100: below, the servers could not take the load")]
    [InlineData("\"Balance\": \"maglev\", \"BalanceOptions\": { \"TableSize\": 65536 }", "BalanceOptions:TableSize = '65536': must be a prime")]
    [InlineData("\"BalanceOptions\": { \"MinimumRingSize\": 2048, \"MaximumRingSize\": 1024 }", "BalanceOptions:MaximumRingSize = '1024': must not be below MinimumRingSize")]
    [InlineData("\"Balance\": \"hdr\"", "BalanceOptions:Header: is required for hdr: the name of the header")]
    [InlineData("\"BalanceOptions\": { \"Header\": \"X Y\" }", "BalanceOptions:Header = 'X Y': must be the name of a header: letters, digits and !#$%&'*+-.^_`|~")]
    [InlineData("\"BalanceOptions\": { \"Header\": \"\" }", "BalanceOptions:Header = '': must be the name of a header: letters, digits and !#$%&'*+-.^_`|~")]
    [InlineData("\"Balance\": \"hdr\", \"BalanceOptions\": { \"Header\": \"\" }", "BalanceOptions:Header = '': is required for hdr: the name of the header")]
    [InlineData("\"Subset\": { \"Size\": 3, \"Client\": \"\" }", "Subset:Client = '': must not be empty")]
    [InlineData("\"Subset\": { \"Size\": 3, \"Type\": \"RingSteady\" }", "Subset:ClientIndex: is required for ringsteady: the number of this balancer, from 0 without gaps")]
    [InlineData("\"Subset\": { \"Type\": \"ringsteady\", \"ClientIndex\": -1 }", "Subset:ClientIndex = '-1': must be 0 to 1000000")]
    [InlineData("\"ZoneAware\": { \"Local\": \" \" }", "ZoneAware:Local = ' ': must not be empty")]
    [InlineData("\"Balance\": \"url_param\"", "BalanceOptions:Parameter: is required for url_param: the name of the parameter")]
    [InlineData("\"Checks\": \"tcp\"", "Checks = 'tcp': must be a list")]
    [InlineData("\"Checks\": [ \"tcp\" ]", "Checks:0 = 'tcp': must be a section with keys, not a value")]
    [InlineData("\"Checks\": { \"one\": {} }", "Checks:one: Checks is a list; names have no place in it")]
    [InlineData("\"QueueTimeout\": \"x\"", "QueueTimeout = 'x': must be a duration such as 2s, 100ms, 5m or 00:00:02")]
    [InlineData("\"QueueTimeout\": \"-1s\"", "QueueTimeout = '-1s': must be a duration above 0 and at most 24d")]
    [InlineData("\"Retries\": \"some\"", "Retries = 'some': must be a whole number")]
    [InlineData("\"Redispatch\": \"often\"", "Redispatch = 'often': must be true, false or a whole number")]
    [InlineData("\"Redispatch\": 101", "Redispatch = '101': must be -1 to 100")]
    [InlineData("\"AllDown\": \"1\"", "AllDown = '1': must be one of fail, use-all, last-known-good")]
    [InlineData("\"AllDown\": \"-1\"", "AllDown = '-1': must be one of fail, use-all, last-known-good")]
    [InlineData("\"AllDown\": \"fail,use-all\"", "AllDown = 'fail,use-all': must be one of fail, use-all, last-known-good")]
    [InlineData("\"AllDown\": \"u-s-e-all\"", "AllDown = 'u-s-e-all': must be one of fail, use-all, last-known-good")]
    [InlineData("\"AllDown\": \"\"", "AllDown = '': must be one of fail, use-all, last-known-good")]
    public void One_wrong_value_is_one_error(string keys, string error)
    {
        Assert.Equal([$"Lb:Pools:web:{error}"], TestConfiguration.Errors(BindingTests.Pool(keys)));
    }

    [Theory]
    [InlineData("""{ "Pools": "web" }""", "Lb:Pools = 'web': must be a section of named entries")]
    [InlineData("""{ "Pools": { "web": "x" } }""", "Lb:Pools:web = 'x': must be a section with keys, not a value")]
    [InlineData("""{ "Pools": { "web": { "Servers": "192.0.2.1:80" } } }""", "Lb:Pools:web:Servers = '192.0.2.1:80': must be a list")]
    [InlineData("""{ "Pools": { "web": { "Servers": [] } } }""", "Lb:Pools:web:Servers: a pool needs at least one server")]
    [InlineData("""{ "Defaults": 5 }""", "Lb:Defaults = '5': must be a section with keys, not a value")]
    [InlineData("""{ "Pool": {} }""", "Lb:Pool = '': is no known key; did you mean Pools?")]
    [InlineData("""{ "Xyzzy": 1 }""", "Lb:Xyzzy = '1': is no known key; there are: ")]
    public void Sections_lists_and_values_are_told_apart(string lb, string error)
    {
        Assert.Contains(TestConfiguration.Errors(lb), e => e.StartsWith(error, StringComparison.Ordinal) || (error.Contains("= ''", StringComparison.Ordinal) && e.StartsWith(error.Replace(" = ''", "", StringComparison.Ordinal), StringComparison.Ordinal)));
    }

    [Fact]
    public void Keys_that_this_version_does_not_act_on_are_refused_by_name()
    {
        string[] errors = TestConfiguration.Errors("""
            {
              "Stats": { "Listen": "x" }, "Runtime": {}, "State": "f", "Log": {},
              "Pools": { "web": {
                "Servers": [ { "Address": "192.0.2.1:80", "Cookie": "a" } ],
                "RetryOn": "all", "HttpReuse": "safe" } },
              "Gateways": { "g": { "Listen": "x:1", "Pool": "web", "Rules": [], "ForwardFor": {} } }
            }
            """);
        string[] keys =
        [
            "Lb:Stats", "Lb:Runtime", "Lb:State", "Lb:Log",
            "Lb:Pools:web:Servers:0:Cookie",
            "Lb:Pools:web:RetryOn", "Lb:Pools:web:HttpReuse",
            "Lb:Gateways:g:Rules", "Lb:Gateways:g:ForwardFor",
        ];
        Assert.All(errors, static e => Assert.EndsWith("is not in this version", e, StringComparison.Ordinal));
        Assert.Equal(keys.Order(StringComparer.Ordinal), errors.Select(static e => e.Split(" = ")[0].Replace(": is not in this version", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Paths_begin_where_the_section_is()
    {
        ServiceCollection services = new();
        services.AddLb(TestConfiguration.FromJson("""{ "My": { "Balancer": { "Defaults": { "Retries": -1 } } } }""").GetSection("My:Balancer"));
        using ServiceProvider provider = services.BuildServiceProvider();
        ConfigurationError error = Assert.Single(provider.GetRequiredService<LbConfiguration>().Validate());
        Assert.Equal(("My:Balancer:Defaults:Retries", "-1", "must be 0 to 100"), (error.Path, error.Value, error.Message));
    }

    [Fact]
    public void What_nobody_in_the_host_would_follow_is_an_error()
    {
        ServiceCollection services = new();
        services.AddLb(TestConfiguration.FromJson("""
            { "Lb": { "Pools": { "web": { "Servers": [ { "Address": "192.0.2.1:80" } ], "Checks": [ {} ] } }, "Gateways": { "g": { "Listen": "x:1", "Pool": "web" } } } }
            """).GetSection("Lb"));
        using ServiceProvider provider = services.BuildServiceProvider();
        Assert.Equal(
            ["Lb:Pools: nothing follows Checks in this host: reference Lb.Health and call AddHealth()",
             "Lb:Gateways: nothing follows Gateways in this host: reference Lb.Transport and call AddGateways()"],
            provider.GetRequiredService<LbConfiguration>().Validate().Select(static e => e.ToString()));
    }

    [Fact]
    public void Faults_of_code_are_told_in_the_same_words()
    {
        ServiceCollection services = new();
        services.AddServerPool("web").AddServer("nowhere", weight: 300).AddServer("192.0.2.1:80").AddServer("192.0.2.1:80").UseScheduler("nosuch");
        using ServiceProvider provider = services.BuildServiceProvider();
        Assert.Equal(
            ["Lb:Pools:web:Balance = 'nosuch': is no scheduling policy of this version; there are: anchor, dh, first, fo, hash, hdr, jump, ketama, lblc, lblcr, lc, leastconn, maglev, mh, nq, orca, ovf, p2c, peak-ewma, random, rdp-cookie, rendezvous, rif, ring, roundrobin, rr, sed, sh, source, static-rr, sticky, twos, uri, url_param, wlc, wrr",
             "Lb:Pools:web:Servers:0:Weight = '300': must be 0 to 256",
             "Lb:Pools:web:Servers:0:Address = 'nowhere': must be host:port, for example 192.0.2.1:80, [2001:db8::1]:80, host.example:80, or unix:/path",
             "Lb:Pools:web:Servers:2:Name = '192.0.2.1:80': is already the name of Lb:Pools:web:Servers:1; names are unique in a pool"],
            provider.GetRequiredService<LbConfiguration>().Validate().Select(static e => e.ToString()));
    }

    [Fact]
    public void A_check_made_by_code_and_a_pool_made_by_hand_are_checked_too()
    {
        string message = Assert.Throws<ArgumentException>(() => TestPool.Create(0, configure: static o => o.PanicThreshold = -1)).Message;
        Assert.Contains("web:PanicThreshold = '-1': must be 0 to 100", message, StringComparison.Ordinal);
        Assert.Contains("web:Servers: a pool needs at least one server", message, StringComparison.Ordinal);
    }
}
