namespace Lb.Core.Tests.Pools;

/// <summary>Pools of many thousands of servers are made and changed in time and memory that grow with their size, not with its square.</summary>
public sealed class LargePoolTests
{
    [Fact]
    [Trait("Row", "P16")]
    public void Twice_the_servers_cost_about_twice_the_memory_to_make()
    {
        Create(100);
        long once = Create(2_000), twice = Create(4_000);

        // Twice would be 2.0; the square 4.0.
        Assert.InRange((double)twice / once, 1.5, 2.8);
    }

    [Fact]
    [Trait("Row", "P16")]
    public void The_lowest_place_that_is_free_is_taken()
    {
        ServerPool pool = TestPool.Create(4);
        pool.Remove(pool.Get("b"), force: true);
        pool.Remove(pool.Get("c"), force: true);
        Assert.Equal([1, 2, 4], new[] { "x", "y", "z" }.Select(n => pool.Add(TestPool.Server(n)).Slot));
    }

    private static long Create(int servers)
    {
        PoolOptions options = new() { Policy = static () => new RoundRobin() };
        for (int i = 0; i < servers; i++) options.Servers.Add(TestPool.Server($"s{i}"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        _ = new ServerPool("web", options);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
