using System.Net;

namespace Lb.Core.Tests.Pools;

[Trait("Row", "P16")]
public sealed class MembershipTests
{
    [Fact]
    public void A_server_added_at_run_time_starts_in_maintenance()
    {
        ServerPool pool = TestPool.Create(2);
        Server c = pool.Add(TestPool.Server("c"));
        Assert.Equal(ServerStatus.Maintenance, c.Status);
        Assert.Equal("a b a b", pool.Sequence(4));
        pool.SetAdmin(c, ServerAdmin.Ready);
        Assert.Equal("c a b c", pool.Sequence(4));
    }

    [Fact]
    public void Names_are_unique_whatever_their_case()
    {
        ServerPool pool = TestPool.Create(2);
        Assert.Throws<ArgumentException>(() => pool.Add(TestPool.Server("A")));
        Assert.Throws<ArgumentException>(() => TestPool.Create(2, configure: static o => o.Servers[1].Name = "A"));
        Assert.Same(pool.Get("a"), pool.Find("A"));
        Assert.Null(pool.Find("c"));
    }

    [Fact]
    public void Invalid_options_add_nothing()
    {
        ServerPool pool = TestPool.Create(1);
        ServerOptions wrong = new() { Name = "b", Address = "nowhere", Weight = 999 };
        string message = Assert.Throws<ArgumentException>(() => pool.Add(wrong)).Message;
        Assert.Contains("web:b:Address = 'nowhere'", message, StringComparison.Ordinal);
        Assert.Contains("web:b:Weight = '999': must be 0 to 256", message, StringComparison.Ordinal);
        Assert.Single(pool.Servers);
    }

    [Fact]
    public void Removing_needs_maintenance_and_no_connections_or_force()
    {
        ServerPool pool = TestPool.Create(2), other = TestPool.Create(2);
        Server a = pool.Get("a");
        Assert.Equal(RemoveResult.NotInMaintenance, pool.Remove(a));
        ServerLease open = pool.Pick();
        Assert.Same(a, open.Server);
        pool.SetAdmin(a, ServerAdmin.Maintenance);
        Assert.Equal(RemoveResult.HasConnections, pool.Remove(a));
        open.Complete(LeaseOutcome.Success);
        Assert.Equal(RemoveResult.NotFound, other.Remove(a));
        Assert.Equal(RemoveResult.Removed, pool.Remove(a));
        Assert.Equal(RemoveResult.NotFound, pool.Remove(a));
        Assert.Equal(RemoveResult.NotFound, pool.Remove(a, force: true));
        Assert.Equal("b b", pool.Sequence(2));
    }

    [Fact]
    public void Open_leases_of_a_removed_server_go_on_to_their_end()
    {
        ServerPool pool = TestPool.Create(2);
        ServerLease open = pool.Pick();
        Assert.Equal(RemoveResult.Removed, pool.Remove(open.Server, force: true));
        Assert.Equal(1, open.Server.InFlight);
        open.Complete(LeaseOutcome.Success);
        Assert.Equal(0, open.Server.InFlight);
        Assert.Equal(0, pool.LeaseMisuses);
    }

    [Fact]
    public void What_has_left_can_not_be_changed_back_in()
    {
        ServerPool pool = TestPool.Create(2);
        Server a = pool.Get("a");
        pool.Remove(a, force: true);
        pool.SetHealth(a, ServerHealth.Up);
        pool.SetAdmin(a, ServerAdmin.Ready);
        pool.SetWeight(a, 5);
        Assert.Equal("b", pool.Usable());
        Assert.Equal("b", pool.Next(new PickContext { Prefer = a }));
    }

    [Fact]
    public void Ids_count_up_and_are_never_used_again()
    {
        ServerPool pool = TestPool.Create(3);
        Assert.Equal([1, 2, 3], pool.Servers.Select(static s => s.Id));
        pool.Remove(pool.Get("c"), force: true);
        Assert.Equal(4, pool.Add(TestPool.Server("c")).Id);
        pool.Remove(pool.Get("a"), force: true);
        Assert.Equal(5, pool.Add(TestPool.Server("a")).Id);
        Assert.Equal([2, 4, 5], pool.Servers.Select(static s => s.Id));
        Assert.Equal(2, pool.Get("b").Id);
    }

