namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S24")]
public sealed class ZoneSplitTests
{
    // The example in the comment of Envoy's regenerateLocalityRoutingStructures: 40/40/20 % of the balancers, 25/50/25 % of the servers.
    [Fact]
    public void The_example_of_the_original_comes_out()
    {
        ZonePlan plan = ZoneSplit.Plan([4, 4, 2], [2, 4, 2], local: 0, minimumServers: 6);
        Assert.Equal(ZoneRouting.Split, plan.Routing);
        Assert.Equal(2500 * 10_000 / 4000, plan.LocalShare);
        Assert.Equal([0, 1000, 1500], plan.Residual);
    }

    [Theory]
    [InlineData("2 1", "3 3", 0, ZoneRouting.Split, 7500)] // 50 % of the servers for 66.66 % of the balancers
    [InlineData("2 1", "3 3", 1, ZoneRouting.LocalOnly, 10_000)]
    [InlineData("1 1", "3 3", 0, ZoneRouting.LocalOnly, 10_000)]
    [InlineData("1 1", "0 6", 0, ZoneRouting.None, 0)] // one zone with servers
    [InlineData("1 1 1", "0 3 3", 0, ZoneRouting.Split, 0)]
    [InlineData("2 0", "3 3", 0, ZoneRouting.None, 0)] // one zone with balancers
    [InlineData("1 1", "2 3", 0, ZoneRouting.None, 0)] // too few servers
    [InlineData("1 1", "3 3", -1, ZoneRouting.None, 0)]
    [InlineData("", "3 3", 0, ZoneRouting.LocalOnly, 10_000)]
    [InlineData("", "1 6", 0, ZoneRouting.LocalOnly, 10_000)]
    [InlineData("", "0 3 3", 0, ZoneRouting.None, 0)]
    public void Traffic_stays_as_far_as_the_servers_go(string balancers, string servers, int local, object routing, int share)
    {
        ZonePlan plan = ZoneSplit.Plan(Numbers(balancers), Numbers(servers), local, minimumServers: 6);
        Assert.Equal(routing, plan.Routing);
        Assert.Equal(share, plan.LocalShare);
    }

    [Fact]
    public void All_zones_together_give_every_server_the_same()
    {
        int[] balancers = [5, 3, 2], servers = [10, 10, 30];
        double[] load = new double[3];
        for (int local = 0; local < 3; local++)
        {
            ZonePlan plan = ZoneSplit.Plan(balancers, servers, local, minimumServers: 6);
            double stays = plan.LocalShare / 10_000.0;
            load[local] += balancers[local] * stays;
            for (int zone = 0, before = 0; zone < plan.Residual.Length; before = plan.Residual[zone++])
                load[zone] += balancers[local] * (1 - stays) * (plan.Residual[zone] - before) / plan.Residual[^1];
        }

        for (int zone = 0; zone < 3; zone++) Assert.Equal(10.0 / 50, load[zone] / servers[zone], 0.001);
    }

    private static int[] Numbers(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
}
