using Lb.Core.Tests.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Core.Tests.Pools;

[Trait("Row", "P13")]
public sealed class AlphaOmegaTests
{
    [Theory]
    [Trait("Row", "P14")]
    [InlineData(InitState.None, InitState.None, ServerHealth.Down)]
    [InlineData(InitState.FullyUp, InitState.FullyUp, ServerHealth.Up)]
    [InlineData(InitState.Up, InitState.Down, ServerHealth.Down)]
    [InlineData(InitState.Down, InitState.Down, ServerHealth.Down)]
    [InlineData(InitState.FullyDown, InitState.FullyDown, ServerHealth.Down)]
    public void With_alpha_up_means_down_until_a_check_says_so(InitState configured, InitState state, ServerHealth health)
    {
        ServerPool pool = TestPool.Create(1, configure: o =>
        {
            o.Alpha = true;
            o.Checks.Add(new CheckOptions());
            o.Servers[0].InitState = configured;
        });
        Assert.Equal((state, health), (pool.Get("a").InitState, pool.Get("a").Health));
        ServerOptions late = TestPool.Server("late");
        late.InitState = configured;
        Server added = pool.Add(late);
        Assert.Equal((state, health), (added.InitState, added.Health));
    }

    [Fact]
    public void Alpha_without_checks_is_refused() =>
        Assert.Equal(
            "Lb:Pools:web:Alpha = 'true': needs Checks: without them no server would ever be up",
            Assert.Single(TestConfiguration.Errors("""{ "Pools": { "web": { "Alpha": true, "Servers": [ { "Address": "192.0.2.1:80" } ] } } }""")));

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task With_omega_the_end_of_the_host_is_told_for_the_servers_that_are_up(bool omega)
    {
        Collector heard = new();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<INotifier>(heard);
        builder.Services.AddServerPool("web").Configure(o =>
        {
            o.Omega = omega;
            o.SorryServer.Address = "127.0.0.1:99";
            foreach (string name in (string[])["a", "b", "c"]) o.Servers.Add(TestPool.Server(name));
        });
        builder.Services.AddServerPool("other").AddServer("127.0.0.1:81");
        using IHost host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        ServerPool pool = host.Services.GetRequiredService<ServerPools>()["web"];
        pool.Down("b");
        await host.StopAsync(TestContext.Current.CancellationToken);
        string[] told = [.. heard.Events.OfType<ServerStatusChanged>().Where(static e => e.Cause == "stopping").Select(static e => $"{e.Pool}/{e.Server} {e.From}>{e.To}")];
        Assert.Equal(omega ? ["web/a Up>Down", "web/c Up>Down"] : [], told);

        // Only told: who still has the pool may still use it.
        Assert.Equal("a c", pool.Usable());
    }
}
