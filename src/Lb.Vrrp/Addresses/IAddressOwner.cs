namespace Lb.Vrrp;

/// <summary>
/// Puts the addresses of a virtual router on this node and takes them off again: by netlink, in memory, or by a cloud's API (keepalived needs a notify
/// script for the last).
/// </summary>
/// <remarks>
/// Called by the thread that drives the router, one call at a time. What can be done at once is done before the call returns; a slow owner returns a task
/// that is not complete, and the router goes on meanwhile. Failure is an exception; its message is shown to people.
/// </remarks>
public interface IAddressOwner : IDisposable
{
    /// <summary>Takes the addresses; those that are there already are kept. May be called again to put back what is missing.</summary>
    /// <param name="ct">Cancelled when the router gives up the wish.</param>
    ValueTask AcquireAsync(CancellationToken ct);

    /// <summary>Gives up the addresses that this owner has taken, and no others.</summary>
    /// <param name="ct">Cancelled when there is no more time.</param>
    ValueTask ReleaseAsync(CancellationToken ct);

    /// <summary>
    /// Renews what would end by itself (a lease in the kernel): called while the router is Active, at least every <see cref="RenewEvery"/>. Puts back
    /// addresses that somebody else has deleted.
    /// </summary>
    /// <returns>True when something is known to have been put back: the router announces again.</returns>
    bool Renew();

    /// <summary>How often <see cref="Renew"/> wants to be called; <see cref="TimeSpan.Zero"/> = never.</summary>
    TimeSpan RenewEvery { get; }
}

/// <summary>Tells the neighbours where the virtual addresses are now: gratuitous ARP, unsolicited neighbour advertisement.</summary>
/// <remarks>Called by the thread that drives the router; must not block and not allocate.</remarks>
public interface INeighborAnnouncer : IDisposable
{
    /// <summary>How many messages one announcement is: one for every address. Spacing between them is the router's business.</summary>
    int Count { get; }

    /// <summary>Sends one message.</summary>
    /// <param name="index">Which, 0 to <see cref="Count"/> - 1.</param>
    /// <returns>False when the link does not take it.</returns>
    bool Announce(int index);
}
