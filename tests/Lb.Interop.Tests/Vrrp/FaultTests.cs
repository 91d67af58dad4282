using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Vrrp;

/// <summary>What breaks on a node, and what becomes of the address.</summary>
public sealed class FaultTests
{
    private const int Rounds = 3;

    // A client that keeps the wrong MAC address asks again after 5 s at the earliest: who is answered sooner was told.
    private static readonly TimeSpan Told = TimeSpan.FromSeconds(2);

    private static readonly RouterSpec s_router = new(200);

    [Fact(Timeout = 120_000)]
    [Trait("Row", "V9")]
    [Trait("Row", "X4")]
    [Trait("Point", "56")]
    public async Task A_killed_node_loses_its_address_by_itself()
    {
        await using Pair pair = await Pair.StartAsync(s_router);
        await pair.First.KillAsync();

        // Both have it for the rest of the lease, and the client already has the right one.
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 1, 2);
        await pair.Second.WhenAnswersAsync(s_router);
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 2);
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "V9")]
    [Trait("Point", "56")]
    public async Task What_a_killed_run_has_left_the_next_one_removes()
    {
        await using Pair pair = await Pair.StartAsync(s_router, """ "AddressLifetime": "1h" """);
        await pair.First.KillAsync();
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 1, 2);

        // Started again as the lower one, so that it has no reason to touch the address but that it is a left-over.
        pair.First.With([s_router.ForLb(1, 50)]).Start();
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 2);
        await pair.First.WhenSaysAsync("that an earlier run had left were removed");
        await pair.First.WhenIsAsync(s_router, "Backup");
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "V5")]
    [Trait("Row", "V28")]
    [Trait("Point", "51")]
    public async Task An_interface_that_goes_down_is_a_fault_until_it_is_up()
    {
        await using Pair pair = await Pair.StartAsync(s_router);
        int from = pair.First.Lines.Count;
        pair.Network.Host(1).Ip("link", "set", "eth0", "down");
        await pair.First.WhenIsAsync(s_router, "Fault", from);
        await pair.Second.WhenAnswersAsync(s_router);
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 2);

        pair.Network.Host(1).Ip("link", "set", "eth0", "up");
        await pair.First.WhenIsAsync(s_router, "Backup", from);
        await pair.First.WhenAnswersAsync(s_router);
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 1);
        Assert.DoesNotContain(pair.First.Lines.All, static line => line.Contains("Exception", StringComparison.Ordinal));
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "V28")]
    [Trait("Point", "58")]
    public async Task An_address_that_somebody_deletes_is_put_back()
    {
        await using Pair pair = await Pair.StartAsync(s_router);
        int from = pair.Network.Addresses.Changes.Count;
        pair.Network.Host(1).Ip("address", "delete", $"{s_router.Address}/24", "dev", "eth0");
        await pair.Network.Addresses.Changes.WhenAsync(static c => c is { Host: 1, IsAdded: false }, from);
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 1);
        await pair.First.WhenSaysAsync("virtual addresses were gone, and were put back");
        await pair.First.WhenAnswersAsync(s_router);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("lb", "lb")]
    [InlineData("lb", "keepalived")]
    [InlineData("keepalived", "lb")]
    [Trait("Row", "B6")]
    [Trait("Row", "V10")]
    [Trait("Point", "55")]
    public async Task After_a_split_heals_one_node_is_left_and_clients_are_told(string first, string second)
    {
        Peer.Demand(Node.NeedKeepalived);
        await using HostNetwork network = new(2);
        await using Node winner = Make(network, first, 1, 200), loser = Make(network, second, 2, 100);
        winner.Start();
        loser.Start();
        await network.WhenAnsweredAsync(s_router.Address, 1);
        await network.Addresses.WhenHeldByAsync(s_router.Address, 1);
        for (int round = 0; round < Rounds; round++)
        {
            network.Split();
            await network.Addresses.WhenHeldByAsync(s_router.Address, 1, 2);
            await network.WhenAnsweredAsync(s_router.Address, 2);

            network.Heal();
            await network.Addresses.WhenHeldByAsync(s_router.Address, 1);
            Assert.InRange(await network.WhenAnsweredAsync(s_router.Address, 1), TimeSpan.Zero, Told);
        }
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "V8")]
    [Trait("Point", "17")]
    public async Task A_wrong_password_is_named()
    {
        Peer.Demand(Node.NeedKeepalived);
        RouterSpec ours = new(201, Version: 2, Centiseconds: 100, Password: "secret12"), theirs = ours with { Password = "another" };
        await using HostNetwork network = new(2);
        await using LbNode lb = new LbNode(network, 1).With([ours.ForLb(1, 100)]);
        await using KeepalivedNode keepalived = new KeepalivedNode(network, 2).With(theirs.ForKeepalived(2, 200));
        lb.Start();
        keepalived.Start();
        await lb.WhenSaysAsync("Authentication of 10.77.0.2");
    }

    private static Node Make(HostNetwork network, string name, int host, int priority) => name == "lb"
        ? new LbNode(network, host).With([s_router.ForLb(host, priority)])
        : new KeepalivedNode(network, host).With(s_router.ForKeepalived(host, priority));
}
