using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Lb.Transport.Tests;

/// <summary>Waits for a state, never for a time.</summary>
internal static class Wait
{
    private static readonly TimeSpan Safety = TimeSpan.FromSeconds(30);

    public static async Task UntilAsync(Func<bool> reached, Func<string> wanted)
    {
        long started = Stopwatch.GetTimestamp();
        while (!reached())
        {
            if (Stopwatch.GetElapsedTime(started) > Safety) Assert.Fail($"Waited in vain for: {wanted()}");
            await Task.Delay(1);
        }
    }

    public static Task UntilAsync(Func<bool> reached, string wanted) => UntilAsync(reached, () => wanted);
}

/// <summary>Counts log messages by their number.</summary>
internal sealed class LogIds : ILoggerProvider, ILogger
{
    private readonly Dictionary<int, int> _counts = [];

    public int Count(int id)
    {
        lock (_counts) return _counts.GetValueOrDefault(id);
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_counts) _counts[eventId.Id] = _counts.GetValueOrDefault(eventId.Id) + 1;
    }

    public void Dispose()
    {
    }
}

/// <summary>Keeps every event of a host.</summary>
internal sealed class Heard : INotifier
{
    private readonly List<LbEvent> _events = [];

    public IReadOnlyList<LbEvent> All
    {
        get
        {
            lock (_events) return [.. _events];
        }
    }

    public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
    {
        lock (_events) _events.Add(notice);
        return ValueTask.CompletedTask;
    }
}
