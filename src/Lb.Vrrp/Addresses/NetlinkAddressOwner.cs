namespace Lb.Vrrp;

/// <summary>
/// Puts the addresses of one router on interfaces of this host by netlink, and lets the kernel take them off when nobody renews them: after a kill -9, or
/// while the process hangs, they are gone after the lifetime.
/// </summary>
/// <remarks>
/// Whose an address is: one that this owner has added, or that carries our tag (IFA_PROTO 0x4C, Linux 5.18; <c>ip -d address</c> shows it as <c>proto 0x4c</c>), is ours.
/// Any other that is there already is adopted: it stays as it is, and is not removed on release. IPv6 addresses are added without duplicate address
/// detection (it would hold them back for a second) and with a preferred lifetime of 0: they are no source of this host's own connections, adverts
/// included, unless a program binds to them. keepalived does so for /128 only. Not thread-safe: called by the thread that drives the router.
/// </remarks>
internal sealed class NetlinkAddressOwner : IAddressOwner
{
    /// <summary>Tag of our addresses: "L". Numbers from 4 on are free for programs.</summary>
    public const byte Tag = 0x4C;

    private static readonly TimeSpan Fastest = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Slowest = TimeSpan.FromSeconds(1);

    private readonly Netlink _netlink = new();
    private Entry[] _entries;
    private string[] _interfaces;
    private readonly uint _seconds;
    private readonly List<InterfaceAddress> _present = [];
    private bool _tagsAreKept = true;
    private bool _isSuspect;

    /// <summary>Makes an owner. Nothing is touched yet.</summary>
    /// <param name="addresses">The addresses, those left out of the adverts among them.</param>
    /// <param name="lifetime">How long the kernel keeps an address that is not renewed, rounded up to whole seconds; zero = for ever.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    public NetlinkAddressOwner(IReadOnlyList<VirtualAddress> addresses, TimeSpan lifetime)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(lifetime, TimeSpan.Zero);
        _entries = [.. addresses.Select(static address => new Entry(address))];
        _interfaces = [.. addresses.Select(static address => address.Interface).Distinct(StringComparer.Ordinal)];
        _seconds = lifetime == TimeSpan.Zero ? Netlink.Forever : (uint)Math.Ceiling(lifetime.TotalSeconds);

