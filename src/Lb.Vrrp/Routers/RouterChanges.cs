namespace Lb.Vrrp;

/// <summary>Which changes of options a router takes in place: those that are not in these keys. Pure.</summary>
internal static class RouterChanges
{
    /// <summary>The virtual addresses, in their order.</summary>
    public static string AddressKey(RouterOptions options) => Join(Join([.. options.Addresses.Select(Key)]), Join([.. options.ExcludedAddresses.Select(Key)]));

    /// <summary>All that a router is made of beside its addresses: interface, number, version, authentication, peers and what belongs to them.</summary>
    public static string Key(RouterOptions options)
    {
        RouterAuthenticationOptions authentication = options.Authentication;
        return Join(
            options.Interface, options.RouterId, options.Version, options.AlsoVersion2, options.Strict, options.Accept, options.SyncGroup, options.HeartbeatInterface,
            options.AssignAddresses, options.AddressLifetime, options.DuplicateDetection,
            authentication.Type, authentication.Password, authentication.Mode, authentication.Replay,
            Join([.. authentication.Keys.OrderBy(static k => k.Key, StringComparer.Ordinal).Select(static k => Join(k.Key, k.Value))]),
            options.VirtualMac.Enabled, options.VirtualMac.Name, options.VirtualMac.TransmitBase,
            options.Unicast is { } unicast ? Join(unicast.Source, unicast.MinimumTtl, unicast.MaximumTtl, unicast.UdpPort, Join([.. unicast.Peers])) : null);
    }

    /// <summary>What is tracked and how it is looked at; what follows from it, the weight, is not in it.</summary>
    public static string Key(RouterTrackOptions track) => Join(
        track.Pool, track.Interface, Join([.. track.Command]), track.Process, track.File, track.Interval, track.Timeout, track.Rise, track.Fall, track.User, track.Quorum, track.Delay);

    /// <summary>How neighbours are told.</summary>
    public static string Key(RouterAnnounceOptions announce) => Join(announce.Repeat, announce.Delay, announce.Refresh, announce.LowerPriorityRepeat, announce.Spacing);

    private static string Key(VirtualAddressOptions address) => Join(address.Address, address.Interface, address.Label, address.Scope, address.OffLink);

    // With lengths, so that no text can look like two.
    private static string Join(params object?[] parts) => string.Concat(parts.Select(static p => p is null ? "-;" : $"{p.ToString()!.Length}:{p};"));
}
