namespace Lb.Core.Tests;

internal static class EventHubExtensions
{
    /// <summary>Everything published and not read so far.</summary>
    public static async Task<IReadOnlyList<LbEvent>> Published(this EventHub hub)
    {
        Collector collector = new();
        await hub.RunAsync([collector], new CancellationToken(canceled: true));
        return collector.Events;
    }
}

/// <summary>Keeps what it hears, and lets a test wait for it.</summary>
internal sealed class Collector : INotifier
{
    private readonly Lock _lock = new();
    private readonly List<LbEvent> _events = [];
    private readonly List<(Func<LbEvent, bool> Test, TaskCompletionSource<LbEvent> Found)> _waiting = [];

    public IReadOnlyList<LbEvent> Events
    {
        get
        {
            lock (_lock) return [.. _events];
        }
    }

    public async Task<T> Next<T>(Func<T, bool>? test = null)
        where T : LbEvent
    {
        TaskCompletionSource<LbEvent> found = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool IsIt(LbEvent e) => e is T wanted && test?.Invoke(wanted) != false;
        lock (_lock)
        {
            if (_events.Find(IsIt) is T already) return already;
            _waiting.Add((IsIt, found));
        }

        return (T)await found.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
    {
        lock (_lock)
        {
            _events.Add(notice);
            foreach ((Func<LbEvent, bool> test, TaskCompletionSource<LbEvent> found) in _waiting)
            {
                if (test(notice)) found.TrySetResult(notice);
            }
        }

        return ValueTask.CompletedTask;
    }
}
