namespace Lb.Vrrp;

/// <summary>
/// The election of one virtual router (RFC 9568 6.4): is told events and the time, says what to do, and does nothing itself. Not thread-safe: the
/// driver's. Allocates nothing.
/// </summary>
/// <remarks>
/// All times are on one monotonic axis. Before it calls <see cref="DeadlineReached"/>, the driver hands over every advert that has arrived: a machine never
/// takes a peer for dead on adverts that nobody has read.
/// </remarks>
internal sealed partial class VrrpMachine
{
    private VrrpSettings _settings;
    private TimeSpan _lastHeard;
    private TimeSpan _activeSince;
    private TimeSpan _holdUntil;
    private TimeSpan _resignUntil;
    private TimeSpan? _preemptAt;
    private PeerAddress _version3From;
    private TimeSpan _version3At;
    private bool _isReady;
    private bool _isOverdue;
    private TimeSpan _answeredAt = TimeSpan.MinValue / 2;
    private VrrpActions _owed;

    /// <summary>Makes a machine that has not started.</summary>
    /// <param name="settings">What the election needs to know.</param>
    public VrrpMachine(VrrpSettings settings)
    {
        _settings = settings;
        EffectivePriority = settings.Priority;
        ActiveInterval = settings.Interval;
    }

    /// <summary>The state.</summary>
    public RouterState State { get; private set; }

    /// <summary>When <see cref="DeadlineReached"/> wants to be called; <see cref="TimeSpan.MaxValue"/> = not.</summary>
    public TimeSpan Deadline { get; private set; } = TimeSpan.MaxValue;

    /// <summary>The priority that counts: 1 to 254, or 255 for the owner.</summary>
    public byte EffectivePriority { get; private set; }

    /// <summary>Interval of the Active, learned from its adverts in version 3; the own one until then (RFC 9568 6.1).</summary>
    public TimeSpan ActiveInterval { get; private set; }

    /// <summary>Skew_Time.</summary>
    public TimeSpan SkewTime => VrrpTimes.Skew(_settings.Version, EffectivePriority, ActiveInterval);

    /// <summary>Active_Down_Interval.</summary>
    public TimeSpan ActiveDownInterval => VrrpTimes.Down(_settings, EffectivePriority, ActiveInterval);

    /// <summary>The other node that was last heard as Active; empty = none yet.</summary>
    public PeerAddress ActiveRouter { get; private set; }

    /// <summary>Its priority; 0 = it has resigned, or there is none.</summary>
    public byte ActivePriority { get; private set; }

    /// <summary>Whether <see cref="Ready"/> was called.</summary>
    public bool IsReady => _isReady;

    /// <summary>Whether <see cref="Deadline"/> is that of a late answer, not of a regular advert.</summary>
    public bool OwesAnswer => _owed != VrrpActions.None && State == RouterState.Active;

    private bool IsOwner => EffectivePriority == 255;

    /// <summary>Begins (RFC 9568 6.4.1). In the state <see cref="RouterState.Initialize"/> only; else nothing happens.</summary>
    public VrrpActions Start(TimeSpan now)
    {
        if (State != RouterState.Initialize) return VrrpActions.None;
        _holdUntil = now + _settings.StartupDelay;
        TimeSpan wait = IsOwner ? TimeSpan.Zero
            : _settings.Start == RouterStart.Active ? _settings.Interval + SkewTime // A living Active is heard within one interval.
            : ActiveDownInterval;
        return BecomeBackup(_holdUntil + wait, now);
    }

    /// <summary>What is tracked was looked at once: from now on addresses may be claimed. May come before the start; once is enough.</summary>
    public VrrpActions Ready(TimeSpan now)
    {
        _isReady = true;
        return _isOverdue ? BecomeActive(now) : VrrpActions.None;
    }