        // Addresses that never end are looked at too: somebody may delete them.
        TimeSpan half = lifetime / 2;
        RenewEvery = lifetime == TimeSpan.Zero || half > Slowest ? Slowest : half < Fastest ? Fastest : half;
    }

    private enum Holding
    {
        /// <summary>Not there by our doing.</summary>
        None,

        /// <summary>Added by us.</summary>
        Ours,

        /// <summary>Was there before; left as it is.</summary>
        Adopted,
    }

    /// <inheritdoc/>
    public TimeSpan RenewEvery { get; }

    /// <summary>How many addresses this owner has added and not yet removed.</summary>
    public int Held => _entries.Count(static entry => entry.Holding == Holding.Ours);

    /// <summary>How many were there before, by somebody else's doing.</summary>
    public int Adopted => _entries.Count(static entry => entry.Holding == Holding.Adopted);

    /// <inheritdoc/>
    public ValueTask AcquireAsync(CancellationToken ct)
    {
        if (ct.IsCancellationRequested) return ValueTask.FromCanceled(ct);
        try
        {
            PutAll();
            return ValueTask.CompletedTask;
        }
        catch (IOException exception)
        {
            return ValueTask.FromException(exception);
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The lifetimes alone are set anew, in one message for each address, which brings back what was missing without saying so. Only when an address was
    /// heard to be gone (<see cref="Suspect"/>), or something is not as it was left, the kernel is asked what there is.
    /// </remarks>
    /// <exception cref="NetlinkException">An interface is gone, or the kernel refuses an address; the others were renewed all the same.</exception>
    public bool Renew()
    {
        if (!_isSuspect && TryExtend()) return false;
        _isSuspect = false;
        return PutAll();
    }

    /// <summary>Addresses of this list that are here by somebody else's doing; they are never removed.</summary>
    /// <exception cref="NetlinkException">The kernel refuses the question.</exception>
    public IReadOnlyList<PeerAddress> FindForeign()
    {
        List<PeerAddress> foreign = [];
        foreach (string name in _interfaces)
        {
            if (_netlink.FindLink(name) is not { } link) continue;
            _netlink.ReadAddresses(link.Index, _present);
            foreign.AddRange(_present.Where(p => p.Tag != Tag && Array.Exists(_entries, e => e.Address.Interface == name && e.Address.Address == p.Address)).Select(static p => p.Address));
        }

        return foreign;
    }

    /// <summary>Has other addresses from now on: those that are gone from the list are taken off, those that are new are taken by <see cref="AcquireAsync"/>.</summary>
    /// <param name="addresses">The addresses, those left out of the adverts among them.</param>
    /// <exception cref="NetlinkException">One could not be taken off; the list is the new one all the same.</exception>
    public void Change(IReadOnlyList<VirtualAddress> addresses)
    {
        Entry[] gone = [.. _entries.Where(e => !addresses.Contains(e.Address))];
        _entries = [.. addresses.Select(a => Array.Find(_entries, e => e.Address == a) ?? new Entry(a))];
        _interfaces = [.. addresses.Select(static address => address.Interface).Distinct(StringComparer.Ordinal)];
        foreach (Entry entry in gone)
        {
            if (entry.Holding == Holding.Ours && _netlink.FindLink(entry.Address.Interface) is { } link)
                _netlink.RemoveAddress(entry.Address with { PrefixLength = entry.PrefixLength }, link.Index);
        }
    }

    /// <summary>An address may be gone: the next <see cref="Renew"/> looks at all of them.</summary>
    public void Suspect() => _isSuspect = true;

    /// <inheritdoc/>
    public ValueTask ReleaseAsync(CancellationToken ct)
    {
        NetlinkException? failure = null;
        foreach (string name in _interfaces)
        {
            try
            {
                NetworkLink? link = _netlink.FindLink(name);
                foreach (Entry entry in _entries)
                {
                    if (entry.Address.Interface != name) continue;
                    if (entry.Holding == Holding.Ours && link is not null) _netlink.RemoveAddress(entry.Address with { PrefixLength = entry.PrefixLength }, link.Index);
                    entry.Holding = Holding.None;
                }
            }
            catch (NetlinkException exception)
            {
                failure ??= exception;
            }
        }

        return failure is null ? ValueTask.CompletedTask : ValueTask.FromException(failure);
    }

    /// <summary>
    /// Removes what a run that was killed has left of these addresses: called once at the start, before the election. Only those with our tag are touched.
    /// </summary>
    /// <returns>How many were removed.</returns>
    /// <exception cref="NetlinkException">The kernel refuses it.</exception>
    public int RemoveStale()
    {
        int removed = 0;
        foreach (string name in _interfaces)
        {
            if (_netlink.FindLink(name) is not { } link) continue;
            _netlink.ReadAddresses(link.Index, _present);
            foreach (InterfaceAddress present in _present)
            {
                if (present.Tag != Tag) continue;
                Entry? entry = Array.Find(_entries, entry => entry.Address.Address == present.Address && entry.Address.Interface == name);
                if (entry is not { Holding: Holding.None }) continue;
                VirtualAddress address = new() { Address = present.Address, PrefixLength = present.PrefixLength, Interface = name };
                if (_netlink.RemoveAddress(address, link.Index)) removed++;
            }
        }

        return removed;
    }

    /// <summary>Asks for an address on an interface that there is not, so that adding is compiled before it is needed.</summary>
    public void WarmUp()
    {
        try
        {
            _netlink.AddAddress(_entries[0].Address, int.MaxValue, _seconds, Tag, replace: false);
        }
        catch (NetlinkException)
        {
            // As it must be.
        }
    }

    /// <summary>Closes the netlink socket. Addresses stay: until <see cref="ReleaseAsync"/> before it, or the end of their lifetime.</summary>
    public void Dispose() => _netlink.Dispose();

    // False when that is not enough: something is not ours, or an interface was made anew.
    private bool TryExtend()
    {
        foreach (Entry entry in _entries)
        {
            if (entry.Holding != Holding.Ours || entry.PrefixLength != entry.Address.PrefixLength) return false;
        }

        if (_seconds == Netlink.Forever) return true;
        try
        {
            foreach (Entry entry in _entries) _netlink.AddAddress(entry.Address, entry.Index, _seconds, Tag, replace: true);
            return true;
        }
        catch (NetlinkException)
        {
            return false;
        }
    }

    // Returns whether something was added that was not there.
    private bool PutAll()
    {
        bool added = false;
        NetlinkException? failure = null;
        foreach (string name in _interfaces)
        {
            try
            {
                NetworkLink link = _netlink.RequireLink(name);
                _netlink.ReadAddresses(link.Index, _present);
                foreach (Entry entry in _entries)
                {
                    if (entry.Address.Interface != name) continue;
                    try
                    {
                        added |= Put(entry, link.Index);
                    }
                    catch (NetlinkException exception)
                    {
                        failure ??= exception;
                    }
                }
            }
            catch (NetlinkException exception)
            {
                failure ??= exception;
            }
        }

        return failure is null ? added : throw failure;
    }

    private bool Put(Entry entry, int index)
    {
        entry.Index = index;
        InterfaceAddress? present = Find(entry.Address.Address);
        if (present is null)
        {
            Prepare(entry);
            bool added = _netlink.AddAddress(entry.Address, index, _seconds, Tag, replace: false);
            entry.Holding = added ? Holding.Ours : Holding.Adopted;
            entry.PrefixLength = entry.Address.PrefixLength;
            return added;
        }

        // Without tags (before Linux 5.18) what we have added ourselves is known by memory alone.
        bool remembered = entry.Holding == Holding.Ours;
        if (remembered && present.Value.Tag == 0 && _tagsAreKept) _tagsAreKept = KernelKeepsTags();
        bool ours = present.Value.Tag == Tag || (remembered && !_tagsAreKept);
        entry.Holding = ours ? Holding.Ours : Holding.Adopted;
        if (!ours) return false;

        // The prefix it has: another one would be a second address.
        entry.PrefixLength = present.Value.PrefixLength;
        VirtualAddress renewed = entry.PrefixLength == entry.Address.PrefixLength ? entry.Address : entry.Address with { PrefixLength = entry.PrefixLength };
        _netlink.AddAddress(renewed, index, _seconds, Tag, replace: true);
        return false;
    }

    private InterfaceAddress? Find(PeerAddress address)
    {
        foreach (InterfaceAddress present in _present)
        {
            if (present.Address == address) return present;
        }

        return null;
    }

    // When a first address of a subnet goes, the kernel takes its others along, somebody else's included, unless told to promote the next one.
    private static void Prepare(Entry entry)
    {
        if (entry.Address.Address.IsV6 || entry.Address.PrefixLength == 32) return;
        try
        {
            _ = Sysctl.Write($"ipv4/conf/{entry.Address.Interface}/promote_secondaries", 1);
        }
        catch (IOException)
        {
            // A read-only /proc/sys (containers): the address matters more.
        }
    }

    private static bool KernelKeepsTags() => Environment.OSVersion.Version >= new Version(5, 18);

    private sealed class Entry(VirtualAddress address)
    {
        public VirtualAddress Address { get; } = address;

        public Holding Holding { get; set; }

        public int PrefixLength { get; set; } = address.PrefixLength;

        /// <summary>Number of its interface when it was last looked at.</summary>
        public int Index { get; set; }
    }
}
