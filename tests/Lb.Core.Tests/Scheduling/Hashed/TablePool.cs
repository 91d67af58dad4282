namespace Lb.Core.Tests;

/// <summary>Pools and picks for the tests of hash policies.</summary>
internal static class TablePool
{
    public static ServerPool Make(Func<ISchedulingPolicy> policy, int firstPort, params int[] weights)
    {
        PoolOptions options = new() { Policy = policy };
        for (int i = 0; i < weights.Length; i++)
            options.Servers.Add(new ServerOptions { Name = $"s{i + 1}", Address = $"127.0.0.1:{firstPort + i}", Weight = weights[i] });
        return new ServerPool("table", options);
    }

    public static string Pick(ServerPool pool, string key)
    {
        PickContext context = new() { Key = AffinityKey.From(key) };
        Assert.True(pool.TryPick(in context, out ServerLease lease, out _));
        lease.Complete(LeaseOutcome.Success);
        return lease.Server.Name;
    }

    public static Dictionary<string, string> PickAll(ServerPool pool, int keys) =>
        Enumerable.Range(0, keys).Select(static n => $"key-{n}").ToDictionary(static k => k, k => Pick(pool, k));
}
