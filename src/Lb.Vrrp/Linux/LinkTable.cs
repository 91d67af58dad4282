using System.Buffers.Binary;
using System.Text;

namespace Lb.Vrrp;

/// <summary>The interfaces and addresses that rtnetlink's messages tell of.</summary>
internal sealed class LinkTable
{
    private const ushort NewLink = 16;
    private const ushort DeleteLink = 17;
    private const ushort NewAddress = 20;
    private const ushort DeleteAddress = 21;

    private const int LinkHead = 16;
    private const int LinkAddress = 1;
    private const int LinkName = 3;
    private const uint UpAndRunning = 0x41; // IFF_UP, IFF_RUNNING

    private const int AddressHead = 8;
    private const int AddressPeer = 1;
    private const int AddressLocal = 2;
    private const int AddressFlags = 8;
    private const int AddressProto = 11;
    private const uint Secondary = 0x01;
    private const uint DuplicateFound = 0x08;
    private const uint Tentative = 0x40;
    private const byte ScopeLink = 253;
    private const byte ScopeHost = 254;

    private readonly Dictionary<int, Link> _links = [];

    /// <summary>Takes the indices of what changes; null = nobody asks.</summary>
    public ISet<int>? Changed { get; set; }

    /// <summary>Takes the addresses that have gone, virtual ones too; null = nobody asks.</summary>
    public ICollection<PeerAddress>? Gone { get; set; }

    /// <summary>All that is not told again until <see cref="EndDump"/> is gone.</summary>
    public void BeginDump()
    {
        foreach (Link link in _links.Values)
        {
            link.IsStale = true;
            for (int i = 0; i < link.Addresses.Count; i++) link.Addresses[i] = link.Addresses[i] with { IsStale = true };
        }
    }

    /// <summary>The dump is over.</summary>
    public void EndDump()
    {
        foreach ((int index, Link link) in _links)
        {
            foreach (Address address in link.Addresses)
            {
                if (address.IsStale) Gone?.Add(address.Value);
            }

            if (link.Addresses.RemoveAll(static a => a.IsStale) > 0 || link.IsStale) Changed?.Add(index);
            if (link.IsStale) _links.Remove(index);
        }
    }

