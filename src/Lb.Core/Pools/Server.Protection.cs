namespace Lb;

/// <content>What takes a server out, holds it back, or lets it in step by step. Written under the pool's lock unless said otherwise.</content>
public sealed partial class Server
{
    private volatile bool _isWatched;
    private volatile Ejection? _ejection;
    private volatile int _limit;
    private int _consecutiveFailures;
    private int _consecutiveGatewayFailures;
    private long _streakStarted;
    private int _trialLeases;

    /// <summary>Most callers that may wait for it; 0 = no limit.</summary>
    public int MaxQueue { get; internal set; }

    /// <summary>When its checks fail it keeps those who stick to it.</summary>
    public bool InhibitOnFailure { get; internal set; }

    /// <summary>True for the pool's sorry server: used only when the quorum is lost, and not checked.</summary>
    public bool Sorry { get; internal init; }

    /// <summary>Why it is out although its checks may pass; null = it is not.</summary>
    public Ejection? Ejection
    {
        get => _ejection;
        internal set => _ejection = value;
    }

    /// <summary>Failures in a row, up to now; a success that began after the first of them ends the row.</summary>
    public int ConsecutiveFailures => Volatile.Read(ref _consecutiveFailures);

    /// <summary>Leases that ended as <see cref="LeaseOutcome.Success"/>.</summary>
    public long TotalSuccesses => Math.Max(0, TotalLeases - InFlight - TotalFailures - TotalIgnored);

    /// <summary>
    /// Most leases at the moment: below <see cref="MaxConnections"/> during a slow start, and while the pool has less to do than
    /// <see cref="PoolOptions.FullConnections"/>; 0 = no limit, -1 = only those of a trial.
    /// </summary>
    internal int Limit
    {
        get => MinConnections == 0 || _limit <= 0 ? _limit : DynamicLimit();
        set => _limit = value;
    }

    // HAProxy's srv_dynamic_maxconn, in whole numbers as there; the slow start takes its part of what comes out.
    private int DynamicLimit()
    {
        (int active, int full) = Pool.Activity;
        int most = MaxConnections, limit = _limit;
        if (active >= full || MinConnections >= most) return limit;
        long dynamic = Math.Max(MinConnections, (long)active * most / full);
        return limit >= most ? (int)dynamic : (int)Math.Max(1, dynamic * limit / most);
    }

    /// <summary>When its slow start began, a timestamp of the pool's clock; 0 = it has its full weight.</summary>
    internal long RampStarted { get; set; }

    /// <summary>When its checks took it down last, a timestamp of the pool's clock.</summary>
    internal long DownSince { get; set; }

    /// <summary>True once it was up: coming up for the first time is no recovery.</summary>
    internal bool WasUp { get; set; }

    /// <summary>Times it was ejected, less one for each quiet interval since.</summary>
    internal int TimesEjected { get; set; }

    /// <summary>Successes and failures when the present interval began.</summary>
    internal LeaseCounts CountsAtInterval { get; set; }

    /// <summary>It joined while the pool was running.</summary>
    internal bool WasAdded { get; init; }

    /// <summary>Leases of the trial that have reported their answer and not ended yet.</summary>
    internal int TrialResponses { get; set; }

    internal FailWindow FailWindow;
    internal CircuitJudge Circuit;
    internal FlapJudge Flaps;

    internal LeaseCounts Counts => new(TotalSuccesses, TotalFailures);

    private bool HasRoomBelow(int limit) =>
        limit > 0 ? InFlight < limit && Queued == 0 : Volatile.Read(ref _trialLeases) > 0 && (MaxConnections == 0 || InFlight < MaxConnections);

    /// <summary>Counts a failure. Any thread.</summary>
    /// <returns>Failures in a row, of any kind and of the connection.</returns>
    internal (int Any, int Gateway) CountFailure(FailureKind kind, long now)
    {
        int any = Interlocked.Increment(ref _consecutiveFailures);
        if (any == 1) Volatile.Write(ref _streakStarted, now);
        _isWatched = true;
        int gateway = 0;
        if (kind == FailureKind.Status) Volatile.Write(ref _consecutiveGatewayFailures, 0);
        else gateway = Interlocked.Increment(ref _consecutiveGatewayFailures);
        return (any, gateway);
    }

    /// <summary>True when a success that began then counts against the present row of failures: an old connection that ends well is no news. Any thread.</summary>
    internal bool IsNews(long started) => started >= Volatile.Read(ref _streakStarted);

    /// <summary>Ends the row of failures. Any thread.</summary>
    internal void ForgetFailures(bool keepWatching = false)
    {
        // In this order: a failure counted in between is either forgotten, or the server stays watched.
        _isWatched = keepWatching;
        Volatile.Write(ref _consecutiveFailures, 0);
        Volatile.Write(ref _consecutiveGatewayFailures, 0);
    }

    /// <summary>From now on only so many leases are let in, and each that ends is heard of.</summary>
    internal void BeginTrial(int leases)
    {
        Volatile.Write(ref _trialLeases, leases);
        _isWatched = true;
    }

    /// <summary>Every lease is heard of from now on.</summary>
    internal void Watch() => _isWatched = true;

    /// <summary>A caller of the trial gave up: somebody else may try.</summary>
    internal void GiveBackTrialLease()
    {
        Interlocked.Increment(ref _trialLeases);
        _mirror?.Update(this);
    }

    private bool TryEnterTrial(bool isNewcomer)
    {
        if (isNewcomer && Queued > 0) return false;
        int left = Volatile.Read(ref _trialLeases);
        while (left > 0)
        {
            int seen = Interlocked.CompareExchange(ref _trialLeases, left - 1, left);
            if (seen == left)
            {
                if (TryEnterBelow(MaxConnections == 0 ? MaxInFlight : MaxConnections)) return true;
                GiveBackTrialLease();
                return false;
            }

            left = seen;
        }

        return false;
    }
}