    [Fact]
    public void Reconcile_keeps_the_objects_counters_health_and_administration_of_those_that_stay()
    {
        ServerPool pool = TestPool.Create(3);
        Server a = pool.Get("a"), b = pool.Get("b");
        ServerLease open = pool.Pick();
        pool.SetHealth(b, ServerHealth.Down);
        pool.SetAdmin(a, ServerAdmin.Drain);

        ServerOptions newA = TestPool.Server("A", weight: 9, backup: true, maxConnections: 7);
        newA.Address = "127.0.0.9:99";
        pool.Reconcile([TestPool.Server("b"), newA, TestPool.Server("d")]);

        Assert.Same(a, pool.Get("a"));
        Assert.Same(b, pool.Get("b"));
        Assert.Equal(["a", "b", "d"], pool.Servers.Select(static s => s.Name));
        Assert.Equal((9, true, 7), (a.Weight, a.Backup, a.MaxConnections));
        Assert.Equal(IPEndPoint.Parse("127.0.0.9:99"), a.EndPoint);
        Assert.Equal(ServerAdmin.Drain, a.Admin);
        Assert.Equal(ServerHealth.Down, b.Health);
        Assert.Equal(1, a.InFlight);
        Assert.Equal(1, a.TotalLeases);
        open.Complete(LeaseOutcome.Success);
        Assert.Equal("d", pool.Usable());
        Assert.Equal(ServerStatus.Up, pool.Get("d").Status);
    }

    [Fact]
    public void Reconcile_follows_what_changed_in_the_options_and_keeps_what_was_set_at_run_time()
    {
        ServerPool pool = TestPool.Create(1);
        Server a = pool.Get("a");
        pool.SetWeight(a, 5);
        pool.SetMaxConnections(a, 6);
        pool.Reconcile([TestPool.Server("a")]);
        Assert.Equal((5, 6), (a.Weight, a.MaxConnections));

        // The same object, changed by its owner.
        ServerOptions options = TestPool.Server("a", weight: 7, maxConnections: 8);
        pool.Reconcile([options]);
        Assert.Equal((7, 8), (a.Weight, a.MaxConnections));
        options.Weight = 9;
        options.Address = "127.0.0.9:9";
        pool.Reconcile([options]);
        Assert.Equal((9, 8, "127.0.0.9:9"), (a.Weight, a.MaxConnections, a.EndPoint.ToString()));
    }

    [Fact]
    public void Reconcile_leaves_the_turn_of_those_that_stay_undisturbed()
    {
        ServerPool pool = TestPool.Create(4);
        Assert.Equal("a b", pool.Sequence(2));
        pool.Reconcile([TestPool.Server("d"), TestPool.Server("c"), TestPool.Server("b"), TestPool.Server("a")]);
        Assert.Equal("c d a b", pool.Sequence(4));
        pool.Reconcile([TestPool.Server("a"), TestPool.Server("b"), TestPool.Server("d")]);
        Assert.Equal("d a b d", pool.Sequence(4));
    }

    [Fact]
    public void Reconcile_with_anything_invalid_changes_nothing()
    {
        ServerPool pool = TestPool.Create(2);
        PoolSnapshot? before = pool.Snapshot;
        ServerOptions wrong = TestPool.Server("c", weight: 300);
        Assert.Throws<ArgumentException>(() => pool.Reconcile([TestPool.Server("a", weight: 5), wrong]));
        Assert.Throws<ArgumentException>(() => pool.Reconcile([TestPool.Server("a", weight: 5), TestPool.Server("A")]));
        Assert.Throws<ArgumentException>(() => pool.Reconcile([]));
        Assert.Same(before, pool.Snapshot);
        Assert.Equal(["a", "b"], pool.Servers.Select(static s => s.Name));
        Assert.Equal(1, pool.Get("a").Weight);
    }

    [Fact]
    public async Task Joining_leaving_and_a_changed_weight_are_told()
    {
        EventHub hub = new();
        ServerPool pool = TestPool.Create(2, events: hub);
        await hub.Published();
        pool.Reconcile([TestPool.Server("a", weight: 0), TestPool.Server("c")]);
        string[] told =
        [
            .. (await hub.Published()).Select(static e => e switch
            {
                ServerJoined j => $"+{j.Server}",
                ServerLeft l => $"-{l.Server}",
                ServerStatusChanged s => $"{s.Server} {s.From}>{s.To}",
                _ => e.GetType().Name,
            }),
        ];
        Assert.Equal(["a Up>Drain", "+c", "-b"], told);
        Assert.Equal([1, 2, 3], (await Sequences()).Take(3));

        async Task<IEnumerable<long>> Sequences()
        {
            EventHub fresh = new();
            TestPool.Create(3, events: fresh);
            return (await fresh.Published()).Select(static e => e.Sequence);
        }
    }

    [Fact]
    public void Slots_of_bit_sets_are_used_again_so_that_small_pools_stay_small()
    {
        ServerPool pool = TestPool.Create(3);
        for (int n = 0; n < 200; n++)
        {
            pool.Remove(pool.Servers[0], force: true);
            pool.Add(TestPool.Server($"n{n}"));
        }

        Assert.Equal([0, 1, 2], pool.Servers.Select(static s => s.Slot).Order());
    }

    [Fact(Timeout = 60_000)]
    public Task Pools_of_thousands_of_servers_are_made_in_no_time() => Task.Run(() =>
    {
        ServerPool pool = TestPool.Create(5_000, new First());
        Assert.Equal(5_000, pool.Servers.Select(static s => s.Slot).Distinct().Count());
    });
}
