namespace Lb.Core.Tests.Configuration;

/// <summary>Keys of checks beyond the oldest ones.</summary>
public sealed class CheckFeatureBindingTests
{
    [Fact]
    [Trait("Row", "H21")]
    [Trait("Row", "H6")]
    public void Every_key_reaches_its_option()
    {
        CheckOptions check = Read("""{ "Type": "http", "DisableOn404": true, "Retry": 4, "DelayBeforeRetry": "250ms" }""");
        Assert.Equal((true, 4, TimeSpan.FromMilliseconds(250)), (check.DisableOn404, check.Retry, check.DelayBeforeRetry));
    }

    [Fact]
    [Trait("Row", "H26")]
    [Trait("Row", "H13")]
    public void Where_a_check_goes_and_comes_from_is_read()
    {
        CheckOptions check = Read("""{ "Type": "dns", "Address": "192.0.2.9", "SourceAddress": "192.0.2.8", "SendProxy": "v2", "Socks4": "192.0.2.7:1080", "Dns": { "Tcp": true } }""");
        Assert.Equal(("192.0.2.9", "192.0.2.8", "v2", "192.0.2.7:1080", true), (check.Address, check.SourceAddress, check.SendProxy, check.Socks4, check.Dns?.Tcp));
    }

    [Theory]
    [InlineData("""{ "SendProxy": "v3" }""", "Lb:Pools:web:Checks:0:SendProxy = 'v3': must be one of v1, v2, none in this version")]
    [InlineData("""{ "Retry": 101 }""", "Lb:Pools:web:Checks:0:Retry = '101': must be 0 to 100")]
    [InlineData("""{ "Interval": "0.5ms" }""", "Lb:Pools:web:Checks:0:Interval = '500us': must be a duration of 1ms to 24d")]
    [InlineData("""{ "DelayBeforeRetry": "25h" }""", "Lb:Pools:web:Checks:0:DelayBeforeRetry = '25h': must be a duration of 0 to 1d")]
    [InlineData("""{ "DelayBeforeRetry": "-1s" }""", "Lb:Pools:web:Checks:0:DelayBeforeRetry = '-1s': must be a duration of 0 to 1d")]
    [InlineData("""{ "DisableOn404": "perhaps" }""", "Lb:Pools:web:Checks:0:DisableOn404 = 'perhaps': must be true or false")]
    public void Faults_are_named(string check, string error)
    {
        Assert.Equal([error], TestConfiguration.Errors(Pool(check)));
    }

    [Fact]
    [Trait("Row", "H33")]
    public void A_pool_may_name_the_addresses_that_its_checks_need()
    {
        PoolOptions pool = TestConfiguration.Valid(Pool("{}", """ "HaSuspend": [ "192.0.2.86", "2001:db8::86" ], """)).Pools["web"];
        Assert.Equal(["192.0.2.86", "2001:db8::86"], pool.HaSuspend);
        const string Must = "must be an IP address, without a prefix length, port or zone";
        Assert.Equal(
            [
                $"Lb:Pools:web:HaSuspend:0 = '192.0.2.86/24': {Must}", $"Lb:Pools:web:HaSuspend:1 = 'lb.example': {Must}",
                $"Lb:Pools:web:HaSuspend:2 = '0.0.0.0': {Must}", $"Lb:Pools:web:HaSuspend:3 = 'fe80::1%eth0': {Must}",
                $"Lb:Pools:web:HaSuspend:4 = '1.2.3': {Must}", $"Lb:Pools:web:HaSuspend:5 = '224.0.0.18': {Must}", $"Lb:Pools:web:HaSuspend:6 = 'ff02::12': {Must}",
            ],
            TestConfiguration.Errors(Pool("{}", """ "HaSuspend": [ "192.0.2.86/24", "lb.example", "0.0.0.0", "fe80::1%eth0", "1.2.3", "224.0.0.18", "ff02::12" ], """)));
        Assert.Equal(
            ["Lb:Pools:web:HaSuspend: needs Checks: there is nothing to suspend"],
            TestConfiguration.Errors("""{ "Pools": { "web": { "HaSuspend": [ "192.0.2.86" ], "Servers": [ { "Address": "192.0.2.1:80" } ] } } }"""));
    }

    private static CheckOptions Read(string check) => TestConfiguration.Valid(Pool(check)).Pools["web"].Checks[0];

    private static string Pool(string check, string more = "") => $$"""{ "Pools": { "web": { {{more}} "Servers": [ { "Address": "192.0.2.1:80" } ], "Checks": [ {{check}} ] } } }""";
}
