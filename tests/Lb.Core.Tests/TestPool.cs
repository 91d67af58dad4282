namespace Lb.Core.Tests;

/// <summary>Pools of servers named a, b, c, … for tests.</summary>
internal static class TestPool
{
    public static ServerPool Create(
        int servers = 3, ISchedulingPolicy? policy = null, Action<PoolOptions>? configure = null, TimeProvider? time = null, EventHub? events = null)
    {
        PoolOptions options = new() { Policy = () => policy ?? new RoundRobin() };
        for (int i = 0; i < servers; i++) options.Servers.Add(Server(Name(i)));
        configure?.Invoke(options);
        return new ServerPool("web", options, time: time, events: events);
    }

    public static ServerPool Weighted(ISchedulingPolicy policy, params int[] weights) =>
        Create(weights.Length, policy, o =>
        {
            for (int i = 0; i < weights.Length; i++) o.Servers[i].Weight = weights[i];
        });

    public static ServerOptions Server(string name, int weight = 1, bool backup = false, int maxConnections = 0) =>
        new() { Name = name, Address = "127.0.0.1:80", Weight = weight, Backup = backup, MaxConnections = maxConnections };

    public static string Name(int index) => index < 26 ? ((char)('a' + index)).ToString() : $"s{index}";

    public static ServerLease Pick(this ServerPool pool, PickContext context = default)
    {
        Assert.True(pool.TryPick(in context, out ServerLease lease, out PickFailure failure), failure.ToString());
        return lease;
    }

    public static PickFailure FailToPick(this ServerPool pool, PickContext context = default)
    {
        Assert.False(pool.TryPick(in context, out ServerLease lease, out PickFailure failure));
        Assert.Null(lease.Server);
        return failure;
    }

    /// <summary>Picks and completes at once.</summary>
    public static string Next(this ServerPool pool, PickContext context = default)
    {
        ServerLease lease = pool.Pick(context);
        lease.Complete(LeaseOutcome.Success);
        return lease.Server.Name;
    }

    /// <summary>A lease on this very server, picked with all others excluded.</summary>
    public static ServerLease Take(this ServerPool pool, Server server) =>
        pool.Pick(new PickContext { Excluded = pool.Servers.Where(s => s != server).Aggregate(default(ServerSet), static (set, s) => set.With(s)) });

    /// <summary>So many callers fail on a server, one after the other.</summary>
    public static void Fail(this ServerPool pool, Server server, int times, LeaseOutcome? outcome = null)
    {
        for (int n = 0; n < times; n++) pool.Take(server).Complete(outcome ?? LeaseOutcome.Failure(FailureKind.Connect));
    }

    /// <summary>Some callers fail on a server, then others don't.</summary>
    public static void Mix(this ServerPool pool, Server server, int successes, int failures)
    {
        pool.Fail(server, failures);
        for (int n = 0; n < successes; n++) pool.Take(server).Complete(LeaseOutcome.Success);
    }

    /// <summary>Names of the next picks, each completed at once.</summary>
    public static string Sequence(this ServerPool pool, int count) => string.Join(' ', Enumerable.Range(0, count).Select(_ => pool.Next()));

    public static Server Get(this ServerPool pool, string name) => pool.Find(name) ?? throw new ArgumentException($"no server {name}", nameof(name));

    /// <summary>The address of a client.</summary>
    public static PeerAddress Client(string address) => PeerAddress.TryParse(address, out PeerAddress client) ? client : throw new FormatException(address);

    /// <summary>Names of the servers that may be picked now.</summary>
    public static string Usable(this ServerPool pool)
    {
        if (pool.Snapshot is null) return "";
        return string.Join(' ', pool.Snapshot.Servers.ToArray().Select(static s => s.Name));
    }

    public static void Down(this ServerPool pool, string name) => pool.SetHealth(pool.Get(name), ServerHealth.Down);

    public static void Up(this ServerPool pool, string name) => pool.SetHealth(pool.Get(name), ServerHealth.Up);
}
