using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

[Trait("Row", "H29")]
[Trait("Row", "H3")]
public sealed class FairTimeoutTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly PausableTime _clock;

    public FairTimeoutTests()
    {
        _clock = new PausableTime(_time);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(2000)]
    [InlineData(3601)]
    public void Is_exact_while_the_process_runs(int milliseconds)
    {
        using FairTimeout limit = new(Ms(milliseconds), _clock, CancellationToken.None);
        _time.Advance(Ms(milliseconds) - TimeSpan.FromTicks(1));
        Assert.False(limit.Token.IsCancellationRequested);
        _time.Advance(TimeSpan.FromTicks(1));

        // Timers count milliseconds: slices of fractions end up to one later each, never earlier.
        _time.Advance(Ms(1));
        Assert.True(limit.Token.IsCancellationRequested);
        Assert.False(limit.SawPause);
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(1999)]
    public void A_pause_does_not_eat_it(int at)
    {
        using FairTimeout limit = new(Ms(2000), _clock, CancellationToken.None);
        _time.Advance(Ms(at));
        _clock.Pause(Ms(100_000));
        Assert.False(limit.Token.IsCancellationRequested);
        Assert.True(limit.SawPause);
        _time.Advance(Ms(124));
        Assert.False(limit.Token.IsCancellationRequested);
        _time.Advance(Ms(2000));
        Assert.True(limit.Token.IsCancellationRequested);
    }

    [Fact]
    public void On_a_host_that_is_always_late_it_still_ends()
    {
        using FairTimeout limit = new(Ms(2000), _clock, CancellationToken.None);
        int pauses = 0;
        while (!limit.Token.IsCancellationRequested)
        {
            _clock.Pause(Ms(10_000));
            Assert.True(++pauses <= 9);
        }
    }

    [Fact]
    public void A_pause_is_seen_before_the_timer_tells_of_it()
    {
        using FairTimeout limit = new(Ms(80_000), _clock, CancellationToken.None);
        Assert.False(limit.SawPause);
        _time.Advance(Ms(9_999));
        bool seen = false;
        using ITimer first = _clock.CreateTimer(_ => seen = limit.SawPause, null, Ms(0), Timeout.InfiniteTimeSpan);
        _clock.Pause(Ms(5_000));
        Assert.True(seen);
    }

    [Fact]
    public void The_callers_token_ends_it_too_and_disposal_leaves_no_timer()
    {
        using CancellationTokenSource stop = new();
        FairTimeout limit = new(Ms(2000), _clock, stop.Token);
        CancellationToken token = limit.Token;
        stop.Cancel();
        Assert.True(token.IsCancellationRequested);
        limit.Dispose();
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public void A_callback_that_throws_does_not_end_the_process()
    {
        using FairTimeout limit = new(Ms(10), _clock, CancellationToken.None);
        using CancellationTokenRegistration bad = limit.Token.Register(static () => throw new InvalidOperationException("bug"));
        _time.Advance(Ms(20));
        Assert.True(limit.Token.IsCancellationRequested);
    }

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
