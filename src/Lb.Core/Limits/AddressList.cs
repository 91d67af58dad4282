namespace Lb;

/// <summary>
/// A set of networks (CIDR), IPv4 and IPv6, of any size: hundreds of thousands are looked up in well under a microsecond, without a lock and without
/// allocating. The narrowest network that holds an address is the one that counts it. Any thread; a change builds the whole set anew and then shows it at once.
/// </summary>
public sealed class AddressList
{
    private readonly Lock _lock = new();
    private volatile Table _table = new([], before: null);
    private long _hits;
    private long _version;

    /// <summary>Makes it of some networks; default: empty.</summary>
    /// <param name="networks">The networks; bits behind the prefix are ignored, the same network twice counts once.</param>
    public AddressList(IEnumerable<AddressPrefix>? networks = null)
    {
        if (networks is not null) _table = new Table(networks, before: null);
    }

    /// <summary>Networks in it.</summary>
    public int Count => _table.Networks.Length;

    /// <summary>Changes so far.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Addresses found so far, also by networks that have left.</summary>
    public long Hits => Volatile.Read(ref _hits);

    /// <summary>True when a network of the list holds the address. Counts nothing.</summary>
    /// <param name="address">An address; its port does not matter.</param>
    public bool Contains(in PeerAddress address) => _table.Find(in address) >= 0;

    /// <summary>Finds the narrowest network that holds the address, and counts the hit.</summary>
    /// <param name="address">An address; its port does not matter.</param>
    /// <param name="network">The network.</param>
    /// <returns>False when none holds it.</returns>
    public bool TryMatch(in PeerAddress address, out AddressPrefix network)
    {
        Table table = _table;
        int entry = table.Find(in address);
        if (entry < 0)
        {
            network = default;
            return false;
        }

        Interlocked.Increment(ref _hits);
        Interlocked.Increment(ref table.Hits[entry]);
        network = table.Networks[entry];
        return true;
    }

    /// <summary>The networks and the hits of each, in ascending order. A network that stays over a change keeps its hits, but for those of the moment of the change.</summary>
    public IReadOnlyList<AddressListEntry> Entries()
    {
        Table table = _table;
        AddressListEntry[] entries = new AddressListEntry[table.Networks.Length];
        for (int i = 0; i < entries.Length; i++) entries[i] = new AddressListEntry(table.Networks[i], Volatile.Read(ref table.Hits[i]));
        return entries;
    }

    /// <summary>Takes other networks in place of all that there are. Who looks meanwhile sees all the old ones or all the new ones.</summary>
    /// <param name="networks">The networks.</param>
    public void Replace(IEnumerable<AddressPrefix> networks)
    {
        ArgumentNullException.ThrowIfNull(networks);
        lock (_lock) Publish(networks);
    }

    /// <summary>Adds networks and removes others, in one step. For one network or many: each call builds the set anew, 100 000 networks take some 50 ms.</summary>
    /// <param name="add">Networks to have; default none.</param>
    /// <param name="remove">Networks not to have; default none. Exactly these: an address in a wider network is not taken out of it.</param>
    /// <returns>The number of networks that came or left.</returns>
    public int Change(IEnumerable<AddressPrefix>? add = null, IEnumerable<AddressPrefix>? remove = null)
    {
        lock (_lock)
        {
            HashSet<AddressPrefix> networks = [.. _table.Networks];
            int changes = 0;
            foreach (AddressPrefix network in remove ?? []) changes += networks.Remove(network.Network) ? 1 : 0;
            foreach (AddressPrefix network in add ?? []) changes += networks.Add(network.Network) ? 1 : 0;
            if (changes > 0) Publish(networks);
            return changes;
        }
    }

    /// <summary>Adds one network.</summary>
    /// <param name="network">The network.</param>
    /// <returns>False when it was there.</returns>
    public bool Add(AddressPrefix network) => Change(add: [network]) > 0;

    /// <summary>Removes one network.</summary>
    /// <param name="network">Exactly that network.</param>
    /// <returns>False when it was not there.</returns>
    public bool Remove(AddressPrefix network) => Change(remove: [network]) > 0;

    private void Publish(IEnumerable<AddressPrefix> networks)
    {
        _table = new Table(networks, _table);
        Interlocked.Increment(ref _version);
    }

    /// <summary>All that a look-up needs, behind one reference.</summary>
    private sealed class Table
    {
        private readonly PrefixTable<uint> _v4;
        private readonly PrefixTable<UInt128> _v6;

        public Table(IEnumerable<AddressPrefix> networks, Table? before)
        {
            HashSet<AddressPrefix> distinct = [.. networks.Select(static n => n.Network)];
            distinct.RemoveWhere(static n => n.Address.IsEmpty);
            Networks = [.. distinct.OrderBy(static n => n.Address.Length).ThenBy(static n => n.Address.Number).ThenBy(static n => n.Bits)];
            Hits = new long[Networks.Length];
            Dictionary<AddressPrefix, long> counted = before?.Counted() ?? [];
            List<(uint, uint, int)> v4 = [];
            List<(UInt128, UInt128, int)> v6 = [];
            for (int i = 0; i < Networks.Length; i++)
            {
                AddressPrefix network = Networks[i];
                Hits[i] = counted.GetValueOrDefault(network);
                UInt128 first = network.Address.Number;
                if (network.Address.IsV6) v6.Add((first, first | Below(128 - network.Bits), i));
                else v4.Add(((uint)first, (uint)(first | Below(32 - network.Bits)), i));
            }

            _v4 = new PrefixTable<uint>(v4);
            _v6 = new PrefixTable<UInt128>(v6);
        }

        public AddressPrefix[] Networks { get; }

        public long[] Hits { get; }

        public int Find(in PeerAddress address) => address.Length switch
        {
            4 => _v4.Find(address.FoldedWords), // of an IPv4 address: all its bits
            16 => _v6.Find(address.Number),
            _ => -1,
        };

        private Dictionary<AddressPrefix, long> Counted()
        {
            Dictionary<AddressPrefix, long> counted = [];
            for (int i = 0; i < Hits.Length; i++)
            {
                if (Volatile.Read(ref Hits[i]) is > 0 and long hits) counted[Networks[i]] = hits;
            }

            return counted;
        }

        private static UInt128 Below(int bits) => bits >= 128 ? UInt128.MaxValue : (UInt128.One << bits) - 1;
    }
}

/// <summary>A network of a list and how often it was the narrowest that held an address.</summary>
/// <param name="Network">The network.</param>
/// <param name="Hits">Its hits.</param>
public readonly record struct AddressListEntry(AddressPrefix Network, long Hits);