    /// <summary>The time has come; too early a call does nothing.</summary>
    public VrrpActions DeadlineReached(TimeSpan now)
    {
        if (now < Deadline) return VrrpActions.None;
        switch (State)
        {
            case RouterState.Backup when !_isReady:
                _isOverdue = true;
                Deadline = TimeSpan.MaxValue;
                return VrrpActions.WaitsForReady;
            case RouterState.Backup:
                return BecomeActive(now);
            case RouterState.Active when OwesAnswer:
                return Answer(_owed, now);
            case RouterState.Active:
                Deadline = Next(now);
                return VrrpActions.SendAdvertisement;
            case RouterState.Resigning when now >= _resignUntil:
                return VrrpActions.ReleaseAddresses | BecomeInitialize();
            case RouterState.Resigning:
                TimeSpan next = Next(now);
                Deadline = next < _resignUntil ? next : _resignUntil;
                return VrrpActions.SendResign;
            default:
                return VrrpActions.None;
        }
    }

    /// <summary>The priority has changed by what is tracked: the next advert says it. 255 stays 255, and nothing else becomes it (RFC 9568 5.2.4).</summary>
    public VrrpActions SetPriority(byte priority, TimeSpan now)
    {
        _ = now;
        EffectivePriority = _settings.Priority == 255 ? (byte)255 : Math.Clamp(priority, (byte)1, (byte)254);
        return VrrpActions.None;
    }

    /// <summary>It may not take part any more: link down, or something tracked without a weight is not well.</summary>
    public VrrpActions Fault(TimeSpan now)
    {
        _ = now;
        switch (State)
        {
            case RouterState.Active:
                Become(RouterState.Fault, TimeSpan.MaxValue);
                return VrrpActions.SendResign | VrrpActions.ReleaseAddresses | VrrpActions.BecameFault;
            case RouterState.Backup:
                Become(RouterState.Fault, TimeSpan.MaxValue);
                return VrrpActions.BecameFault;
            case RouterState.Resigning:
                return VrrpActions.ReleaseAddresses | BecomeInitialize();
            default:
                return VrrpActions.None;
        }
    }

    /// <summary>It may take part again: as after a start, with a whole time-out.</summary>
    public VrrpActions Recover(TimeSpan now)
    {
        if (State != RouterState.Fault) return VrrpActions.None;
        TimeSpan from = now > _holdUntil ? now : _holdUntil;
        return BecomeBackup(IsOwner ? from : from + ActiveDownInterval, now);
    }

    /// <summary>
    /// Ends. While Active it resigns, and with <see cref="VrrpSettings.Handover"/> keeps the addresses until its successor is heard or
    /// <see cref="ActiveDownInterval"/> has passed; a second call ends that at once.
    /// </summary>
    public VrrpActions Stop(TimeSpan now)
    {
        switch (State)
        {
            case RouterState.Active when _settings.Handover:
                _resignUntil = now + ActiveDownInterval;
                TimeSpan repeat = now + _settings.Interval; // An advert can get lost. A successor's skew is below an interval, so this does not hold it up.
                Become(RouterState.Resigning, repeat < _resignUntil ? repeat : _resignUntil);
                return VrrpActions.SendResign | VrrpActions.BecameResigning;
            case RouterState.Active:
                return VrrpActions.SendResign | VrrpActions.ReleaseAddresses | BecomeInitialize();
            case RouterState.Resigning:
                return VrrpActions.ReleaseAddresses | BecomeInitialize();
            case RouterState.Initialize:
                return VrrpActions.None;
            default:
                return BecomeInitialize();
        }
    }

    /// <summary>
    /// The driver saw that it was itself held up. A Backup then waits at least one more interval and skew: who was deaf has no right to call others dead.
    /// </summary>
    /// <param name="late">How late it was; 0 or less = not.</param>
    /// <param name="now">The time now.</param>
    public VrrpActions Paused(TimeSpan late, TimeSpan now)
    {
        if (State != RouterState.Backup || late <= TimeSpan.Zero || Deadline == TimeSpan.MaxValue) return VrrpActions.None;
        TimeSpan least = now + (ActiveInterval > _settings.Interval ? ActiveInterval : _settings.Interval) + SkewTime;
        if (Deadline < least) Deadline = least;
        return VrrpActions.None;
    }

