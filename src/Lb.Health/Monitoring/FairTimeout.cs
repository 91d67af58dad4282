namespace Lb.Health;

/// <summary>A <see cref="FairDeadline"/> as a token. Any thread.</summary>
internal sealed class FairTimeout : FairDeadline, IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly CancellationTokenRegistration _outer;
    private readonly Inquiry? _owner;

    /// <summary>Makes one that does not run yet.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="owner">Told after the token was cancelled for the time.</param>
    public FairTimeout(TimeProvider time, Inquiry owner)
        : base(time)
    {
        _owner = owner;
        Token = _source.Token;
    }

    /// <summary>Makes one and starts it.</summary>
    /// <param name="limit">Above zero.</param>
    /// <param name="time">The clock.</param>
    /// <param name="ct">Cancels <see cref="Token"/> too.</param>
    public FairTimeout(TimeSpan limit, TimeProvider time, CancellationToken ct)
        : base(time)
    {
        Token = _source.Token;
        _outer = ct.UnsafeRegister(static state => Cancellation.Cancel((CancellationTokenSource)state!), _source);
        Begin(limit);
    }

    /// <summary>Cancelled when the time is up.</summary>
    public CancellationToken Token { get; }

    /// <summary>Starts the time.</summary>
    public void Start(TimeSpan limit) => Begin(limit);

    /// <summary>Stops the time, and takes from the token whatever has been registered with it.</summary>
    /// <returns>True when it may be started again: the token was not cancelled.</returns>
    public bool Stop() => End() && _source.TryReset();

    /// <summary>Cancels the token before the time.</summary>
    public void Cancel() => Cancellation.Cancel(_source);

    public void Dispose()
    {
        End();
        _outer.Dispose();
        _source.Dispose();
    }

    protected override void Expired(int run)
    {
        Cancellation.Cancel(_source);
        _owner?.TimeIsUp();
    }
}
