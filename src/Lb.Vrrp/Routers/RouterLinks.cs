namespace Lb.Vrrp;

/// <summary>What a virtual router sends through and acts on.</summary>
public sealed class RouterLinks : IDisposable
{
    /// <summary>Its link.</summary>
    public required IVrrpTransport Transport { get; init; }

    /// <summary>Its second heartbeat; null = none. Both carry the same adverts: the peer is dead only when both are silent.</summary>
    public IVrrpTransport? Heartbeat { get; init; }

    /// <summary>Who puts the addresses on this node; null = nobody: election only.</summary>
    public IAddressOwner? Owner { get; init; }

    /// <summary>Who tells the neighbours; null = nobody.</summary>
    public INeighborAnnouncer? Announcer { get; init; }

    /// <summary>The interface's own network, for the check of sources; default: none, nothing is checked.</summary>
    public AddressPrefix Network { get; set; }

    /// <summary>Says whether another list of addresses can be taken without making the router anew; null = no.</summary>
    internal Predicate<RouterOptions>? CanChangeAddresses { get; init; }

    /// <summary>Takes another list of addresses: those that are gone are taken off, the new ones are taken with the next call of the owner.</summary>
    internal Action<RouterOptions>? ChangeAddresses { get; init; }

    /// <summary>The link again, when its adverts wait in the kernel.</summary>
    internal AheadTransport? Ahead => Transport as AheadTransport;

    /// <summary>Frees all of them.</summary>
    public void Dispose()
    {
        Announcer?.Dispose();
        Heartbeat?.Dispose();
        Transport.Dispose();
    }
}
