using System.Threading.Channels;
using Lb;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Samples.CustomCheck;

using FakeRedis redis = new();
Channel<string> messages = Channel.CreateUnbounded<string>();
HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
builder.Services.AddSingleton(messages);

#region by-object
builder.Services.AddServerPool("cache")
    .AddServer(redis.Address, name: "redis1")
    .AddCheck(new RedisChecker(), check => check.Interval = TimeSpan.FromMilliseconds(100));
#endregion

#region by-name
// Now configurations may say "Type": "redis".
builder.Services.AddHealthChecker("redis", _ => new RedisChecker());
#endregion

#region add-notifier
builder.Services.AddNotifier<Messenger>();
#endregion

#region host-health
builder.Services.AddHealthChecks().AddServerPools(pools => pools.UnhealthyBelow = 50, tags: ["ready"]);
#endregion

using IHost host = builder.Build();
using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
await host.StartAsync(limit.Token);
bool good = await ExpectAsync("is Down, was Up: ");
redis.HasLoaded();
good &= await ExpectAsync("is Up, was Down: ");
#region history
Server server = host.Services.GetRequiredService<ServerPools>()["cache"].Servers[0];
foreach (Lb.Health.HealthRecord last in host.Services.GetRequiredService<Lb.Health.IHealthReports>().For(server))
    Console.WriteLine($"{last.Report.At:T} {last.Check} {last.Report.Word}: {last.Report.Text}; {last.Verdict}{(last.Flipped ? ", from now on" : "")}");
#endregion

await host.StopAsync(limit.Token);
return good ? 0 : 1;

async Task<bool> ExpectAsync(string expected)
{
    string message = await messages.Reader.ReadAsync(limit.Token);
    bool isRight = message.Contains(expected, StringComparison.Ordinal);
    Console.WriteLine($"{message}{(isRight ? "" : $"   WRONG, expected: {expected}")}");
    return isRight;
}
