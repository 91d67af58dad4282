using Microsoft.Extensions.Logging;
using Moq;

namespace Lb.Core.Tests.Events;

public sealed class EventHubTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Events_are_told_in_order_to_every_notifier()
    {
        EventHub hub = new();
        Collector one = new(), two = new();
        using CancellationTokenSource stop = new();
        Task running = hub.RunAsync([one, two], stop.Token);
        for (int n = 1; n <= 100; n++) hub.Publish(Joined(n));
        await one.Next<ServerJoined>(static e => e.Server == "100");
        await two.Next<ServerJoined>(static e => e.Server == "100");
        await stop.CancelAsync();
        await running.WaitAsync(Ct);

        string[] expected = [.. Enumerable.Range(1, 100).Select(static n => $"{n}={n}")];
        Assert.Equal(expected, one.Events.Select(static e => $"{((ServerJoined)e).Server}={e.Sequence}"));
        Assert.Equal(expected, two.Events.Select(static e => $"{((ServerJoined)e).Server}={e.Sequence}"));
        Assert.Equal(0, hub.Dropped);
    }

    [Fact]
    public async Task A_full_hub_drops_the_oldest_and_counts_them()
    {
        EventHub hub = new();
        for (int n = 1; n <= EventHub.Capacity + 10; n++) hub.Publish(Joined(n));
        Assert.Equal(10, hub.Dropped);
        IReadOnlyList<LbEvent> events = await hub.Published();
        Assert.Equal(EventHub.Capacity, events.Count);
        Assert.Equal(11, events[0].Sequence);
        Assert.Equal(EventHub.Capacity + 10, events[^1].Sequence);
    }

    [Fact(Timeout = 60_000)]
    public async Task Numbers_follow_the_order_of_telling_also_with_many_publishers()
    {
        EventHub hub = new();
        OrderChecker checker = new();
        using CancellationTokenSource stop = new();
        Task running = Task.Run(() => hub.RunAsync([checker], stop.Token), Ct);
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(
            () =>
            {
                for (int n = 0; n < 500_000; n++) hub.Publish(Joined(n));
            },
            Ct)));
        await stop.CancelAsync();
        await running.WaitAsync(Ct);
        Assert.Equal((1_000_000, 0), (checker.Last, checker.Disorder));
        Assert.Equal(1_000_000, checker.Heard + hub.Dropped);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_failing_notifier_is_logged_and_stops_nobody()
    {
        Mock<INotifier> failing = new();
        failing.Setup(static n => n.NotifyAsync(It.IsAny<LbEvent>(), It.IsAny<CancellationToken>())).Throws(new InvalidOperationException("boom"));
        LogCollector<EventHub> log = new();
        EventHub hub = new(log);
        Collector healthy = new();
        using CancellationTokenSource stop = new();
        Task running = hub.RunAsync([failing.Object, healthy], stop.Token);
        hub.Publish(Joined(1));
        hub.Publish(Joined(2));
        await healthy.Next<ServerJoined>(static e => e.Server == "2");
        await stop.CancelAsync();
        await running.WaitAsync(Ct);
        Assert.Equal(2, healthy.Events.Count);
        Assert.Equal(2, log.Entries.Count(static e => e is { Level: LogLevel.Error, Id: 1000 } && e.Error is InvalidOperationException));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_notifier_that_gives_up_when_the_host_stops_leaves_the_rest_to_the_others()
    {
        EventHub hub = new();
        hub.Publish(Joined(1));
        Mock<INotifier> leaving = new();
        leaving.Setup(static n => n.NotifyAsync(It.IsAny<LbEvent>(), It.IsAny<CancellationToken>()))
            .Returns(static (LbEvent _, CancellationToken ct) => ValueTask.FromCanceled(ct));
        Collector other = new();
        await hub.RunAsync([leaving.Object, other], new CancellationToken(canceled: true)).WaitAsync(Ct);
        Assert.Single(other.Events);
    }

    [Fact]
    public void Publishing_nothing_is_a_fault()
    {
        Assert.Throws<ArgumentNullException>(() => new EventHub().Publish(null!));
    }

    [Fact]
    public async Task The_log_has_a_line_for_every_event_in_the_words_of_HAProxy()
    {
        LogCollector<LogNotifier> log = new();
        LogNotifier notifier = new(log);
        LbEvent[] events =
        [
            new ServerStatusChanged(Now, "web", "a", ServerStatus.Up, ServerStatus.Down, "L4CON"),
            new ServerStatusChanged(Now, "web", "a", ServerStatus.Up, ServerStatus.Down, null),
            new ServerStatusChanged(Now, "web", "a", ServerStatus.Down, ServerStatus.Up, "L4OK"),
            new ServerStatusChanged(Now, "web", "a", ServerStatus.Drain, ServerStatus.Maintenance, null),
            new ServerStatusChanged(Now, "web", "a", ServerStatus.Up, ServerStatus.Stopping, "L7OKC/404: Not Found"),
            new ServerStatusChanged(Now, "web", "a", ServerStatus.Stopping, ServerStatus.Down, "L4CON"),
            new ServerJoined(Now, "web", "b"),
            new ServerLeft(Now, "web", "b"),
            new PoolModeChanged(Now, "web", PoolMode.Normal, PoolMode.Down, 0),
            new PoolModeChanged(Now, "web", PoolMode.Normal, PoolMode.Backup, 1),
            new ConfigurationReloaded(Now, []),
            new ConfigurationReloaded(Now, ["Lb:x: wrong"]),
        ];
        foreach (LbEvent notice in events) await notifier.NotifyAsync(notice, Ct);
        Assert.Equal(
            [
                "1001 Warning Server web/a is DOWN: L4CON",
                "1001 Warning Server web/a is DOWN: no reason given",
                "1002 Information Server web/a is UP, was DOWN: L4OK",
                "1002 Information Server web/a is MAINT, was DRAIN: no reason given",
                "1002 Information Server web/a is NOLB, was UP: L7OKC/404: Not Found",
                "1002 Information Server web/a is DOWN, was NOLB: L4CON",
                "1003 Information Server web/b joined",
                "1004 Information Server web/b left",
                "1005 Error Pool web has no server available",
                "1006 Warning Pool web is in mode Backup, was Normal; 1 servers usable",
                "1007 Information Configuration reloaded",
                "1008 Error Changed configuration refused, the running one stays:\nLb:x: wrong",
            ],
            log.Entries.Select(static e => $"{e.Id} {e.Level} {e.Message}"));
    }

    private sealed class OrderChecker : INotifier
    {
        public long Last { get; private set; }

        public int Disorder { get; private set; }

        public int Heard { get; private set; }

        public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
        {
            if (notice.Sequence <= Last) Disorder++;
            Last = notice.Sequence;
            Heard++;
            return ValueTask.CompletedTask;
        }
    }

    private static ServerJoined Joined(int n) => new(Now, "web", n.ToString());
}

/// <summary>Keeps what is logged.</summary>
internal sealed class LogCollector<T> : ILogger<T>
{
    private readonly Lock _lock = new();
    private readonly List<(LogLevel Level, int Id, string Message, Exception? Error)> _entries = [];

    public IReadOnlyList<(LogLevel Level, int Id, string Message, Exception? Error)> Entries
    {
        get
        {
            lock (_lock) return [.. _entries];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lock) _entries.Add((logLevel, eventId.Id, formatter(state, exception), exception));
    }
}
