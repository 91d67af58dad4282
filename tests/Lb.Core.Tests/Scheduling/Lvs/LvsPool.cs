namespace Lb.Core.Tests.Scheduling.Lvs;

/// <summary>Pools of servers a, b, c, … at 10.0.0.1:80, 10.0.0.2:80, … for tests of the LVS policies.</summary>
internal static class LvsPool
{
    public static ServerPool Create(ISchedulingPolicy policy, params int[] weights) => Create(policy, null, weights);

    public static ServerPool Create(ISchedulingPolicy policy, TimeProvider? time, params int[] weights)
    {
        PoolOptions options = new() { Policy = () => policy };
        for (int i = 0; i < weights.Length; i++)
            options.Servers.Add(new ServerOptions { Name = TestPool.Name(i), Address = $"10.0.0.{i + 1}:80", Weight = weights[i] });
        return new ServerPool("lvs", options, time: time);
    }

    /// <summary>Opens leases on one server and leaves them open.</summary>
    public static ServerLease[] Hold(this ServerPool pool, string name, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => pool.Pick(new PickContext { Prefer = pool.Get(name) }))];

    public static void Release(this ServerLease[] leases)
    {
        foreach (ServerLease lease in leases) lease.Complete(LeaseOutcome.Success);
    }

    /// <summary>Sets the limit of a server to what it holds.</summary>
    public static void Fill(this ServerPool pool, string name)
    {
        pool.Hold(name, 1);
        pool.SetMaxConnections(pool.Get(name), pool.Get(name).InFlight);
    }

    /// <summary>Names of the next picks, all of which stay open.</summary>
    public static string Open(this ServerPool pool, int count) =>
        string.Join(' ', Enumerable.Range(0, count).Select(_ => pool.Pick().Server.Name));

    public static PickContext From(string address, int port = 0) => new() { Source = Peer(address, port) };

    public static PickContext To(string address, int port = 80) => new() { Destination = Peer(address, port) };

    private static PeerAddress Peer(string address, int port) =>
        PeerAddress.From(new System.Net.IPEndPoint(System.Net.IPAddress.Parse(address), port));
}