    /// <summary>
    /// Does what the others of its group do: takes over (<see cref="RouterState.Active"/>) or gives way (<see cref="RouterState.Backup"/>), the latter by
    /// resigning, so that the peer need not wait for a time-out. Other states: <see cref="Fault"/>, <see cref="Stop"/>.
    /// </summary>
    public VrrpActions Follow(RouterState state, TimeSpan now)
    {
        if (state == RouterState.Active && State == RouterState.Backup && _isReady) return BecomeActive(now);
        if (state != RouterState.Backup || State != RouterState.Active) return VrrpActions.None;
        return VrrpActions.SendResign | VrrpActions.ReleaseAddresses | BecomeBackup(now + ActiveDownInterval, now);
    }

    /// <summary>A Backup whose time is up waits longer: for the others of its group.</summary>
    public void Hold(TimeSpan until)
    {
        if (State == RouterState.Backup && until > Deadline) Deadline = until;
    }

    /// <summary>
    /// Other settings; state and mastership stay. The effective priority moves with the configured one until <see cref="SetPriority"/> is called. A Backup
    /// that has become the owner takes over.
    /// </summary>
    public VrrpActions Reconfigure(VrrpSettings settings, TimeSpan now)
    {
        VrrpSettings old = _settings;
        _settings = settings;
        if (settings.Priority != old.Priority)
        {
            bool isShift = settings.Priority != 255 && old.Priority != 255;
            EffectivePriority = isShift ? (byte)Math.Clamp(EffectivePriority + settings.Priority - old.Priority, 1, 254) : settings.Priority;
        }

        if (ActiveInterval == old.Interval || settings.Version == 2) ActiveInterval = settings.Interval;
        if (ActiveInterval > settings.LongestLearned) ActiveInterval = settings.LongestLearned;
        switch (State)
        {
            case RouterState.Active when now + settings.Interval < Deadline:
                Deadline = now + settings.Interval;
                break;
            case RouterState.Backup when Deadline != TimeSpan.MaxValue:
                TimeSpan latest = now + (IsOwner ? TimeSpan.Zero : ActiveDownInterval);
                if (latest < Deadline && latest >= _holdUntil) Deadline = latest;
                break;
        }

        return VrrpActions.None;
    }

    private VrrpActions BecomeActive(TimeSpan now)
    {
        Become(RouterState.Active, now + _settings.Interval);
        _activeSince = now;
        ActiveInterval = _settings.Interval;
        return VrrpActions.AcquireAddresses | VrrpActions.Announce | VrrpActions.SendAdvertisement | VrrpActions.BecameActive;
    }

    // Who owns the addresses is Active at once; there is no sense in showing a Backup in between.
    private VrrpActions BecomeBackup(TimeSpan deadline, TimeSpan now)
    {
        if (deadline <= now && _isReady) return BecomeActive(now);
        Become(RouterState.Backup, deadline);
        return VrrpActions.BecameBackup;
    }

    private VrrpActions BecomeInitialize()
    {
        Become(RouterState.Initialize, TimeSpan.MaxValue);
        ActiveInterval = _settings.Interval;
        return VrrpActions.BecameInitialize;
    }

    private void Become(RouterState state, TimeSpan deadline)
    {
        State = state;
        Deadline = deadline;
        _preemptAt = null;
        _isOverdue = false;
        _owed = VrrpActions.None;
    }

    // One interval after the last due time, so that lateness does not add up; more than an interval behind, what was missed is not made up for.
    private TimeSpan Next(TimeSpan now)
    {
        TimeSpan next = Deadline + _settings.Interval;
        return next > now ? next : now + _settings.Interval;
    }
}
