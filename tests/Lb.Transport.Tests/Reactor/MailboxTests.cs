namespace Lb.Transport.Tests;

/// <summary>When a mailbox wakes its loop.</summary>
public sealed class MailboxTests
{
    private readonly List<object?> _done = [];
    private readonly Mailbox _mailbox;
    private int _wakes;

    public MailboxTests() => _mailbox = new Mailbox(() => _wakes++);

    [Fact]
    public void Work_that_comes_together_wakes_the_loop_once()
    {
        Assert.True(_mailbox.Post(_done.Add, 1, fromLoop: false));
        Assert.True(_mailbox.Post(_done.Add, 2, fromLoop: false));

        Assert.Equal(1, _wakes);
        Turn(1, 2);
    }

    [Fact]
    public void Delayed_work_wakes_nobody_before_the_end_of_the_delay_and_then_once()
    {
        Assert.True(_mailbox.PostDelayed(_done.Add, 1, out bool first));
        Assert.True(_mailbox.PostDelayed(_done.Add, 2, out bool second));

        Assert.True(first);
        Assert.False(second);
        Assert.True(_mailbox.IsSignalled);
        Assert.Equal(0, _wakes);

        _mailbox.EndDelay();

        Assert.Equal(1, _wakes);
        Turn(1, 2);
    }

    [Fact]
    public void Work_that_may_not_wait_wakes_a_loop_that_delayed_work_has_not()
    {
        _mailbox.PostDelayed(_done.Add, 1, out _);
        _mailbox.Post(_done.Add, 2, fromLoop: false);

        Assert.Equal(1, _wakes);
        Turn(1, 2);
        _mailbox.EndDelay();
        Assert.Equal(1, _wakes); // it has seen everything
    }

    [Fact]
    public void Work_that_follows_a_turn_within_the_delay_is_told_by_its_end()
    {
        _mailbox.PostDelayed(_done.Add, 1, out _);
        Turn(1);
        _mailbox.PostDelayed(_done.Add, 2, out bool isFirst);

        Assert.False(isFirst);
        _mailbox.EndDelay();
        Assert.Equal(1, _wakes);
        Turn(2);
    }

    [Fact]
    public void Nothing_is_delayed_for_a_loop_that_is_awake()
    {
        _mailbox.Post(_done.Add, 1, fromLoop: true);
        _mailbox.PostDelayed(_done.Add, 2, out bool isFirst);

        Assert.False(isFirst);
        Assert.Equal(0, _wakes);
        Turn(1, 2);
    }

    [Fact]
    public void The_end_of_a_delay_after_the_close_touches_nothing()
    {
        _mailbox.PostDelayed(_done.Add, 1, out _);
        _mailbox.Close();
        _mailbox.EndDelay();

        Assert.Equal(1, _wakes); // the close's own
        Assert.False(_mailbox.PostDelayed(_done.Add, 2, out bool isFirst));
        Assert.False(isFirst);
        Turn(1);
    }

    private void Turn(params int[] expected)
    {
        _done.Clear();
        _mailbox.Take();
        _mailbox.Run(static exception => Assert.Fail(exception.ToString()));
        Assert.Equal(expected.Cast<object?>(), _done);
    }
}
