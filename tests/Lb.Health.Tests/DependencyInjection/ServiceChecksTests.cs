using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Health.Tests.DependencyInjection;

[Trait("Row", "H17")]
[Trait("Row", "H20")]
public sealed class ServiceChecksTests
{
    [Fact]
    public void Verbs_and_keys_make_the_same_checks()
    {
        ServiceCollection services = new();
        services.AddServerPool("p").AddServer("127.0.0.1:1")
            .AddSmtpCheck(c => c.Hello = "lb.example").AddRedisCheck().AddPostgresCheck("lb").AddMySqlCheck("lb").AddGrpcCheck("shop.Cart")
            .AddCommandCheck(["/bin/true", "{name}"], c => c.Dynamic = true).AddAgentCheck(9, c => c.AgentSend = "x");
        using ServiceProvider coded = services.BuildServiceProvider();
        Assert.Empty(coded.GetRequiredService<LbConfiguration>().Validate());

        List<CheckOptions> one = [.. coded.GetRequiredService<LbConfiguration>().Read().Pools["p"].Checks], two = [.. Read(
            ("0:Type", "smtp"), ("0:Hello", "lb.example"), ("1:Type", "redis"), ("2:Type", "pgsql"), ("2:User", "lb"), ("3:Type", "mysql"), ("3:User", "lb"),
            ("4:Type", "grpc"), ("4:Service", "shop.Cart"), ("5:Type", "command"), ("5:Command:0", "/bin/true"), ("5:Command:1", "{name}"), ("5:Dynamic", "true"),
            ("6:Type", "agent"), ("6:Port", "9"), ("6:AgentSend", "x")).Read().Pools["p"].Checks];
        Assert.Equal(7, one.Count);
        Assert.All(one.Zip(two), static pair => Assert.True(CheckPlan.IsSame(pair.First, pair.Second), pair.First.Type));
        HealthCheckers checkers = new(HealthCheckers.BuiltInRegistrations(TimeProvider.System));
        Assert.All(two, check => Assert.NotNull(checkers.Create(check, coded)));
    }

    [Theory]
    [InlineData("smtp", "Hello", "a b", "Hello = 'a b': must be a host name of visible ASCII characters")]
    [InlineData("pgsql", null, null, "User: is required for pgsql: the user who asks; nobody logs in")]
    [InlineData("redis", "User", "a", "User = 'a': needs PasswordFile or PasswordVariable")]
    [InlineData("redis", "PasswordFile", "/nonexistent/pw", "PasswordFile = '/nonexistent/pw': the password file can't be read: DirectoryNotFoundException")]
    [InlineData("redis", "PasswordVariable", "LB_TEST_NOT_SET", "PasswordVariable = 'LB_TEST_NOT_SET': the environment variable LB_TEST_NOT_SET is not set")]
    [InlineData("grpc", "Host", "a\r\nb", "Host = 'a??b': must be a host name, with a port if need be, of visible ASCII characters")]
    [InlineData("agent", null, null, "Port: is required for agent: an agent has a port of its own")]
    [InlineData("command", null, null, "Command: is required for command: the program, as an absolute path, and its arguments")]
    [InlineData("command", "Command", "true", "Command:0 = 'true': must be an absolute path: nothing is searched for, and no shell reads it")]
    [InlineData("command", "Command", "/nonexistent/x", "Command:0 = '/nonexistent/x': there is no such file, or it can't be looked at")]
    public void Faults_are_told_with_path_and_value(string type, string? key, string? value, string error)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "programs are run as checks on Linux only");
        List<(string, string)> keys = [("0:Type", type)];
        if (key is not null) keys.Add(($"0:{key}", value!));
        Assert.Equal([$"Lb:Pools:p:Checks:0:{error}"], Read([.. keys]).Validate().Select(static e => e.ToString()));
    }

    private static LbConfiguration Read(params (string Key, string Value)[] keys)
    {
        IEnumerable<KeyValuePair<string, string?>> all =
        [
            new("Lb:Pools:p:Servers:0:Address", "127.0.0.1:1"), .. keys.Select(static k => new KeyValuePair<string, string?>($"Lb:Pools:p:Checks:{k.Key}", k.Value)),
        ];
        ServiceCollection services = new();
        services.AddLb(new ConfigurationBuilder().AddInMemoryCollection(all).Build().GetSection("Lb")).AddHealth();
        return services.BuildServiceProvider().GetRequiredService<LbConfiguration>();
    }
}
