using Lb.Testing;

namespace Lb.Core.Tests;

public sealed class EventQueueTests
{
    [Fact]
    public void Events_come_out_by_time_and_those_of_one_time_in_the_order_they_went_in()
    {
        Random random = new(7);
        EventQueue queue = new();
        List<(long Time, int Subject)> expected = [];
        for (int i = 0; i < 5000; i++)
        {
            long time = random.Next(300);
            expected.Add((time, i));
            queue.Add(time, EventKind.Served, i);
        }

        // OrderBy is stable: an independent account of the same order.
        Assert.Equal(expected.OrderBy(static e => e.Time), Drain(queue));
        Assert.Equal(0, queue.Count);
        Assert.False(queue.TryTake(out _));
    }

    [Fact]
    public void Adding_and_taking_may_alternate()
    {
        Random random = new(8);
        EventQueue queue = new();
        SortedSet<(long Time, int Subject)> mirror = [];
        for (int i = 0; i < 20_000; i++)
        {
            if (mirror.Count == 0 || random.Next(5) < 3)
            {
                long time = random.Next(1000);
                mirror.Add((time, i));
                queue.Add(time, EventKind.Arrived, i);
            }
            else
            {
                Assert.True(queue.TryTake(out EventQueue.Event next));
                Assert.Equal(mirror.Min, (next.Time, next.Subject));
                mirror.Remove(mirror.Min);
            }
        }

        Assert.Equal(mirror, Drain(queue));
    }

    private static List<(long Time, int Subject)> Drain(EventQueue queue)
    {
        List<(long, int)> taken = [];
        while (queue.TryTake(out EventQueue.Event next)) taken.Add((next.Time, next.Subject));
        return taken;
    }
}
