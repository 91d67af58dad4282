namespace Lb.Core.Tests.Configuration;

/// <summary>The keys that say who is let in, how fast and how much.</summary>
public sealed class AdmissionBindingTests
{
    [Fact]
    public void Every_key_is_read()
    {
        LbOptions options = TestConfiguration.Valid("""
            {
              "Transport": { "MaxConnections": 5000, "MaxMemory": "512m" },
              "Pools": { "web": { "FullConnections": 300, "Servers": [ { "Address": "192.0.2.1:80", "MinConnections": 3, "MaxConnections": 9 } ] } },
              "Gateways": { "g": { "Listen": "127.0.0.1:1", "Pool": "web", "SessionRate": 7, "TarpitTimeout": "3s", "MaxHeld": 11,
                "Access": [ { "Action": "silent-drop", "From": "10.0.0.0/8" }, { "Action": "reject", "From": [ "192.0.2.1", "2001:db8::/32" ], "FromFile": "/etc/lb/deny" }, { "Action": "Tarpit" } ],
                "PerSource": { "MaxConnections": 4, "Rate": 5, "Period": "2s", "Mask": "255.255.255.0", "Mask6": 56, "Action": "delay", "TableSize": 99 },
                "QueuePriority": { "Class": -3, "Offset": "500ms" } } }
            }
            """);
        GatewayOptions gateway = options.Gateways["g"];
        Assert.Equal((5000, 512L << 20), (options.Transport.MaxConnections, options.Transport.MaxMemory));
        Assert.Equal((300, 3), (options.Pools["web"].FullConnections, options.Pools["web"].Servers[0].MinConnections));
        Assert.Equal((7, TimeSpan.FromSeconds(3), 11), (gateway.SessionRate, gateway.TarpitTimeout, gateway.MaxHeld));
        Assert.Equal(
            "SilentDrop 10.0.0.0/8 |Reject 192.0.2.1,2001:db8::/32 /etc/lb/deny|Tarpit  ",
            string.Join('|', gateway.Access.Select(static r => $"{r.Action} {string.Join(',', r.From)} {r.FromFile}")));
        PerSourceOptions source = gateway.PerSource;
        Assert.Equal((4, 5, TimeSpan.FromSeconds(2), 24, 56, AccessAction.Delay, 99), (source.MaxConnections, source.Rate, source.Period, source.Mask, source.Mask6, source.Action, source.TableSize));
        Assert.Equal((-3, TimeSpan.FromMilliseconds(500)), (gateway.QueuePriority.Class, gateway.QueuePriority.Offset));
    }

    [Theory]
    [InlineData("1048576", 1L << 20)]
    [InlineData("64M", 64L << 20)]
    [InlineData("2048k", 2L << 20)]
    [InlineData("3g", 3L << 30)]
    [InlineData("0", 0)]
    public void Memory_is_read_in_bytes_or_with_a_unit(string text, long bytes) =>
        Assert.Equal(bytes, TestConfiguration.Valid($$"""{ "Transport": { "MaxMemory": "{{text}}" } }""").Transport.MaxMemory);

    [Theory]
    [InlineData("\"SessionRate\": -1", "SessionRate = '-1': must be 0 to 16000000")]
    [InlineData("\"TarpitTimeout\": \"0s\"", "TarpitTimeout = '0s': must be a duration above 0 and at most 24d")]
    [InlineData("\"Access\": [ { \"Action\": \"drop\" } ]", "Access:0:Action = 'drop': must be one of allow, deny, reject, silent-drop, tarpit, delay")]
    [InlineData("\"Access\": [ { \"Action\": \"delay\" } ]", "Access:0:Action = 'delay': is for PerSource only; must be allow, deny, reject, silent-drop or tarpit")]
    [InlineData("\"Access\": [ { \"From\": [ \"10.0.0.0/8\", \"10.0.0.0/33\" ] } ]", "Access:0:From:1 = '10.0.0.0/33': the prefix '33' must be 0 to 32")]
    [InlineData("\"Access\": [ {}, { \"From\": \"10.0.0.1\" } ]", "Access:0: fits everybody, so no rule after it is ever asked; give it From, or put it last")]
    [InlineData("\"PerSource\": { \"Action\": \"allow\" }", "PerSource:Action = 'allow': would limit nobody; must be reject, deny, silent-drop, tarpit or delay")]
    [InlineData("\"PerSource\": { \"TableSize\": 0 }", "PerSource:TableSize = '0': must be 1 to 10000000")]
    [InlineData("\"QueuePriority\": { \"Class\": 3000 }", "QueuePriority:Class = '3000': must be -2047 to 2047")]
    [InlineData("\"QueuePriority\": { \"Offset\": \"10m\" }", "QueuePriority:Offset = '10m': must be -524287ms to 524287ms")]
    public void Faults_name_path_and_value(string keys, string error)
    {
        string[] errors = TestConfiguration.Errors($$"""
            { "Pools": { "web": { "Servers": [ { "Address": "192.0.2.1:80" } ] } }, "Gateways": { "g": { "Listen": "127.0.0.1:1", "Pool": "web", {{keys}} } } }
            """);
        Assert.Equal($"Lb:Gateways:g:{error}", Assert.Single(errors));
    }

    [Theory]
    [InlineData("1000", "must be 0 (no limit) or 1 MiB (1m) and more")]
    [InlineData("1t", "must be a number of bytes such as 1048576, 512m or 2g")]
    [InlineData("99999999999g", "must be a number of bytes such as 1048576, 512m or 2g")]
    public void Memory_that_makes_no_sense_is_refused(string text, string error) =>
        Assert.Equal($"Lb:Transport:MaxMemory = '{text}': {error}", Assert.Single(TestConfiguration.Errors($$"""{ "Transport": { "MaxMemory": "{{text}}" } }""")));
}
