using Lb.Interop.Tests.Vrrp;

namespace Lb.Interop.Tests.Health;

/// <summary>Checks that follow an address of the kernel's, in a network namespace.</summary>
[Trait("Row", "H33")]
public sealed class HaSuspendTests
{
    [Theory(Timeout = 90_000)]
    [InlineData("fd77::86", 64)]
    [InlineData("10.77.0.86", 24)]
    public async Task Checks_follow_the_address(string address, int prefix)
    {
        string pool = $$"""
            "Pools": { "web": { "HaSuspend": [ "{{address}}" ], "Servers": [ { "Name": "w", "Address": "127.0.0.1:9000" } ], "Checks": [ { "Type": "tcp", "Interval": "60s" } ] } }
            """;
        await using HostNetwork network = new(1);
        await using LbNode node = new LbNode(network, 1).With([], pool);
        node.Start();
        await node.WhenSaysAsync("Health checks of pool web are suspended");
        for (int i = 0; i < 2; i++)
        {
            int from = node.Lines.Count;
            string[] nodad = prefix == 64 ? ["nodad"] : [];
            network.Host(1).Ip(["address", "add", $"{address}/{prefix}", "dev", "eth0", .. nodad]);
            await node.WhenSaysAsync("Health checks of pool web go on", from);
            from = node.Lines.Count;
            network.Host(1).Ip("address", "del", $"{address}/{prefix}", "dev", "eth0");
            await node.WhenSaysAsync("Health checks of pool web are suspended", from);
        }
    }
}
