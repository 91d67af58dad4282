using System.Net;
using Lb.Testing;
using Microsoft.Extensions.Logging;

namespace Lb.Health.Tests.Monitoring;

/// <summary>What hinders a check on this node says nothing of the server, but somebody must hear of it.</summary>
[Trait("Row", "H28")]
public sealed class OwnFaultTests
{
    [Fact]
    public void A_fault_of_our_own_is_logged_once_and_again_when_it_changes_or_ends()
    {
        Lines lines = new();
        ManualTimeProvider time = new();
        FakeHealthChecker checker = new(time);
        using ProbeEnvironment environment = new(time, new ScriptedRandom(), lines);
        ServerPool pool = new("web", new PoolOptions { Servers = { new ServerOptions { Name = "s1", Address = "127.0.0.1:1" } } }, time: time);
        ServerWatch watch = new(pool, pool.Servers[0], environment);
        checker.Answer("s1", new ProbeResult(CheckStatus.SocketError, 0, "permission denied"));
        watch.Follow([new CheckPlan(new CheckOptions(), checker, time)], [])[0].Start(0, 1);
        time.Advance(TimeSpan.FromSeconds(9));
        checker.Answer("s1", new ProbeResult(CheckStatus.SocketError, 0, "too many open files"));
        time.Advance(TimeSpan.FromSeconds(4));
        checker.Answer("s1", FakeHealthChecker.Fail);
        time.Advance(TimeSpan.FromSeconds(4));
        watch.Stop([]);
        Assert.Equal(
            [
                "2006 Health check tcp of web/s1 can't be made on this node: permission denied. It says nothing of the server, which stays Up",
                "2006 Health check tcp of web/s1 can't be made on this node: too many open files. It says nothing of the server, which stays Up",
                "2007 Health check tcp of web/s1 can be made again",
            ],
            lines.All);

        // None of them counted.
        Assert.Equal(2, environment.Failed);
    }

    [Fact]
    public async Task A_deadline_of_the_question_before_does_not_end_this_one()
    {
        ManualTimeProvider time = new();
        FakeHealthChecker checker = new(time);
        checker.Hold("s1");
        using Inquiry inquiry = new(time);
        ProbeTarget target = new("s1", new IPEndPoint(IPAddress.Loopback, 1), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        Task<ProbeResult> answer = inquiry.AskAsync(checker, target, TimeSpan.FromSeconds(1)).AsTask();

        // What the queue does with one that was reached at the very moment the question before it ended.
        inquiry.Reached();
        Assert.False(answer.IsCompleted);
        checker.Release("s1");
        Assert.Equal(FakeHealthChecker.Pass, await answer);
    }

    private sealed class Lines : ILogger
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add($"{eventId.Id} {formatter(state, exception)}");
    }
}
