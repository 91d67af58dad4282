using System.Net;
using Lb.Testing;

namespace Lb.Health.Tests.Testing;

public sealed class FakeHealthCheckerTests
{
    private readonly FakeHealthChecker _fake = new(new ManualTimeProvider());

    [Fact]
    public async Task Follows_its_script_and_then_its_answer()
    {
        _fake.Then("a", FakeHealthChecker.Fail, FakeHealthChecker.Pass);
        _fake.Answer("A", new ProbeResult(CheckStatus.Layer4Timeout));
        Assert.Equal(FakeHealthChecker.Fail, await Ask("a"));
        Assert.Equal(FakeHealthChecker.Pass, await Ask("a"));
        Assert.Equal(CheckStatus.Layer4Timeout, (await Ask("a")).Status);
        Assert.True((await Ask("b")).Passed);
        Assert.Equal(["a", "a", "a", "b"], _fake.Calls.Select(c => c.Server));
        Assert.All(_fake.Calls, c => Assert.Equal(ManualTimeProvider.Start, c.At));
    }

    [Fact(Timeout = 60_000)]
    public async Task Holds_until_released_or_cancelled()
    {
        using CancellationTokenSource stop = new();
        _fake.Hold("a");
        Task<ProbeResult> first = Ask("a"), second = Ask("a", stop.Token);
        Assert.Equal((2, 2), (_fake.Running, _fake.MostRunning));
        await stop.CancelAsync();
        Assert.Equal(CheckStatus.Layer7Timeout, (await second).Status);
        _fake.Release("a");
        Assert.True(first.IsCompleted);
        Assert.True((await first).Passed);
        Assert.Equal((0, 2), (_fake.Running, _fake.MostRunning));
        Assert.True((await Ask("a")).Passed);
    }

    [Fact(Timeout = 60_000)]
    public async Task Tells_when_calls_have_come()
    {
        Task two = _fake.WhenCallsReach(2, TestContext.Current.CancellationToken);
        await Ask("a");
        Assert.False(two.IsCompleted);
        await Ask("b");
        await two;
        await _fake.WhenCallsReach(1, TestContext.Current.CancellationToken);
    }

    private Task<ProbeResult> Ask(string server, CancellationToken ct = default) =>
        _fake.CheckAsync(new ProbeTarget(server, new IPEndPoint(IPAddress.Loopback, 1), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)), ct).AsTask();
}
