namespace Lb.Vrrp.Tests;

public sealed class AddressesOfRoutersTests
{
    [Fact]
    [Trait("Row", "V21")]
    public void A_slow_owner_does_not_hold_up_the_election_and_is_announced_when_it_has_done()
    {
        RouterBench bench = new();
        bench.Owner.IsSlow = true;
        int woken = 0;
        bench.Router.Wake = () => woken++;
        bench.Run(5);
        Assert.Equal(RouterState.Active, bench.Router.State);
        Assert.Equal(["acquire", "send 150", "send 150"], bench.Order);
        bench.Owner.Complete();
        Assert.Equal(1, woken);
        Assert.Equal(TimeSpan.Zero, bench.Router.Late(bench.Now));
        bench.Router.Advance(bench.Now);
        Assert.Equal(5, bench.Announcer.Sent);
    }

    [Theory]
    [Trait("Row", "V21")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_wish_that_changes_while_a_slow_owner_works_is_followed_one_call_at_a_time(bool listens)
    {
        RouterBench bench = new();
        bench.Owner.IsSlow = true;
        bench.Owner.IgnoresCancellation = !listens;
        bench.Run(4);
        bench.Hear(200);
        Assert.Equal(RouterState.Backup, bench.Router.State);
        if (!listens) bench.Owner.Complete();
        bench.Router.Advance(bench.Now);
        Assert.Equal(["acquire", "release"], bench.Owner.Calls);
        bench.Owner.Complete();
        bench.Router.Advance(bench.Now);
        Assert.False(bench.Owner.IsHeld);
        Assert.Equal(0, bench.Announcer.Sent);
    }

    [Theory]
    [Trait("Row", "V21")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_wish_that_changes_twice_ends_with_the_addresses_and_without_a_fault(bool listens)
    {
        RouterBench bench = new();
        bench.Owner.IsSlow = true;
        bench.Owner.IgnoresCancellation = !listens;
        bench.Run(4);
        bench.Hear(200);
        bench.Hear(0);
        bench.Run(0.5);
        Assert.Equal(RouterState.Active, bench.Router.State);
        for (int calls = 0; calls < 5; calls++)
        {
            if (bench.Owner.IsBusy) bench.Owner.Complete();
            bench.Run(0.1);
        }

        Assert.Equal((RouterState.Active, true), (bench.Router.State, bench.Owner.IsHeld));
        Assert.True(bench.Announcer.Sent > 0);
    }

    [Theory]
    [Trait("Row", "V21")]
    [Trait("Row", "V25")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_second_stop_does_not_wait_for_a_slow_release(bool listens)
    {
        RouterBench bench = new(static o => o.Handover = false);
        bench.BecomeActive();
        bench.Owner.IsSlow = true;
        bench.Owner.IgnoresCancellation = !listens;
        bench.Router.Stop(bench.Now);
        Assert.True(bench.Router.IsReleasing);
        bench.Router.Stop(bench.Now);
        Assert.False(bench.Router.IsReleasing);
        Assert.Equal(!listens, bench.Owner.IsBusy);
    }

    [Fact]
    [Trait("Row", "V21")]
    public void Addresses_on_their_way_out_are_not_renewed()
    {
        RouterBench bench = new();
        bench.Owner.RenewEvery = TimeSpan.FromSeconds(0.5);
        bench.BecomeActive();
        bench.Owner.IsSlow = true;
        bench.Hear(200);
        bench.Order.Clear();
        for (int i = 0; i < 5; i++)
        {
            bench.Hear(200);
            bench.Run(1);
        }

        Assert.Empty(bench.Order);
    }

    [Fact]
    [Trait("Row", "V9")]
    public void An_owner_that_can_not_take_them_lets_others_go_first_and_is_asked_again_less_and_less_often()
    {
        RouterBench bench = new();
        bench.Owner.Error = "no permission";
        bench.Run(4);
        Assert.Equal(RouterState.Fault, bench.Router.State);

        // Nothing is sent for an address that is not here.
        Assert.Equal(["acquire", "send 0", "release"], bench.Order);
        Assert.Equal(["the addresses can't be taken"], bench.Router.Snapshot().Faults);

        List<double> tries = [];
        bench.Owner.Called = call =>
        {
            if (call == "acquire") tries.Add(bench.Now.TotalSeconds);
        };
        bench.Run(60);
        double[] waits = [.. tries.Zip(tries.Skip(1), static (a, b) => Math.Round(b - a - 3.4140625, 3))];
        Assert.Equal([2, 4, 8, 16], waits[..4]);
        bench.Owner.Error = null;
        bench.Run(120);
        Assert.Equal((RouterState.Active, true), (bench.Router.State, bench.Owner.IsHeld));
    }

    [Fact]
    [Trait("Row", "V9")]
    public void What_could_not_be_released_is_released_later_and_the_router_goes_on()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        bench.Owner.Error = "busy";
        bench.Hear(200);
        Assert.Equal((RouterState.Backup, true), (bench.Router.State, bench.Owner.IsHeld));
        bench.Hear(200);
        bench.Run(0.5);
        bench.Owner.Error = null;
        bench.Run(1);
        Assert.False(bench.Owner.IsHeld);
        Assert.Equal(["send 150", "release", "release"], bench.Order);
    }

    [Fact]
    [Trait("Row", "V28")]
    [Trait("Point", "58")]
    public void What_somebody_else_deletes_is_put_back_and_announced()
    {
        RouterBench bench = new();
        bench.Owner.RenewEvery = TimeSpan.FromSeconds(0.5);
        bench.BecomeActive();
        int announced = bench.Announcer.Sent;
        bench.Owner.Delete();
        bench.Run(0.5);
        Assert.True(bench.Owner.IsHeld);
        Assert.True(bench.Announcer.Sent >= announced + 5);
        Assert.Single(bench.Events.OfType<AddressesRestored>());
        Assert.Equal(1, bench.Router.Statistics.AddressesRestored);

        bench.Owner.Error = "no such device";
        bench.Run(0.5);
        Assert.Equal(RouterState.Fault, bench.Router.State);
    }

    [Fact]
    [Trait("Row", "V21")]
    public void Without_an_owner_or_an_announcer_it_is_an_election_only()
    {
        Testing.InMemoryVrrpTransport transport = new(RouterBench.Own);
        Testing.InMemoryAddressOwner owner = new();
        foreach (RouterLinks links in (RouterLinks[])[new() { Transport = transport }, new() { Transport = transport, Owner = owner }])
        {
            VirtualRouter router = new("vi", RouterBench.Make(null), links);
            TimeSpan now = default;
            router.Start(now);
            for (int turns = 0; turns < 100; turns++) router.Advance(now = router.Deadline);
            Assert.Equal(RouterState.Active, router.State);

            // It waits for its adverts and for nothing else.
            Assert.True(now > TimeSpan.FromSeconds(100));
            router.Dispose();
        }

        Assert.True(owner.IsDisposed);
    }
}
