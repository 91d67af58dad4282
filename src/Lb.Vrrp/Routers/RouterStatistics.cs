namespace Lb.Vrrp;

/// <summary>
/// What a virtual router has counted since it was made, with the meaning of keepalived's statistics (<c>SIGUSR2</c>) and the RFC's MIB. Written by the
/// thread that drives the router, read by any.
/// </summary>
public sealed class RouterStatistics
{
    private readonly long[] _faults = new long[Enum.GetValues<ReceiveFault>().Length];
    private long _received;
    private long _sent;
    private long _becameActive;
    private long _releasedActive;
    private long _resignationsReceived;
    private long _resignationsSent;
    private long _lowerReceived;
    private long _sendFailures;
    private long _announcements;
    private long _dualActive;
    private long _pauses;
    private long _restored;

    /// <summary>Adverts received and taken (<c>Advertisements: Received</c>).</summary>
    public long AdvertisementsReceived => Volatile.Read(ref _received);

    /// <summary>Adverts sent on the router's own link (<c>Advertisements: Sent</c>).</summary>
    public long AdvertisementsSent => Volatile.Read(ref _sent);

    /// <summary>Times it has become Active (<c>Became master</c>).</summary>
    public long BecameActive => Volatile.Read(ref _becameActive);

    /// <summary>Times it has ceased to be Active (<c>Released master</c>).</summary>
    public long ReleasedActive => Volatile.Read(ref _releasedActive);

    /// <summary>Adverts of priority 0 received (<c>Priority Zero: Received</c>).</summary>
    public long ResignationsReceived => Volatile.Read(ref _resignationsReceived);

    /// <summary>Adverts of priority 0 sent (<c>Priority Zero: Sent</c>).</summary>
    public long ResignationsSent => Volatile.Read(ref _resignationsSent);

    /// <summary>Adverts of lower priority received while Active.</summary>
    public long LowerPriorityReceived => Volatile.Read(ref _lowerReceived);

    /// <summary>Adverts that could not be sent.</summary>
    public long SendFailures => Volatile.Read(ref _sendFailures);

    /// <summary>Gratuitous ARPs and unsolicited neighbour advertisements sent.</summary>
    public long Announcements => Volatile.Read(ref _announcements);

    /// <summary>Times that two nodes were seen Active: once for each meeting, and again each minute that it lasts.</summary>
    public long DualActive => Volatile.Read(ref _dualActive);

    /// <summary>Pauses of this process that were longer than an advertisement interval.</summary>
    public long Pauses => Volatile.Read(ref _pauses);

    /// <summary>Times that virtual addresses had to be put back.</summary>
    public long AddressesRestored => Volatile.Read(ref _restored);

    /// <summary>Packets that were discarded for this reason.</summary>
    /// <param name="fault">The reason.</param>
    public long Discarded(ReceiveFault fault) => Volatile.Read(ref _faults[(int)fault]);

    /// <summary>Packets that were discarded, for any reason but that they are our own.</summary>
    public long DiscardedTotal
    {
        get
        {
            long sum = 0;
            for (int i = 1; i < _faults.Length; i++)
            {
                if (i != (int)ReceiveFault.OwnSource) sum += Volatile.Read(ref _faults[i]);
            }

            return sum;
        }
    }

    internal void CountReceived() => Add(ref _received);

    internal void CountSent() => Add(ref _sent);

    internal void CountBecameActive() => Add(ref _becameActive);

    internal void CountReleasedActive() => Add(ref _releasedActive);

    internal void CountResignationReceived() => Add(ref _resignationsReceived);

    internal void CountResignationSent() => Add(ref _resignationsSent);

    internal void CountLower() => Add(ref _lowerReceived);

    internal void CountSendFailure() => Add(ref _sendFailures);

    internal void CountAnnouncement() => Add(ref _announcements);

    internal void CountDualActive() => Add(ref _dualActive);

    internal void CountPause() => Add(ref _pauses);

    internal void CountRestored() => Add(ref _restored);

    internal void CountDiscarded(ReceiveFault fault) => Add(ref _faults[(int)fault]);

    // One thread writes.
    private static void Add(ref long counter) => Volatile.Write(ref counter, counter + 1);
}