    /// <summary>Takes one message in.</summary>
    /// <param name="type">Its type; others than links and addresses are ignored.</param>
    /// <param name="body">What follows the netlink header.</param>
    public void Take(ushort type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            // A bridge tells of its ports by the same messages in a family of its own: a port that leaves the bridge is not gone.
            case NewLink or DeleteLink when body.Length >= LinkHead && body[0] == 0:
                TakeLink(type == NewLink, body);
                break;
            case NewAddress or DeleteAddress when body.Length >= AddressHead && body[0] is Libc.FamilyV4 or Libc.FamilyV6:
                TakeAddress(type == NewAddress, body);
                break;
        }
    }

    /// <summary>What is known of an interface; see <see cref="LinkMonitor.Get"/>.</summary>
    public LinkState Get(string name, IReadOnlyCollection<PeerAddress>? virtualAddresses)
    {
        foreach ((int index, Link link) in _links)
        {
            if (link.Name != name) continue;
            Address v4 = link.Own(virtualAddresses, static a => !a.Value.IsV6 && (a.Flags & Secondary) == 0 && a.Scope < ScopeLink);
            if (v4.Value.IsEmpty) v4 = link.Own(virtualAddresses, static a => !a.Value.IsV6 && a.Scope < ScopeHost);
            Address v6 = link.Own(virtualAddresses, static a => a.Value.IsV6 && a.Scope == ScopeLink && (a.Flags & (Tentative | DuplicateFound)) == 0);
            return new LinkState
            {
                Index = index,
                IsRunning = (link.Flags & UpAndRunning) == UpAndRunning,
                Mac = link.Mac,
                PrimaryV4 = v4.Value,
                PrefixV4 = v4.Prefix,
                LinkLocalV6 = v6.Value,
            };
        }

        return default;
    }

    private void TakeLink(bool exists, ReadOnlySpan<byte> body)
    {
        int index = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        if (!exists)
        {
            if (_links.Remove(index)) Changed?.Add(index);
            return;
        }

        if (!_links.TryGetValue(index, out Link? link)) _links[index] = link = new Link();
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(body[8..]) & UpAndRunning;
        string name = link.Name;
        ulong mac = 0;
        ReadOnlySpan<byte> attributes = body[LinkHead..];
        while (Next(ref attributes, out int type, out ReadOnlySpan<byte> value))
        {
            if (type == LinkName) name = NameOf(value, link.Name);
            if (type == LinkAddress && value.Length == 6) mac = (ulong)BinaryPrimitives.ReadUInt16BigEndian(value) << 32 | BinaryPrimitives.ReadUInt32BigEndian(value[2..]);
        }

        link.IsStale = false;
        if (link.Name == name && link.Flags == flags && link.Mac == mac) return;
        (link.Name, link.Flags, link.Mac) = (name, flags, mac);
        Changed?.Add(index);
    }

    private void TakeAddress(bool exists, ReadOnlySpan<byte> body)
    {
        if (!_links.TryGetValue(BinaryPrimitives.ReadInt32LittleEndian(body[4..]), out Link? link)) return;
        Address address = new() { Prefix = body[1], Flags = body[2], Scope = body[3] };
        PeerAddress peer = default;
        ReadOnlySpan<byte> attributes = body[AddressHead..];
        while (Next(ref attributes, out int type, out ReadOnlySpan<byte> value))
        {
            switch (type)
            {
                // On a point-to-point link the local address is the node's, the other its peer's.
                case AddressLocal when value.Length is 4 or 16:
                    address.Value = PeerAddress.FromBytes(value, 0);
                    break;
                case AddressPeer when value.Length is 4 or 16:
                    peer = PeerAddress.FromBytes(value, 0);
                    break;
                case AddressFlags when value.Length == 4:
                    address.Flags = BinaryPrimitives.ReadUInt32LittleEndian(value);
                    break;
                case AddressProto when value.Length > 0:
                    address.IsOurs = value[0] == LinkMonitor.AddressProtocol;
                    break;
            }
        }

        if (address.Value.IsEmpty) address.Value = peer;
        if (address.Value.IsEmpty || !link.Set(address, exists)) return;
        if (!exists) Gone?.Add(address.Value);
        Changed?.Add(BinaryPrimitives.ReadInt32LittleEndian(body[4..]));
    }

    private static string NameOf(ReadOnlySpan<byte> value, string known)
    {
        value = value.TrimEnd((byte)0);
        Span<char> name = stackalloc char[Math.Max(1, Encoding.UTF8.GetMaxCharCount(value.Length))];
        name = name[..Encoding.UTF8.GetChars(value, name)];
        return name.SequenceEqual(known) ? known : name.ToString();
    }

    // struct rtattr { u16 length; u16 type; }, each at a multiple of 4.
    private static bool Next(ref ReadOnlySpan<byte> attributes, out int type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (attributes.Length < 4) return false;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
        if (length < 4 || length > attributes.Length) return false;
        type = BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]) & 0x3FFF;
        value = attributes[4..length];
        attributes = attributes[Math.Min(attributes.Length, (length + 3) & ~3)..];
        return true;
    }

    private sealed class Link
    {
        public string Name { get; set; } = "";

        public uint Flags { get; set; }

        public ulong Mac { get; set; }

        public bool IsStale { get; set; }

        /// <summary>In the order the kernel has them: the first is the primary one.</summary>
        public List<Address> Addresses { get; } = [];

        public bool Set(in Address address, bool exists)
        {
            PeerAddress value = address.Value;
            byte prefix = address.Prefix;
            int at = -1;
            for (int i = 0; i < Addresses.Count && at < 0; i++)
            {
                if (Addresses[i].Value == value && Addresses[i].Prefix == prefix) at = i;
            }

            if (!exists)
            {
                if (at >= 0) Addresses.RemoveAt(at);
                return at >= 0;
            }

            if (at < 0)
            {
                Addresses.Add(address);
                return true;
            }

            bool changed = Addresses[at] with { IsStale = false } != address;
            Addresses[at] = address;
            return changed;
        }

        public Address Own(IReadOnlyCollection<PeerAddress>? virtualAddresses, Predicate<Address> condition)
        {
            foreach (Address address in Addresses)
            {
                if (!address.IsOurs && condition(address) && virtualAddresses?.Contains(address.Value) != true) return address;
            }

            return default;
        }
    }

    private record struct Address
    {
        public PeerAddress Value { get; set; }

        public byte Prefix { get; set; }

        public byte Scope { get; set; }

        public uint Flags { get; set; }

        public bool IsOurs { get; set; }

        public bool IsStale { get; set; }
    }
}
