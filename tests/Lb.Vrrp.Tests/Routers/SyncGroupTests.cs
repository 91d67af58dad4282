namespace Lb.Vrrp.Tests;

[Trait("Row", "V13")]
[Trait("Point", "52")]
public sealed class SyncGroupTests
{
    private static void Second(RouterOptions options) => (options.RouterId, options.Priority) = (52, 200);

    [Fact]
    public void A_group_that_is_bound_anew_in_fault_claims_nothing()
    {
        RouterBench owner = new(static o => o.Priority = 255), other = new(Second);
        SyncGroup group = new("g", [owner.Router, other.Router]);
        group.Judge(owner.Now);
        other.Router.SetFault("link", owner.Now);
        Assert.Equal(RouterState.Fault, owner.Router.State);
        owner.Order.Clear();
        int told = owner.Events.Count;
        group.Bind([other.Router, owner.Router], owner.Now);
        Assert.Empty(owner.Order);
        Assert.Equal(told, owner.Events.Count);
        other.Router.ClearFault("link", owner.Now);
        Assert.NotEqual(RouterState.Fault, owner.Router.State);
    }

    [Fact]
    public void A_group_that_is_bound_anew_keeps_its_weights()
    {
        RouterBench a = new(), b = new(static o =>
        {
            Second(o);
            o.Track.Add(new RouterTrackOptions { Pool = "web", Weight = -100 });
        });
        SyncGroup group = new("g", [a.Router, b.Router]);
        group.Judge(a.Now);
        b.Router.Report(0, isWell: false, 0, "no quorum", a.Now);
        Assert.Equal(50, a.Router.EffectivePriority);
        int told = a.Events.Count;
        group.Bind([a.Router, b.Router], a.Now);
        Assert.Equal((50, told), (a.Router.EffectivePriority, a.Events.Count));
        group.Bind([a.Router], a.Now);
        Assert.Equal((150, 100), (a.Router.EffectivePriority, b.Router.EffectivePriority));
    }

    [Fact]
    public void Who_joins_a_group_in_fault_starts_in_fault_and_who_joins_an_Active_one_does_not_end_it()
    {
        RouterBench first = new(), owner = new(static o => (o.RouterId, o.Priority) = (52, 255), start: false), late = new(Second, start: false);
        SyncGroup group = new("g", [first.Router]);
        first.Router.SetFault("link", first.Now);
        group.Bind([first.Router, owner.Router], first.Now);
        owner.Router.Start(owner.Now);
        Assert.Equal(RouterState.Fault, owner.Router.State);
        Assert.Empty(owner.Order);

        first.Router.ClearFault("link", first.Now);
        first.BecomeActive();
        group.Bind([first.Router, late.Router], first.Now);
        late.Router.Start(first.Now);
        Assert.Equal((RouterState.Active, RouterState.Backup), (first.Router.State, late.Router.State));
    }
}
