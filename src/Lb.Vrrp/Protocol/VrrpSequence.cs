namespace Lb.Vrrp;

/// <summary>
/// The last sequence sent in trailers: one for all adverts of a router, kept when its adverts are made anew, since a receiver takes only numbers that grow.
/// Not thread-safe: the driver's.
/// </summary>
internal sealed class VrrpSequence
{
    private ulong _last;

    /// <summary>The one that follows; see <see cref="VrrpHmac.Next"/>.</summary>
    /// <param name="utc">Wall-clock time.</param>
    /// <param name="authentication">Tells the window.</param>
    public ulong Next(DateTimeOffset utc, VrrpAuthentication authentication) => _last = VrrpHmac.Next(_last, utc, authentication);
}
