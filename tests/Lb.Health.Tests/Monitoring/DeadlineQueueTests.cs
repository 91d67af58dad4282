using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

[Trait("Row", "H4")]
public sealed class DeadlineQueueTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly List<string> _reached = [];

    private DeadlineQueue Queue => DeadlineQueue.Of(_time);

    [Fact]
    public void Deadlines_come_in_order_with_one_timer()
    {
        Note a = new(this, "a"), b = new(this, "b"), c = new(this, "c");
        Queue.Set(c, Ms(30));
        Queue.Set(a, Ms(10));
        Queue.Set(b, Ms(10));
        Assert.Equal(1, _time.ActiveTimers);
        _time.Advance(Ms(9));
        Assert.Empty(_reached);
        _time.Advance(Ms(1));
        Assert.Equal(["a@10", "b@10"], _reached);
        _time.Advance(Ms(100));
        Assert.Equal(["a@10", "b@10", "c@30"], _reached);
        Assert.Equal((0, 0), (Queue.Count, _time.ActiveTimers));
    }

    [Fact]
    public void One_that_is_moved_or_removed_comes_then_or_never()
    {
        Note a = new(this, "a"), b = new(this, "b"), c = new(this, "c");
        Queue.Set(a, Ms(10));
        Queue.Set(b, Ms(20));
        Queue.Set(c, Ms(30));
        Queue.Set(a, Ms(40));
        Queue.Set(c, Ms(5));
        Queue.Remove(b);
        Queue.Remove(b);
        _time.Advance(Ms(100));
        Assert.Equal(["c@5", "a@40"], _reached);
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public void A_fraction_of_a_millisecond_is_never_cut_off()
    {
        Queue.Set(new Note(this, "a"), TimeSpan.FromTicks(15_001));
        _time.Advance(TimeSpan.FromTicks(15_001));
        Assert.Empty(_reached);
        _time.Advance(TimeSpan.FromTicks(4_999));
        Assert.Equal(["a@2"], _reached);
    }

    [Fact]
    public void What_is_due_at_once_waits_for_the_clock()
    {
        Queue.Set(new Note(this, "a"), TimeSpan.FromSeconds(-1));
        Assert.Empty(_reached);
        _time.Advance(TimeSpan.Zero);
        Assert.Equal(["a@0"], _reached);
    }

    [Fact]
    [Trait("Row", "P22")]
    public void While_one_holds_up_its_thread_the_others_go_on()
    {
        // The thread is held up for 10 ms: the clock is moved on by another, here by the very callback that holds it up.
        Queue.Set(new Note(this, "slow", () => _time.Advance(DeadlineQueue.HeldUp)), Ms(1));
        Queue.Set(new Note(this, "next"), Ms(1));
        Queue.Set(new Note(this, "later"), Ms(5));
        _time.Advance(Ms(1));
        Assert.Equal(["slow@1", "next@11", "later@11"], _reached);
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public void In_a_crowd_those_of_four_milliseconds_come_together_and_none_early()
    {
        for (int i = 0; i <= DeadlineQueue.Crowd; i++) Queue.Set(new Note(this, $"{i}"), Ms(60_000));
        Queue.Set(new Note(this, "a"), Ms(1));
        Queue.Set(new Note(this, "b"), Ms(3));
        Queue.Set(new Note(this, "c"), Ms(6));
        _time.Advance(Ms(100));
        Assert.Equal(["a@4", "b@4", "c@8"], _reached);
    }

    [Fact]
    public void Ten_thousand_random_moves_agree_with_a_sorted_list()
    {
        Random random = new(5);
        Note[] notes = [.. Enumerable.Range(0, 500).Select(i => new Note(this, $"{i}"))];
        Dictionary<int, (long Due, int Order)> expected = [];
        for (int i = 0; i < 10_000; i++)
        {
            int which = random.Next(notes.Length), delay = random.Next(1, 1000);
            if (random.Next(4) == 0)
            {
                Queue.Remove(notes[which]);
                expected.Remove(which);
            }
            else
            {
                Queue.Set(notes[which], Ms(delay));
                expected[which] = (delay, i);
            }
        }

        Assert.Equal(expected.Count, Queue.Count);
        _time.Advance(Ms(1000));
        Assert.Equal(expected.OrderBy(e => e.Value.Due).ThenBy(e => e.Value.Order).Select(e => $"{e.Key}@{e.Value.Due}"), _reached);
    }

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private sealed class Note(DeadlineQueueTests test, string name, Action? also = null) : Deadline
    {
        protected internal override void Reached()
        {
            test._reached.Add($"{name}@{At}");
            also?.Invoke();
        }

        private double At => (test._time.GetUtcNow() - ManualTimeProvider.Start).TotalMilliseconds;
    }
}
