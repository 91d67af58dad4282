namespace Lb.Core.Tests.Pools;

/// <summary>Who waits and who goes on when a server, or the whole pool, is full.</summary>
public sealed class FullServerTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [Trait("Row", "S20")]
    [InlineData("source", null, true)]
    [InlineData("hash", null, true)]
    [InlineData("hash", HashPreserveAffinity.Always, true)]
    [InlineData("hash", HashPreserveAffinity.MaxConn, false)]
    [InlineData("hash", HashPreserveAffinity.MaxQueue, true)]
    [InlineData("maglev", null, false)]
    [InlineData("maglev", HashPreserveAffinity.Always, true)]
    [InlineData("roundrobin", HashPreserveAffinity.Always, false)]
    public async Task A_client_whose_key_leads_to_a_full_server_waits_for_it_or_goes_on(string balance, HashPreserveAffinity? affinity, bool waits)
    {
        ServerPool pool = Pool(balance, affinity);
        ServerLease open = pool.Pick(Client);
        if (!waits)
        {
            Assert.NotSame(open.Server, pool.Pick(Client).Server);
            return;
        }

        Assert.Equal(PickFailure.AllFull, pool.FailToPick(Client));
        ValueTask<ServerLease> waiting = pool.AcquireAsync(Client, Ct);
        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, open.Server.Queued);

        // Others have room elsewhere and don't wait behind it.
        Assert.Contains(Enumerable.Range(0, 50), n => pool.TryPick(new PickContext { Key = AffinityKey.From($"{n}"), Source = TestPool.Client($"192.0.2.{n}") }, out _, out _));
        open.Complete(LeaseOutcome.Success);
        Assert.Same(open.Server, (await waiting).Server);
    }

    [Fact]
    [Trait("Row", "S20")]
    public async Task With_maxqueue_it_goes_on_when_the_queue_of_the_server_is_full()
    {
        ServerPool pool = Pool("hash", HashPreserveAffinity.MaxQueue, maxQueue: 1);
        ServerLease open = pool.Pick(Client);
        ValueTask<ServerLease> waiting = pool.AcquireAsync(Client, Ct);
        Assert.NotSame(open.Server, pool.Pick(Client).Server);
        open.Complete(LeaseOutcome.Success);
        Assert.Same(open.Server, (await waiting).Server);
    }

    [Fact]
    [Trait("Row", "K9")]
    public async Task A_sticky_client_goes_on_too_when_the_queue_of_its_server_is_full()
    {
        ServerPool pool = Pool("roundrobin", affinity: null, maxQueue: 1);
        ServerLease open = pool.Pick();
        PickContext sticky = new() { Prefer = open.Server };
        ValueTask<ServerLease> waiting = pool.AcquireAsync(sticky, Ct);
        Assert.False(waiting.IsCompleted);
        Assert.NotSame(open.Server, pool.Pick(sticky).Server);
        open.Complete(LeaseOutcome.Success);
        Assert.Same(open.Server, (await waiting).Server);
    }

    [Fact]
    [Trait("Row", "S20")]
    public void Without_a_key_nobody_waits()
    {
        ServerPool pool = Pool("hash", HashPreserveAffinity.Always);
        Assert.Equal(3, Enumerable.Range(0, 3).Select(_ => pool.Pick().Server).Distinct().Count());
    }

    [Fact]
    [Trait("Row", "S20")]
    public void A_retry_goes_on()
    {
        ServerPool pool = Pool("hash", HashPreserveAffinity.Always);
        Server first = pool.Pick(Client).Server;
        Assert.NotSame(first, pool.Pick(Client with { Excluded = default(ServerSet).With(first) }).Server);
    }

    [Fact]
    [Trait("Row", "P22")]
    public async Task A_pool_may_have_a_limit_of_its_own()
    {
        ServerPool pool = TestPool.Create(3, configure: static o => o.MaxConnections = 4);
        ServerLease[] open = [.. Enumerable.Range(0, 4).Select(_ => pool.Pick())];
        Assert.Equal(PickFailure.AllFull, pool.FailToPick());
        Assert.Equal(PickFailure.AllFull, pool.FailToPick(new PickContext { Prefer = pool.Get("a") }));
        ValueTask<ServerLease> waiting = pool.AcquireAsync(default, Ct);
        Assert.False(waiting.IsCompleted);
        open[0].Complete(LeaseOutcome.Success);
        (await waiting).Complete(LeaseOutcome.Success);
        pool.Pick();
        Assert.Equal(PickFailure.AllFull, pool.FailToPick());
    }

    [Fact]
    [Trait("Row", "P22")]
    public void A_full_pool_leaves_others_alone()
    {
        ServerPool one = TestPool.Create(2, configure: static o => o.MaxConnections = 1), other = TestPool.Create(2);
        one.Pick();
        Assert.Equal(PickFailure.AllFull, one.FailToPick());
        for (int n = 0; n < 100; n++) other.Pick();
    }

    private static PickContext Client => new() { Key = AffinityKey.From("client"), Source = TestPool.Client("192.0.2.200") };

    private static ServerPool Pool(string balance, HashPreserveAffinity? affinity, int maxQueue = 0)
    {
        PoolOptions options = new() { Balance = balance, BalanceOptions = { HashPreserveAffinity = affinity } };
        for (int i = 0; i < 3; i++)
            options.Servers.Add(new ServerOptions { Name = TestPool.Name(i), Address = $"192.0.2.{i + 1}:80", MaxConnections = 1, MaxQueue = maxQueue });
        return new ServerPool("web", options);
    }
}
