namespace Lb.Vrrp;

/// <summary>
/// Makes what an <see cref="IAddressOwner"/> has follow what the router wants, one call at a time: with a slow owner the wish may change while it still
/// fulfils the last one. Driven by the router's thread.
/// </summary>
internal sealed class AddressHolder(IAddressOwner owner, Action wake) : IDisposable
{
    private CancellationTokenSource? _giveUp;
    private Task? _pending;
    private bool _pendingAcquires;
    private bool _wanted;
    private TimeSpan _renewAt = TimeSpan.MaxValue;

    /// <summary>True while the addresses are on this node as far as we know.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>True while a call of the owner is under way.</summary>
    public bool IsBusy => _pending is not null;

    /// <summary>When <see cref="Advance"/> has something to do; <see cref="TimeSpan.MaxValue"/> = never.</summary>
    public TimeSpan Deadline => _pending is { IsCompleted: true } ? TimeSpan.Zero : _renewAt;

    /// <summary>Wants the addresses, or wants them no more.</summary>
    /// <returns>What came of it at once.</returns>
    public HolderResult Want(bool wanted, TimeSpan now)
    {
        _wanted = wanted;
        if (_pending is null) return Follow(now);
        if (_pendingAcquires != wanted) _giveUp?.Cancel();
        return HolderResult.None;
    }

    /// <summary>Takes the end of a slow call, renews what is due.</summary>
    public HolderResult Advance(TimeSpan now)
    {
        if (_pending is { IsCompleted: true } done)
        {
            _pending = null;
            HolderResult result = Finish(done, _pendingAcquires, now);
            return result.Kind == HolderEvent.Failed || IsHeld == _wanted ? result : Follow(now);
        }

        if (now < _renewAt) return HolderResult.None;
        _renewAt = now + owner.RenewEvery;
        try
        {
            return owner.Renew() ? new HolderResult(HolderEvent.Restored) : HolderResult.None;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return new HolderResult(HolderEvent.Failed, error.Message);
        }
    }

    public void Dispose()
    {
        _giveUp?.Cancel();
        _giveUp?.Dispose();
        owner.Dispose();
    }

    private HolderResult Follow(TimeSpan now)
    {
        if (IsHeld == _wanted) return HolderResult.None;
        Task call;
        try
        {
            _giveUp?.Dispose();
            _giveUp = new CancellationTokenSource();
            ValueTask asked = _wanted ? owner.AcquireAsync(_giveUp.Token) : owner.ReleaseAsync(_giveUp.Token);
            if (asked.IsCompletedSuccessfully) return Finish(Task.CompletedTask, _wanted, now);
            call = asked.AsTask();
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            call = Task.FromException(error);
        }

        if (call.IsCompleted) return Finish(call, _wanted, now);
        _pending = call;
        _pendingAcquires = _wanted;
        call.GetAwaiter().UnsafeOnCompleted(wake);
        return HolderResult.None;
    }

    private HolderResult Finish(Task call, bool acquired, TimeSpan now)
    {
        if (!call.IsCompletedSuccessfully)
        {
            // What was half taken is given back by the next release; what could not be released is asked again with the next wish.
            IsHeld = acquired && !call.IsCanceled;
            _renewAt = TimeSpan.MaxValue;
            string why = call.Exception?.GetBaseException().Message ?? "given up";
            return call.IsCanceled && acquired != _wanted ? HolderResult.None : new HolderResult(HolderEvent.Failed, why);
        }

        IsHeld = acquired;
        _renewAt = acquired && owner.RenewEvery > TimeSpan.Zero ? now + owner.RenewEvery : TimeSpan.MaxValue;
        return new HolderResult(acquired ? HolderEvent.Acquired : HolderEvent.Released);
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
