namespace Lb.Vrrp;

/// <summary>The receiving sockets, one for each link and family, and who listens there. The loop's thread.</summary>
internal sealed class RouterReceivers(Poller poller, VrrpOptions options) : IDisposable
{
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private Entry[] _all = [];

    /// <summary>All of them; a copy, so that it may change while they are gone through.</summary>
    public Entry[] All => _all;

    /// <summary>The multicast group of a family.</summary>
    public static PeerAddress Group(VrrpOptions options, bool isV6) => RouterMessages.Peer(isV6 ? options.MulticastGroup6 : options.MulticastGroup4);

    /// <summary>Has a router hear protocol 112 on an interface.</summary>
    /// <param name="seat">The router.</param>
    /// <param name="device">Name of the interface.</param>
    /// <param name="index">Its index now; 0 = it is gone.</param>
    /// <param name="isV6">The family.</param>
    /// <param name="link">0 the router's interface, 1 its second heartbeat.</param>
    /// <returns>Why not, for people; null = it does.</returns>
    public string? ListenRaw(RouterSeat seat, string device, int index, bool isV6, int link)
    {
        PeerAddress group = Group(options, isV6);
        string key = $"{device}/{(isV6 ? 6 : 4)}/{link}";
        if (!_entries.TryGetValue(key, out Entry? entry)) Put(key, entry = new Entry(new RawReceiver(device, isV6, group) { Link = link }));
        entry.Join(seat);
        RawReceiver receiver = (RawReceiver)entry.Receiver;
        receiver.Accept(entry.RouterIds);
        if (index == 0 || (index == entry.Index && receiver.Descriptor >= 0)) return null;
        poller.Remove(receiver.Descriptor);
        bool bound = receiver.TryBind(index, out string? error);
        entry.Index = bound ? index : 0;
        poller.Add(receiver.Descriptor);
        return error;
    }

    /// <summary>Has a router hear UDP on an address.</summary>
    public (UdpEndpoint Endpoint, string? Error) ListenUdp(RouterSeat seat, PeerAddress source, int port, int scope)
    {
        string key = $"udp/{source}/{port}";
        if (!_entries.TryGetValue(key, out Entry? entry)) Put(key, entry = new Entry(new UdpEndpoint(port)));
        entry.Join(seat);
        UdpEndpoint endpoint = (UdpEndpoint)entry.Receiver;
        if (endpoint.IsBoundTo(source, scope)) return (endpoint, null);
        poller.Remove(endpoint.Descriptor);
        bool bound = endpoint.TryBind(source, scope, out string? error);
        if (bound) poller.Add(endpoint.Descriptor);
        return (endpoint, error);
    }

    /// <summary>A router has gone; a socket that nobody listens to is closed.</summary>
    public void Forget(RouterSeat seat)
    {
        foreach ((string key, Entry entry) in _entries.Where(e => e.Value.Leave(seat)).ToArray())
        {
            if (entry.IsEmpty)
            {
                poller.Remove(entry.Receiver.Descriptor);
                entry.Receiver.Dispose();
                _entries.Remove(key);
            }
            else if (entry.Receiver is RawReceiver receiver)
            {
                receiver.Accept(entry.RouterIds);
            }
        }

        _all = [.. _entries.Values];
    }

    public void Dispose()
    {
        foreach (Entry entry in _entries.Values) entry.Receiver.Dispose();
        _entries.Clear();
    }

    private void Put(string key, Entry entry)
    {
        _entries[key] = entry;
        _all = [.. _entries.Values];
    }

    /// <summary>One socket and its listeners by the number of their router.</summary>
    internal sealed class Entry(IVrrpReceiver receiver)
    {
        private readonly RouterSeat[][] _seats = [.. Enumerable.Repeat<RouterSeat[]>([], 256)];

        public IVrrpReceiver Receiver => receiver;

        /// <summary>Every packet that had come by then was read; <see cref="TimeSpan.MaxValue"/> = all there were.</summary>
        public TimeSpan ReadUpTo { get; set; } = TimeSpan.MaxValue;

        /// <summary>Interface it is bound to.</summary>
        public int Index { get; set; }

        public bool IsEmpty => Array.TrueForAll(_seats, static s => s.Length == 0);

        public byte[] RouterIds => [.. Enumerable.Range(1, 255).Where(i => _seats[i].Length > 0).Select(static i => (byte)i)];

        /// <summary>Who listens for this number.</summary>
        public RouterSeat[] Of(int routerId) => _seats[routerId];

        public void Join(RouterSeat seat)
        {
            ref RouterSeat[] seats = ref _seats[seat.Router.RouterId];
            if (!seats.Contains(seat)) seats = [.. seats, seat];
            if (!seat.Heard.Contains(this)) seat.Heard.Add(this);
        }

        public bool Leave(RouterSeat seat)
        {
            ref RouterSeat[] seats = ref _seats[seat.Router.RouterId];
            if (!seats.Contains(seat)) return false;
            seats = [.. seats.Where(s => s != seat)];
            seat.Heard.Remove(this);
            return true;
        }
    }
}
