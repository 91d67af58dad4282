using Lb.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Health.Tests.DependencyInjection;

public sealed class HealthVerbsTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task Pools_in_code_get_their_checks()
    {
        FakeHealthChecker fake = new();
        int asked = 0;
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(new ManualTimeProvider());
        builder.Services.AddServerPool("a").AddServer("127.0.0.1:1").AddCheck(fake, c => c.Fall = 1);
        builder.Services.AddServerPool("b").AddServer("127.0.0.1:1", name: "b1").AddCheck("mine", (target, _) =>
        {
            Interlocked.Increment(ref asked);
            return ValueTask.FromResult(new ProbeResult(CheckStatus.Layer7Status, 7, target.Server));
        }, c => c.Fall = 1);
        builder.Services.AddServerPool("c").AddServer("127.0.0.1:1").AddTcpCheck().AddHttpCheck(c => c.Path = "/x");
        using IHost host = builder.Build();
        LbOptions options = host.Services.GetRequiredService<LbConfiguration>().Read();
        Assert.Equal(["FakeHealthChecker", "mine", "tcp", "http"], options.Pools.Values.SelectMany(p => p.Checks).Select(c => c.Type));
        Assert.Empty(host.Services.GetRequiredService<LbConfiguration>().Validate());

        await host.StartAsync(TestContext.Current.CancellationToken);
        ServerPools pools = host.Services.GetRequiredService<ServerPools>();
        Assert.Equal(ServerStatus.Up, pools["a"].Servers[0].Status);
        Assert.Equal((ServerStatus.Down, "b1"), (pools["b"].Servers[0].Status, pools["b"].Servers[0].LastCheck!.Text));
        Assert.Equal(1, asked);

        // The same checks after a reload: nothing starts anew.
        await host.Services.GetRequiredService<ILbReloader>().ReloadAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, asked);
        Assert.Single(fake.Calls);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_built_in_check_can_be_replaced()
    {
        HealthCheckers checkers = new([.. HealthCheckers.BuiltInRegistrations(TimeProvider.System), new("TCP", static _ => new FakeHealthChecker())]);
        using ServiceProvider services = new ServiceCollection().BuildServiceProvider();
        Assert.IsType<FakeHealthChecker>(checkers.Create(new CheckOptions { Type = "tcp" }, services));
        Assert.IsType<HttpChecker>(checkers.Create(new CheckOptions { Type = "Http" }, services));
        Assert.Throws<InvalidOperationException>(() => checkers.Create(new CheckOptions { Checker = static _ => "no checker" }, services));
    }

    [Theory]
    [Trait("Row", "H7")]
    [InlineData("Type", "htp", "Type = 'htp': is no health check of this version; there are: agent, command, dns, grpc, http, https, icmp, mysql, pgsql, redis, smtp, tcp, tcp-script, tls, udp")]
    [InlineData("Expect", "200-", "Expect = '200-': '200-' must be a status code or a range of them, 100 to 599, as in 200-399 or 200,204,301-302")]
    [InlineData("Expect", "500-400", "Expect = '500-400': the range '500-400' ends before it begins")]
    [InlineData("Path", "healthz", "Path = 'healthz': must start with '/' and have only visible ASCII characters; percent-encode the others")]
    [InlineData("Path", "/a\r\nX: y", "Path = '/a??X: y': must start with '/' and have only visible ASCII characters; percent-encode the others")]
    [InlineData("Path", "/ä", "Path = '/ä': must start with '/' and have only visible ASCII characters; percent-encode the others")]
    [InlineData("Method", "GET /", "Method = 'GET /': must be a method such as GET, HEAD or OPTIONS")]
    [InlineData("Host", "a\nb", "Host = 'a?b': must be a host name, with a port if need be, of visible ASCII characters")]
    [InlineData("Host", "", "Host = '': must be a host name, with a port if need be, of visible ASCII characters")]
    [InlineData("ExpectBody", "", "ExpectBody = '': must not be empty; leave it out to accept any body")]
    public void Faults_are_told_with_path_and_value(string key, string value, string expected)
    {
        string error = Assert.Single(Validate("http", (key, value)));
        Assert.Equal($"Lb:Pools:web:Checks:0:{expected}", error);
    }

    [Fact]
    public void HEAD_with_a_body_is_a_fault()
    {
        string error = Assert.Single(Validate("http", ("Method", "HEAD"), ("ExpectBody", "ok")));
        Assert.Equal("Lb:Pools:web:Checks:0:ExpectBody = 'ok': can't be found in the answer to HEAD, which has no body", error);
    }

    [Fact]
    public void Http_keys_do_no_harm_to_other_checks() => Assert.Empty(Validate("tcp", ("Path", "x"), ("Expect", "any"), ("Method", "G T")));

    [Fact]
    public void Good_http_checks_have_no_faults() => Assert.Empty(
        Validate("HTTP", ("Path", "/healthz?x=%20"), ("Expect", "200,204, 301-302"), ("Method", "OPTIONS"), ("Host", "[::1]:80"), ("ExpectBody", "ok\n")));

    private static IReadOnlyList<string> Validate(string type, params (string Key, string Value)[] keys)
    {
        Dictionary<string, string?> values = new() { ["Lb:Pools:web:Servers:0:Address"] = "127.0.0.1:1", ["Lb:Pools:web:Checks:0:Type"] = type };
        foreach ((string key, string value) in keys) values[$"Lb:Pools:web:Checks:0:{key}"] = value;
        ServiceCollection services = new();
        services.AddLb(new ConfigurationBuilder().AddInMemoryCollection(values).Build().GetSection("Lb")).AddHealth().AddHealth();
        using ServiceProvider provider = services.BuildServiceProvider();
        return [.. provider.GetRequiredService<LbConfiguration>().Validate().Select(e => e.ToString())];
    }
}
