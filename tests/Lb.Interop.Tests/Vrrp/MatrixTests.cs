using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Vrrp;

/// <summary>Three nodes, one of each program, and all kinds of virtual routers between them, each order of priority once.</summary>
[Trait("Row", "V1")]
[Trait("Row", "V2")]
[Trait("Row", "V15")]
[Trait("Point", "60")]
public abstract class MatrixTests
{
    private static readonly RouterSpec[] s_routers =
    [
        new(211, Centiseconds: 20),
        new(212, Version: 2, Centiseconds: 100),
        new(213, IsV6: true, Centiseconds: 20),
        new(214, IsUnicast: true, Hosts: 3, Centiseconds: 20),
        new(215, Version: 2, IsUnicast: true, Hosts: 3, Centiseconds: 100),
        new(216, IsV6: true, IsUnicast: true, Hosts: 3, Centiseconds: 20),
        new(217, Version: 2, Centiseconds: 100, Password: "secret12"),
    ];

    /// <summary>FRR knows neither unicast peers nor passwords.</summary>
    private static bool IsForFrr(RouterSpec router) => !router.IsUnicast && router.Password is null;

    private protected static async Task RunAsync(params string[] order)
    {
        Peer.Demand(Node.NeedKeepalived, Node.NeedFrr, Node.NeedTshark);
        await using HostNetwork network = new(3);
        using Capture capture = network.CaptureAll();
        Node[] nodes = [.. order.Select((name, i) => Make(network, name, i + 1))];
        try
        {
            foreach (Node node in nodes) node.Start();
            await WhenAnsweredAsync(0);

            await nodes[0].KillAsync();
            await WhenAnsweredAsync(1);

            nodes[0].Start();
            await WhenAnsweredAsync(0);

            await nodes[0].EndAsync();
            await WhenAnsweredAsync(1);

            await nodes[1].EndAsync();
            await WhenAnsweredAsync(2);
        }
        finally
        {
            foreach (Node node in nodes) await node.DisposeAsync();
        }

        (int adverts, string bad) = await capture.JudgeAsync();
        Assert.NotEqual(0, adverts);
        Assert.Equal("", bad);

        Task WhenAnsweredAsync(int first) => Parallel.ForEachAsync(s_routers, async (router, _) =>
        {
            int winner = Enumerable.Range(first, 3 - first).FirstOrDefault(i => nodes[i] is not FrrNode || IsForFrr(router), -1);
            if (winner >= 0) await network.WhenAnsweredAsync(router.Address, winner + 1);
        });
    }

    private static Node Make(HostNetwork network, string name, int host)
    {
        int priority = 250 - host * 50;
        return name switch
        {
            "lb" => new LbNode(network, host).With([.. s_routers.Select(r => r.ForLb(host, priority))]),
            "keepalived" => new KeepalivedNode(network, host).With([.. s_routers.Select(r => r.ForKeepalived(host, priority))]),
            _ => new FrrNode(network, host).With([.. s_routers.Where(IsForFrr).Select(r => (r, priority))]),
        };
    }
}

/// <summary>We have the highest priority.</summary>
public sealed class MatrixUnderUsTests : MatrixTests
{
    [Fact(Timeout = 180_000)]
    public Task Keepalived_takes_over_from_us_and_FRR_from_keepalived() => RunAsync("lb", "keepalived", "frr");
}

/// <summary>keepalived has the highest priority.</summary>
public sealed class MatrixUnderKeepalivedTests : MatrixTests
{
    [Fact(Timeout = 180_000)]
    public Task FRR_takes_over_from_keepalived_and_we_from_FRR() => RunAsync("keepalived", "frr", "lb");
}

/// <summary>FRR has the highest priority.</summary>
public sealed class MatrixUnderFrrTests : MatrixTests
{
    [Fact(Timeout = 180_000)]
    public Task We_take_over_from_FRR_and_keepalived_from_us() => RunAsync("frr", "lb", "keepalived");
}
