namespace Lb.Vrrp;

/// <summary>
/// Makes what an <see cref="IAddressOwner"/> has follow what the router wants, one call at a time: with a slow owner the wish may change while it still
/// fulfils the last one. Driven by the router's thread.
/// </summary>
internal sealed class AddressHolder(IAddressOwner owner, Action wake) : IDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    private CancellationTokenSource? _giveUp;
    private Task? _pending;
    private bool _pendingAcquires;
    private bool _wanted;
    private bool _isSure = true;
    private bool _isGivenUp;
    private TimeSpan _renewAt = TimeSpan.MaxValue;
    private TimeSpan _releaseAt = TimeSpan.MaxValue;
    private TimeSpan _releaseAfter = FirstRetry;

    /// <summary>True while the addresses are on this node as far as we know: whole, in part, or because they could not be taken off.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>True while a call of the owner is under way that is waited for.</summary>
    public bool IsBusy => _pending is not null && !_isGivenUp;

    /// <summary>When <see cref="Advance"/> has something to do; <see cref="TimeSpan.MaxValue"/> = never.</summary>
    public TimeSpan Deadline
    {
        get
        {
            if (_pending is { } pending) return pending.IsCompleted ? TimeSpan.Zero : TimeSpan.MaxValue;
            return _renewAt < _releaseAt ? _renewAt : _releaseAt;
        }
    }

    /// <summary>Wants the addresses, or wants them no more.</summary>
    /// <returns>What came of it at once.</returns>
    public HolderResult Want(bool wanted, TimeSpan now)
    {
        _wanted = wanted;
        if (wanted) _isGivenUp = false;
        if (_pending is null) return Follow(now);
        if (_pendingAcquires != wanted) _giveUp?.Cancel();
        return HolderResult.None;
    }

    /// <summary>There is no more time: cancels the call that is under way, and nobody waits for it, or for one that follows, any longer.</summary>
    public void GiveUp()
    {
        if (_pending is null) return;
        _isGivenUp = true;
        _giveUp?.Cancel();
    }

    /// <summary>Takes the end of a slow call, renews what is due, tries again to release.</summary>
    public HolderResult Advance(TimeSpan now)
    {
        if (_pending is { } pending)
        {
            if (!pending.IsCompleted) return HolderResult.None;
            _pending = null;

            // A release that was given up is not tried again; an acquisition still wants one.
            if (_isGivenUp && !_pendingAcquires && !_wanted)
            {
                IsHeld = !(_isSure = pending.IsCompletedSuccessfully);
                return HolderResult.None;
            }

            HolderResult result = Finish(pending, _pendingAcquires, now);
            return result.Kind == HolderEvent.Failed || (IsHeld == _wanted && _isSure) ? result : Follow(now);
        }

        if (now >= _releaseAt) return Follow(now);
        if (now < _renewAt) return HolderResult.None;

        // On a grid of its own, which began with the adverts': what is due together is done in one turn.
        TimeSpan next = _renewAt + owner.RenewEvery;
        _renewAt = next > now ? next : now + owner.RenewEvery;
        try
        {
            return owner.Renew() ? new HolderResult(HolderEvent.Restored) : HolderResult.None;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return new HolderResult(HolderEvent.Failed, error.Message);
        }
    }

    /// <summary>Takes the addresses once more, since there are others now.</summary>
    public HolderResult AcquireAgain(TimeSpan now)
    {
        if (!_wanted || _pending is not null) return HolderResult.None;
        IsHeld = false;
        return Follow(now);
    }

    /// <summary>Renews at once, since addresses are gone.</summary>
    /// <returns>What came of it; <see cref="HolderEvent.None"/> when they are not to be here.</returns>
    public HolderResult Restore(TimeSpan now)
    {
        if (!IsHeld || !_wanted || _pending is not null || _renewAt == TimeSpan.MaxValue) return HolderResult.None;
        _renewAt = now;
        HolderResult result = Advance(now);
        return result.Kind == HolderEvent.None ? new HolderResult(HolderEvent.Restored) : result;
    }

    public void Dispose()
    {
        _giveUp?.Cancel();
        _giveUp?.Dispose();
        owner.Dispose();
    }

    private HolderResult Follow(TimeSpan now)
    {
        _releaseAt = TimeSpan.MaxValue;
        if (IsHeld == _wanted && _isSure) return HolderResult.None;

        // What is on its way out is not renewed.
        _renewAt = TimeSpan.MaxValue;
        Task call;
        try
        {
            _giveUp?.Dispose();
            _giveUp = new CancellationTokenSource();
            ValueTask asked = _wanted ? owner.AcquireAsync(_giveUp.Token) : owner.ReleaseAsync(_giveUp.Token);
            call = asked.IsCompletedSuccessfully ? Task.CompletedTask : asked.AsTask();
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            call = Task.FromException(error);
        }

        if (call.IsCompleted) return Finish(call, _wanted, now);
        _pending = call;
        _pendingAcquires = _wanted;
        call.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(wake);
        return HolderResult.None;
    }

    private HolderResult Finish(Task call, bool acquired, TimeSpan now)
    {
        _isSure = call.IsCompletedSuccessfully;
        if (_isSure)
        {
            IsHeld = acquired;
            _releaseAfter = FirstRetry;
            _renewAt = acquired && owner.RenewEvery > TimeSpan.Zero ? now + owner.RenewEvery : TimeSpan.MaxValue;
            return new HolderResult(acquired ? HolderEvent.Acquired : HolderEvent.Released);
        }

        // Half taken, or not released: either way something may be here still, and a release is owed.
        IsHeld = true;
        if (call.IsCanceled && _giveUp is { IsCancellationRequested: true }) return _wanted == acquired ? Follow(now) : HolderResult.None;
        if (!_wanted)
        {
            _releaseAt = now + _releaseAfter;
            _releaseAfter = _releaseAfter * 2 < LongestRetry ? _releaseAfter * 2 : LongestRetry;
        }

        return new HolderResult(HolderEvent.Failed, call.Exception?.GetBaseException().Message ?? "given up");
    }
}

/// <summary>What became of the addresses.</summary>
internal enum HolderEvent
{
    None,
    Acquired,
    Released,
    Restored,
    Failed,
}

/// <summary>An event of the addresses, and what the owner said when it failed.</summary>
internal readonly record struct HolderResult(HolderEvent Kind, string? Error = null)
{
    public static HolderResult None => default;
}
