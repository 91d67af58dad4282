using Lb.Testing;

namespace Lb.Core.Tests.Pools;

/// <summary>Who of those who wait comes first: HAProxy's classes and offsets, and age over both kinds of queue.</summary>
[Trait("Row", "L2")]
public sealed class QueuePriorityTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly List<string> _served = [];
    private ServerLease _last;

    [Fact(Timeout = 60_000)]
    public async Task Lower_classes_come_first_and_within_a_class_the_oldest()
    {
        (ServerPool pool, ServerLease open) = Full();
        foreach ((string name, short priority) in new (string, short)[] { ("a", 1), ("b", 0), ("c", -5), ("d", 1), ("e", 0), ("f", -5), ("g", 2047), ("h", -2047) })
            Wait(pool, name, new QueuePriority(priority, 0));
        Assert.Equal("h c f b e a d g", await ServeAsync(pool, open));
    }

    [Fact(Timeout = 60_000)]
    public async Task An_offset_moves_a_caller_in_time_within_its_class()
    {
        (ServerPool pool, ServerLease open) = Full();
        Wait(pool, "at0", default);
        Wait(pool, "at0+2s", new QueuePriority(0, 2000));
        Wait(pool, "class1-9s", new QueuePriority(1, -9000));
        _time.Advance(TimeSpan.FromSeconds(1));
        Wait(pool, "at1", default);
        Wait(pool, "at1-2s", new QueuePriority(0, -2000));
        _time.Advance(TimeSpan.FromSeconds(2));
        Wait(pool, "at3", default);
        Assert.Equal("at1-2s at0 at1 at0+2s at3 class1-9s", await ServeAsync(pool, open));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(0, 0, "any0 stuck1 any2")]
    [InlineData(1, 0, "any0 any2 stuck1")]
    [InlineData(-1, 0, "stuck1 any0 any2")]
    [InlineData(0, -5000, "stuck1 any0 any2")]
    public async Task A_freed_slot_goes_to_the_servers_own_queue_or_to_the_pools_by_class_and_age(short priority, int offset, string expected)
    {
        (ServerPool pool, ServerLease open) = Full();
        Wait(pool, "any0", default);
        _time.Advance(TimeSpan.FromSeconds(1));
        Wait(pool, "stuck1", new QueuePriority(priority, offset), pool.Get("a"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Wait(pool, "any2", default);
        Assert.Equal(expected, await ServeAsync(pool, open));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whoever_comes_and_goes_the_order_is_that_of_a_sorted_list(int seed)
    {
        Random random = new(seed);
        (ServerPool pool, ServerLease open) = Full();
        List<(short Class, long Since, int Number, CancellationTokenSource Cancel)> expected = [];
        for (int n = 0; n < 300; n++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(random.Next(3)));
            if (expected.Count > 0 && random.Next(4) == 0)
            {
                int gone = random.Next(expected.Count);
                await expected[gone].Cancel.CancelAsync();
                expected.RemoveAt(gone);
                continue;
            }

            QueuePriority priority = new((short)random.Next(-2, 3), random.Next(-2, 3) * 5);
            CancellationTokenSource cancel = new();
            expected.Add((priority.Class, (long)_time.GetElapsedTime(0).TotalMilliseconds + priority.Offset, n, cancel));
            Wait(pool, $"{n}", priority, ct: cancel.Token);
        }

        Assert.Equal(expected.Count, pool.QueueLength);
        Assert.Equal(string.Join(' ', expected.OrderBy(static e => (e.Class, e.Since, e.Number)).Select(static e => e.Number)), await ServeAsync(pool, open));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "L3")]
    public async Task Beyond_the_servers_queue_a_sticky_caller_waits_for_any_server()
    {
        ServerPool pool = TestPool.Create(2, configure: static o =>
        {
            foreach (ServerOptions server in o.Servers) (server.MaxConnections, server.MaxQueue) = (1, 1);
        });
        Server a = pool.Get("a");
        ServerLease first = pool.Pick(), second = pool.Pick();
        ServerLease onB = first.Server == a ? second : first;
        Wait(pool, "stuck", default, a);
        Wait(pool, "redispatched", default, a);
        Assert.Equal((1, 2), (a.Queued, pool.QueueLength));
        onB.Complete(LeaseOutcome.Success);
        await ServedAsync(1);
        Assert.Equal(["redispatched"], _served);
    }

    private (ServerPool Pool, ServerLease Open) Full()
    {
        ServerPool pool = TestPool.Create(1, time: _time, configure: static o =>
        {
            o.Servers[0].MaxConnections = 1;
            o.QueueTimeout = TimeSpan.FromHours(1);
        });
        return (pool, pool.Pick());
    }

    private void Wait(ServerPool pool, string name, QueuePriority priority, Server? prefer = null, CancellationToken ct = default)
    {
        ValueTask<ServerLease> wait = pool.AcquireAsync(new PickContext { Priority = priority, Prefer = prefer }, ct);
        Assert.False(wait.IsCompleted);
        _ = HearAsync(wait.AsTask());

        async Task HearAsync(Task<ServerLease> granted)
        {
            try
            {
                ServerLease lease = await granted;
                lock (_served)
                {
                    _last = lease;
                    _served.Add(name);
                }
            }
            catch (OperationCanceledException)
            {
                // It gave up.
            }
        }
    }

    // The slot goes from one to the next until nobody waits.
    private async Task<string> ServeAsync(ServerPool pool, ServerLease open)
    {
        int waiting = pool.QueueLength;
        for (int n = 1; n <= waiting; n++)
        {
            open.Complete(LeaseOutcome.Success);
            await ServedAsync(n);
            open = _last;
        }

        return string.Join(' ', _served);
    }

    private async Task ServedAsync(int count)
    {
        while (true)
        {
            lock (_served)
            {
                if (_served.Count == count) return;
            }

            await Task.Yield();
        }
    }
}
