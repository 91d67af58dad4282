namespace Lb.Vrrp;

/// <summary>
/// A link whose next adverts wait in the kernel, so that a pause of the process does not hold them up. The router goes on with its own schedule; what the
/// kernel has sent in its place it does not send again. The driver's thread.
/// </summary>
internal sealed class AheadTransport(RawTransport inner, QueuedAdverts queue, TimeSpan horizon) : IVrrpTransport
{
    private readonly byte[] _message = new byte[DatagramReader.Capacity];
    private int _length;
    private TimeSpan _next;
    private TimeSpan _interval;
    private bool _runs;
    private long _sent;
    private long _failed;

    /// <inheritdoc/>
    public PeerAddress Source => inner.Source;

    /// <inheritdoc/>
    public PeerAddress Destination => inner.Destination;

    /// <summary>True while the kernel sends the adverts that are due.</summary>
    public bool IsRunning => _runs;

    /// <summary>When <see cref="Extend"/> wants to be called; <see cref="TimeSpan.MaxValue"/> = not.</summary>
    public TimeSpan Due => _runs ? queue.ExtendAt : TimeSpan.MaxValue;

    /// <inheritdoc/>
    public VrrpSendResult Send(ReadOnlySpan<byte> message) => inner.Send(message);

    /// <summary>Has the kernel send this advert from a moment on. What is queued goes on if it is the same; otherwise none of it leaves any more.</summary>
    /// <param name="message">The advert.</param>
    /// <param name="next">The moment of the next one.</param>
    /// <param name="interval">Time between them.</param>
    public void Follow(ReadOnlySpan<byte> message, TimeSpan next, TimeSpan interval)
    {
        if (_runs && interval == _interval && (next == _next || next == _next + interval) && message.SequenceEqual(_message.AsSpan(0, _length)))
        {
            _next = next;
            return;
        }

        message.CopyTo(_message);
        _length = message.Length;
        _next = next;
        _interval = interval;
        _runs = queue.Start(inner, message, next, interval, horizon);
    }

    /// <summary>What became of the queued adverts since the last call: as with those to several peers, one that was sent counts for all. Does not allocate.</summary>
    /// <returns><see cref="VrrpSendResult.Sent"/> too when none was due.</returns>
    public VrrpSendResult TakeResult()
    {
        queue.Collect();
        bool failed = queue.Failed != _failed && queue.Sent == _sent;
        (_sent, _failed) = (queue.Sent, queue.Failed);
        return failed ? Errno.ToSendResult(queue.LastError) : VrrpSendResult.Sent;
    }

    /// <summary>Queues further adverts.</summary>
    public void Extend(TimeSpan now) => _runs = _runs && queue.Extend(now);

    /// <summary>Nothing that is queued leaves any more: the router is Active no longer, or the link is opened anew.</summary>
    public void Quiet()
    {
        if (_runs) queue.Cancel();
        _runs = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Quiet();
        queue.Dispose();
        inner.Dispose();
    }
}
