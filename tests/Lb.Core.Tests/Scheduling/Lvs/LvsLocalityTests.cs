using Lb.Testing;

namespace Lb.Core.Tests.Scheduling.Lvs;

[Trait("Row", "S14")]
public sealed class LvsLocalityTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void A_destination_stays_with_its_server_while_others_are_idle()
    {
        ServerPool pool = Lblc(4, 4, 4);
        Assert.Equal("a", pool.Next(To(1)));
        pool.Hold("a", 1);
        Assert.Equal("b", pool.Next(To(2)));
        Assert.Equal("a", pool.Next(To(1)));
        Assert.Equal("a", pool.Next(LvsPool.To("10.9.0.1", 443)));
        Assert.Equal("b", pool.Next(To(2)));
    }

    [Fact]
    public void It_moves_for_good_when_its_server_has_more_leases_than_its_weight_and_another_less_than_half()
    {
        ServerPool pool = Lblc(2, 2);
        Assert.Equal("a", pool.Next(To(1)));
        ServerLease[] held = pool.Hold("a", 2);
        Assert.Equal("a", pool.Next(To(1)));
        held = [.. held, .. pool.Hold("a", 1)];
        Assert.Equal("b", pool.Next(To(1)));
        held.Release();
        Assert.Equal("b", pool.Next(To(1)));
    }

    [Fact]
    public void It_stays_when_nobody_has_less_than_half()
    {
        ServerPool pool = Lblc(2, 2);
        Assert.Equal("a", pool.Next(To(1)));
        pool.Hold("a", 3);
        pool.Hold("b", 1);
        Assert.Equal("a", pool.Next(To(1)));
    }

    [Fact]
    public void It_moves_for_good_when_its_server_goes_down()
    {
        ServerPool pool = Lblc(1, 1);
        Assert.Equal("a", pool.Next(To(1)));
        pool.Down("a");
        Assert.Equal("b", pool.Next(To(1)));
        pool.Up("a");
        Assert.Equal("b", pool.Next(To(1)));
    }

    [Fact]
    public void A_retry_and_a_full_server_are_got_around_for_once()
    {
        ServerPool pool = Lblc(9, 9);
        Assert.Equal("a", pool.Next(To(1)));
        Assert.Equal("b", pool.Next(To(1) with { Avoid = pool.Get("a") }));
        Assert.Equal("a", pool.Next(To(1)));
        pool.Fill("a");
        Assert.Equal("b", pool.Next(To(1)));
        pool.SetMaxConnections(pool.Get("a"), 0);
        Assert.Equal("a", pool.Next(To(1)));
    }

    [Fact]
    public void A_server_that_takes_over_the_slot_of_a_removed_one_is_not_taken_for_it()
    {
        ServerPool pool = Lblc(1, 1);
        Assert.Equal("a", pool.Next(To(1)));
        pool.Remove(pool.Get("a"), force: true);
        Server added = pool.Add(new ServerOptions { Name = "z", Address = "10.0.0.99:80" }, ServerAdmin.Ready);
        Assert.Equal(0, added.Slot);
        Assert.Equal("b", pool.Next(To(1)));
    }

    [Fact]
    public void A_destination_that_nobody_asks_for_is_forgotten_after_a_day()
    {
        ServerPool pool = Lblc(4, 4);
        ServerLease[] held = pool.Hold("a", 1);
        Assert.Equal("b", pool.Next(To(1)));
        held.Release();
        for (int n = 0; n < 3; n++)
        {
            _time.Advance(TimeSpan.FromHours(24) - TimeSpan.FromSeconds(1));
            Assert.Equal("b", pool.Next(To(1)));
        }

        _time.Advance(TimeSpan.FromHours(24));
        Assert.Equal("a", pool.Next(To(1)));
    }

    [Fact]
    public void Without_a_destination_the_least_loaded_takes_it()
    {
        foreach (ServerPool pool in new[] { Lblc(1, 1), Lblcr(1, 1) })
        {
            pool.Hold("a", 1);
            Assert.Equal("b", pool.Next());
        }
    }

    [Fact]
    public void The_set_grows_by_the_least_loaded_when_its_best_has_too_much()
    {
        ServerPool pool = Lblcr(2, 2, 2);
        Assert.Equal("a", pool.Next(To(1)));
        ServerLease[] a = pool.Hold("a", 3);
        Assert.Equal("b", pool.Next(To(1)));

        // The set is b a: of equals the one that joined last comes first.
        a.Release();
        Assert.Equal("b", pool.Next(To(1)));
        pool.Hold("b", 1);
        Assert.Equal("a", pool.Next(To(1)));

        // a 3/2, b 3/2, c 0: c joins.
        pool.Hold("a", 3);
        pool.Hold("b", 2);
        Assert.Equal("c", pool.Next(To(1)));
    }

    [Fact]
    public void A_set_without_change_for_a_day_loses_its_most_loaded_server()
    {
        ServerPool pool = Lblcr(4, 4);
        Assert.Equal("a", pool.Next(To(1)));
        ServerLease[] a = pool.Hold("a", 5);
        Assert.Equal("b", pool.Next(To(1)));
        _time.Advance(TimeSpan.FromHours(12));
        Assert.Equal("b", pool.Next(To(1)));
        _time.Advance(TimeSpan.FromHours(12));

        // A day to the tick is not yet more than a day.
        Assert.Equal("b", pool.Next(To(1)));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("b", pool.Next(To(1)));

        // Were a still in the set, it would have less now.
        a.Release();
        pool.Hold("b", 1);
        Assert.Equal("b", pool.Next(To(1)));
    }

    [Fact]
    public void When_none_of_the_set_is_up_another_joins()
    {
        ServerPool pool = Lblcr(1, 1);
        Assert.Equal("a", pool.Next(To(1)));
        pool.Down("a");
        Assert.Equal("b", pool.Next(To(1)));
        pool.Up("a");
        Assert.Equal("b", pool.Next(To(1)));
        pool.Hold("b", 1);
        Assert.Equal("a", pool.Next(To(1)));
    }

    [Fact]
    public void A_retry_goes_elsewhere_in_the_set_or_out_of_it_without_joining()
    {
        ServerPool pool = Lblcr(5, 5);
        Assert.Equal("a", pool.Next(To(1)));
        Assert.Equal("b", pool.Next(To(1) with { Avoid = pool.Get("a") }));
        pool.Hold("a", 1);
        Assert.Equal("a", pool.Next(To(1)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(366)]
    public void Other_expiration_times_are_refused(int days)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new LvsLocalityLeastConnections(TimeSpan.FromDays(days)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LvsLocalityWithReplication(TimeSpan.FromDays(days)));
    }

    private ServerPool Lblc(params int[] weights) => LvsPool.Create(new LvsLocalityLeastConnections(), _time, weights);

    private ServerPool Lblcr(params int[] weights) => LvsPool.Create(new LvsLocalityWithReplication(), _time, weights);

    private static PickContext To(int n) => LvsPool.To($"10.9.0.{n}");
}
