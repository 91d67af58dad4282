namespace Lb.Vrrp.Tests;

/// <summary>What a router tries again by itself, and what it does not let others make it do too often.</summary>
public sealed class RetryAndFloodTests
{
    [Fact]
    [Trait("Row", "V5")]
    [Trait("Point", "51")]
    public void A_link_that_only_a_send_found_gone_is_tried_again()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        bench.Transport.Result = VrrpSendResult.LinkDown;
        bench.Run(1);
        Assert.Equal(RouterState.Fault, bench.Router.State);
        bench.Transport.Result = VrrpSendResult.Sent;
        bench.Run(1);
        Assert.Equal(RouterState.Backup, bench.Router.State);
        bench.Run(4);
        Assert.Equal((RouterState.Active, true), (bench.Router.State, bench.Owner.IsHeld));
    }

    [Fact]
    [Trait("Row", "V5")]
    public void A_link_without_an_address_is_opened_again_less_and_less_often()
    {
        RouterBench bench = new();
        List<double> tries = [];
        bench.Router.Reopen = () => tries.Add(bench.Now.TotalSeconds);
        bench.Transport.Source = default;
        bench.Router.LinkChanged(bench.Now);
        bench.Run(30);
        Assert.Equal([1, 3, 7, 15, 23], tries);
        Assert.Equal(RouterState.Fault, bench.Router.State);
        bench.Transport.Source = Address(RouterBench.Own);
        bench.Run(2);
        Assert.Equal((RouterState.Backup, 6), (bench.Router.State, tries.Count));

        static PeerAddress Address(string text) => PeerAddress.TryParse(text, out PeerAddress address) ? address : default;
    }

    [Fact]
    [Trait("Row", "V2")]
    [Trait("Point", "41")]
    public void A_flood_of_lower_adverts_is_answered_at_a_bounded_rate_and_the_last_one_too()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        bench.Run(10);
        bench.Order.Clear();
        for (int i = 0; i < 1000; i++) bench.Hear(1);
        Assert.Equal(1, bench.Order.Count(static c => c == "send 150"));
        int announced = bench.Announcer.Sent;
        bench.Run(0.25);
        Assert.Equal(2, bench.Order.Count(static c => c == "send 150"));
        Assert.Equal(announced + 1, bench.Announcer.Sent);
        bench.Run(0.7);
        Assert.Equal(2, bench.Order.Count(static c => c == "send 150"));
        for (int i = 0; i < 1000; i++) bench.Hear(0);
        Assert.Equal(3, bench.Order.Count(static c => c == "send 150"));
    }
}
