namespace Lb.Vrrp;

/// <content>What keeps the router from taking part, and what it tracks.</content>
public sealed partial class VirtualRouter
{
    /// <summary>Words for the link's fault.</summary>
    internal const string LinkFault = "the link is down, or has no address of its own beside the virtual ones";

    private const string AddressFault = "the addresses can't be taken";
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestLinkRetry = TimeSpan.FromSeconds(8);

    private readonly SortedSet<string> _faults = new(StringComparer.Ordinal);
    private readonly List<string> _trackFaults = [];
    private RouterTracks _tracks;
    private TimeSpan _retryAt = TimeSpan.MaxValue;
    private TimeSpan _retryAfter = FirstRetry;
    private TimeSpan _linkRetryAt = TimeSpan.MaxValue;
    private TimeSpan _linkRetryAfter = FirstRetry;
    private bool _linkFailed;
    private bool _refused;

    /// <summary>Puts the router into fault: it resigns, gives the addresses up and takes part no more until the last reason is gone.</summary>
    /// <param name="reason">Why, for people; the same words take it back.</param>
    /// <param name="now">The time.</param>
    public void SetFault(string reason, TimeSpan now)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        if (!_faults.Add(reason)) return;
        if (_started) Do(_machine.Fault(now), reason, now);
        Refresh();
        FaultsChanged?.Invoke(now);
    }

    /// <summary>Takes a reason back; with the last one gone the router is Backup again.</summary>
    /// <param name="reason">As it was given.</param>
    /// <param name="now">The time.</param>
    public void ClearFault(string reason, TimeSpan now)
    {
        if (!_faults.Remove(reason)) return;
        if (_started && _faults.Count == 0) Do(_machine.Recover(now), $"no fault any more: {reason}", now);
        Refresh();
        FaultsChanged?.Invoke(now);
    }

    /// <summary>Takes in what became of something tracked.</summary>
    /// <param name="index">Its place in <see cref="RouterOptions.Track"/>.</param>
    /// <param name="isWell">Whether it is well.</param>
    /// <param name="value">The number of a file, otherwise 0.</param>
    /// <param name="text">For people.</param>
    /// <param name="now">The time.</param>
    public void Report(int index, bool isWell, int value, string text, TimeSpan now)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, _options.Track.Count);
        bool wasKnown = _tracks.AllKnown;
        if (!_tracks.Take(index, isWell, value, text)) return;
        if (_started)
        {
            ApplyTracks(_machine.EffectivePriority, text, now);
            if (!wasKnown && _tracks.AllKnown) Do(_machine.Ready(now), "everything tracked was looked at", now);
        }

        Refresh();
    }

    /// <summary>The interface went or came back, perhaps with another address: the transport's source says. Without one the router is in fault.</summary>
    /// <param name="now">The time.</param>
    public void LinkChanged(TimeSpan now)
    {
        _messages = new RouterMessages(_options, _links, _time, _messages);
        _linkRetryAfter = FirstRetry;
        JudgeLink(now);
    }

    /// <summary>
    /// Opens the transport anew, since a send has failed or it has no address although no news of the interface came: called 1 s after the fault began, and
    /// then after twice the wait before, at most every 8 s. What it opened is looked at when it returns. Null = there is nothing to open.
    /// </summary>
    internal Action? Reopen { get; set; }

    /// <summary>Draws the consequences when a send found the link gone before the kernel's notice came, or was refused. Called by the driver after every turn.</summary>
    /// <param name="now">The time.</param>
    public void SettleLink(TimeSpan now)
    {
        if (_linkFailed)
        {
            SetFault(LinkFault, now);
            RetryLinkLater(now);
        }

        _linkFailed = false;
        if (_refused) Mismatch(MismatchKind.Refused, default, "our own adverts are refused: a firewall on protocol 112, or no CAP_NET_RAW", now);
        _refused = false;
    }

    private void ApplyTracks(int before, string cause, TimeSpan now)
    {
        byte priority = Judge(now);
        Do(_machine.SetPriority(priority, now), cause, now);
        if (priority != before)
        {
            RouterLog.PriorityChanged(_log, Name, before, priority, cause);
            Publish(new RouterPriorityChanged(_time.GetUtcNow(), Name, before, priority, cause));
            QueueAhead();
        }

        // New reasons first: between the last one and the next there is no moment without a fault.
        foreach (string fault in _trackFaults) SetFault(fault, now);
        foreach (string gone in _faults.Where(f => f.StartsWith(RouterTracks.FaultPrefix, StringComparison.Ordinal) && !_trackFaults.Contains(f)).ToArray()) ClearFault(gone, now);
    }

    // The priority that follows from what is tracked, here or by the group; and the faults.
    private byte Judge(TimeSpan now)
    {
        int shift = _tracks.Evaluate((byte)_options.Priority, _trackFaults) - _options.Priority;
        if (shift != OwnShift)
        {
            OwnShift = shift;
            ShiftChanged?.Invoke(this, now);
        }

        return _options.Priority == 255 ? (byte)255 : (byte)Math.Clamp(_options.Priority + (_groupShift ?? OwnShift), 1, 254);
    }

    private void JudgeLink(TimeSpan now)
    {
        _linkFailed = false;
        _linkRetryAt = TimeSpan.MaxValue;
        if (_links.Transport.Source.IsEmpty)
        {
            SetFault(LinkFault, now);
            if (Reopen is not null) RetryLinkLater(now);
        }
        else
        {
            ClearFault(LinkFault, now);
        }
    }

    // The kernel tells of an interface only when it changes; what a send or a bind has found wrong may be over without a word.
    private void RetryLinkLater(TimeSpan now)
    {
        if (!_started || _linkRetryAt != TimeSpan.MaxValue) return;
        _linkRetryAt = now + _linkRetryAfter;
        _linkRetryAfter = _linkRetryAfter * 2 < LongestLinkRetry ? _linkRetryAfter * 2 : LongestLinkRetry;
    }

    private void RetryLink(TimeSpan now)
    {
        _linkRetryAt = TimeSpan.MaxValue;
        PeerAddress before = _links.Transport.Source;
        Reopen?.Invoke();
        if (_links.Transport.Source != before) _messages = new RouterMessages(_options, _links, _time, _messages);
        JudgeLink(now);
    }

    // An Active router that can't hold its addresses must not keep others from holding them; it tries again, less and less often.
    private void RetryLater(string error, TimeSpan now)
    {
        _retryAt = now + _retryAfter;
        _retryAfter = _retryAfter * 2 < LongestRetry ? _retryAfter * 2 : LongestRetry;
        SetFault(AddressFault, now);
        RouterLog.RetryLater(_log, Name, error, (_retryAt - now).TotalSeconds);
    }

    private void Retry(TimeSpan now)
    {
        _retryAt = TimeSpan.MaxValue;
        ClearFault(AddressFault, now);
    }
}
