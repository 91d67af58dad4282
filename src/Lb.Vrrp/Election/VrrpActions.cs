namespace Lb.Vrrp;

/// <summary>
/// What a router has to do after an event. It does it in the order of the bits: what leaves goes first, and a new Active has its addresses and has told
/// the neighbours before its advert makes the old one let go.
/// </summary>
[Flags]
internal enum VrrpActions
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Send one advert of the own priority before giving way: it tells the winner that there were two, so that it announces again.</summary>
    SendLastAdvertisement = 1 << 0,

    /// <summary>Send an advert of priority 0.</summary>
    SendResign = 1 << 1,

    /// <summary>Give up the addresses.</summary>
    ReleaseAddresses = 1 << 2,

    /// <summary>Take the addresses.</summary>
    AcquireAddresses = 1 << 3,

    /// <summary>Begin the whole of the announcements: <see cref="AnnounceSchedule.Start"/>.</summary>
    Announce = 1 << 4,

    /// <summary>Announce once more, since another node may have misled the neighbours: <see cref="AnnounceSchedule.Again"/>.</summary>
    AnnounceOnce = 1 << 5,

    /// <summary>Send an advert of the effective priority.</summary>
    SendAdvertisement = 1 << 6,

    /// <summary>The state is now <see cref="RouterState.Initialize"/>.</summary>
    BecameInitialize = 1 << 7,

    /// <summary>The state is now <see cref="RouterState.Backup"/>.</summary>
    BecameBackup = 1 << 8,

    /// <summary>The state is now <see cref="RouterState.Active"/>.</summary>
    BecameActive = 1 << 9,

    /// <summary>The state is now <see cref="RouterState.Fault"/>.</summary>
    BecameFault = 1 << 10,

    /// <summary>The state is now <see cref="RouterState.Resigning"/>.</summary>
    BecameResigning = 1 << 11,

    /// <summary>To be told: two nodes were Active for longer than a change of hands takes.</summary>
    DualActiveSeen = 1 << 12,

    /// <summary>To be told: another node says too that it owns the addresses (RFC 9568 8.3.2).</summary>
    OwnerConflict = 1 << 13,

    /// <summary>To be told: the interval of the Active was adopted (RFC 9568 6.4.2).</summary>
    IntervalLearned = 1 << 14,

    /// <summary>To be told: the interval of the Active is too long to be adopted whole; the longest that is allowed is used.</summary>
    IntervalRefused = 1 << 15,

    /// <summary>To be told: the time-out ran off, but what is tracked has not been looked at yet.</summary>
    WaitsForReady = 1 << 16,
}
