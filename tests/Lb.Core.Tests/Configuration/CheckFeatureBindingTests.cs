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

    [Theory]
    [InlineData("""{ "Retry": 101 }""", "Lb:Pools:web:Checks:0:Retry = '101': must be 0 to 100")]
    [InlineData("""{ "DelayBeforeRetry": "-1s" }""", "Lb:Pools:web:Checks:0:DelayBeforeRetry = '-1s': must be a duration of 0 or more and at most 24d")]
    [InlineData("""{ "DisableOn404": "perhaps" }""", "Lb:Pools:web:Checks:0:DisableOn404 = 'perhaps': must be true or false")]
    public void Faults_are_named(string check, string error)
    {
        Assert.Equal([error], TestConfiguration.Errors(Pool(check)));
    }

    private static CheckOptions Read(string check) => TestConfiguration.Valid(Pool(check)).Pools["web"].Checks[0];

    private static string Pool(string check) => $$"""{ "Pools": { "web": { "Servers": [ { "Address": "192.0.2.1:80" } ], "Checks": [ {{check}} ] } } }""";
}
