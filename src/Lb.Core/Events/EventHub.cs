using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lb;

/// <summary>Where events go: a bounded channel with one reader. Writers never wait; when it is full the oldest event is dropped and counted. Any thread.</summary>
public sealed class EventHub
{
    /// <summary>Events kept for a slow reader.</summary>
    public const int Capacity = 1024;

    private readonly Channel<LbEvent> _channel;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private long _sequence;
    private long _dropped;

    /// <summary>Makes a hub; hosts get theirs from dependency injection.</summary>
    /// <param name="logger">Where failing notifiers are logged; default: nowhere.</param>
    public EventHub(ILogger<EventHub>? logger = null)
    {
        _logger = logger ?? NullLogger<EventHub>.Instance;
        BoundedChannelOptions options = new(Capacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true };
        _channel = Channel.CreateBounded<LbEvent>(options, _ => Interlocked.Increment(ref _dropped));
    }

    /// <summary>Events dropped because the reader was too slow.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Tells of an event. Never waits.</summary>
    /// <param name="notice">The event.</param>
    public void Publish(LbEvent notice)
    {
        ArgumentNullException.ThrowIfNull(notice);

        // One at a time, so that the numbers have the order of the channel.
        lock (_lock)
        {
            notice.Sequence = ++_sequence;
            _channel.Writer.TryWrite(notice);
        }
    }

    /// <summary>Passes events to the notifiers, one event at a time and in order, until cancelled. What is still in the channel then is passed on first.</summary>
    /// <param name="notifiers">Who wants to hear.</param>
    /// <param name="ct">Ends it.</param>
    public async Task RunAsync(IReadOnlyList<INotifier> notifiers, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(notifiers);
        try
        {
            await foreach (LbEvent notice in _channel.Reader.ReadAllAsync(ct).ConfigureAwait(false))
                await TellAsync(notifiers, notice, ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            while (_channel.Reader.TryRead(out LbEvent? notice)) await TellAsync(notifiers, notice, ct).ConfigureAwait(false);
        }
    }

    private async ValueTask TellAsync(IReadOnlyList<INotifier> notifiers, LbEvent notice, CancellationToken ct)
    {
        foreach (INotifier notifier in notifiers)
        {
            try
            {
                await notifier.NotifyAsync(notice, ct).ConfigureAwait(false);
            }
            catch (Exception error) when (error is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                CoreLog.NotifierFailed(_logger, error, notifier.GetType().Name, notice.GetType().Name);
            }
            catch (OperationCanceledException)
            {
                // The host stops; the remaining notifiers still hear of the event.
            }
        }
    }
}
