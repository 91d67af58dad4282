namespace Lb.Vrrp;

/// <summary>
/// Tells the neighbours where the virtual addresses of one router are: gratuitous ARP for IPv4, unsolicited neighbour advertisement for IPv6. The frames
/// are made beforehand; sending one is a system call.
/// </summary>
/// <remarks>Not thread-safe: called by the thread that drives the router. When an interface or its MAC address changes, make a new one.</remarks>
internal sealed class NeighborAnnouncer : INeighborAnnouncer
{
    private readonly byte[][] _frames;
    private readonly PacketSocket[] _sockets;
    private readonly Dictionary<int, PacketSocket> _byInterface = [];

    /// <summary>Makes the frames and opens a socket for each interface.</summary>
    /// <param name="addresses">The addresses, in the order of the announcements. Each is announced on its interface with that one's MAC address.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    /// <exception cref="NetlinkException">An interface is not there or has no Ethernet address, or CAP_NET_RAW is missing.</exception>
    public NeighborAnnouncer(IReadOnlyList<VirtualAddress> addresses)
    {
        List<byte[]> frames = [];
        List<PacketSocket> sockets = [];
        try
        {
            using Netlink netlink = new();
            foreach (VirtualAddress address in addresses)
            {
                NetworkLink link = netlink.RequireLink(address.Interface);
                if (link.HardwareAddress.Length != 6) throw new NetlinkException($"announcing {address}", Libc.NetlinkNoDevice, "the interface has no Ethernet address");
                if (!_byInterface.TryGetValue(link.Index, out PacketSocket? socket)) _byInterface.Add(link.Index, socket = new PacketSocket(link.Index));
                frames.Add(address.Address.IsV6
                    ? NeighborFrames.UnsolicitedAdvertisement(link.HardwareAddress, address.Address, Forwards(address.Interface))
                    : NeighborFrames.GratuitousArp(link.HardwareAddress, address.Address));
                sockets.Add(socket);
            }
        }
        catch
        {
            Dispose();
            throw;
        }

        _frames = [.. frames];
        _sockets = [.. sockets];
    }

    /// <inheritdoc/>
    public int Count => _frames.Length;

    /// <inheritdoc/>
    public bool Announce(int index) => _sockets[index].Send(_frames[index]);

    /// <summary>The frame that <see cref="Announce"/> sends, from its Ethernet header on.</summary>
    /// <param name="index">Which, 0 to <see cref="Count"/> - 1.</param>
    public ReadOnlySpan<byte> Frame(int index) => _frames[index];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PacketSocket socket in _byInterface.Values) socket.Dispose();
    }

    // The kernel's own advertisements carry the same: two different answers would make neighbours drop us as a router.
    private static bool Forwards(string device) => Sysctl.Read($"ipv6/conf/{device}/forwarding") == 1;
}
