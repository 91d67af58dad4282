namespace Lb.Vrrp;

/// <summary>
/// Finds out whether another machine has one of our virtual addresses: asks on the link without claiming it (ARP probe, RFC 5227; neighbour solicitation,
/// RFC 4862), and listens. While the router is Active, any ARP message or neighbour advertisement that gives the address another MAC is a conflict: a
/// foreign machine, or a second Active node whose adverts do not get here.
/// </summary>
/// <remarks>
/// One for each interface and family. Not thread-safe: called by the thread that drives the router; neither call blocks or allocates. The old Active node
/// still answers and announces for a moment after a change: only the router knows from which moment on an answer is a conflict, so it drains
/// (<see cref="TryReceive"/>) what came before.
/// </remarks>
internal sealed class DuplicateProbe : IDisposable
{
    private const int Largest = 256;

    // Neighbour discovery only: the rest of the host's IPv6 traffic must not wake us. Classic BPF: next header 58, type 135 or 136.
    private static readonly ulong[] s_discoveryOnly =
    [
        Instruction(0x30, 0, 0, 20),
        Instruction(0x15, 0, 4, 58),
        Instruction(0x30, 0, 0, 54),
        Instruction(0x15, 1, 0, NeighborFrames.Advertisement),
        Instruction(0x15, 0, 1, NeighborFrames.Solicitation),
        Instruction(0x06, 0, 0, Largest),
        Instruction(0x06, 0, 0, 0),
    ];

    private static readonly PeerAddress s_unspecified = PeerAddress.FromBytes(new byte[16], 0);

    private readonly PacketSocket _socket;
    private readonly PeerAddress[] _addresses;
    private readonly byte[][] _frames;
    private readonly byte[][] _macs;
    private readonly byte[] _buffer = new byte[Largest];
    private readonly bool _v6;

    /// <summary>Opens the socket and makes the probes.</summary>
    /// <param name="device">Name of the interface.</param>
    /// <param name="addresses">The addresses, all of one family.</param>
    /// <param name="ownMacs">Other MAC addresses that are ours too: the virtual one, or that of the interface below; each 6 bytes.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    /// <exception cref="NetlinkException">The interface is not there, or CAP_NET_RAW is missing.</exception>
    public DuplicateProbe(string device, IReadOnlyList<PeerAddress> addresses, params IReadOnlyList<byte[]> ownMacs)
    {
        using Netlink netlink = new();
        NetworkLink link = netlink.RequireLink(device);
        _v6 = addresses.Count > 0 && addresses[0].IsV6;
        _addresses = [.. addresses];
        _macs = [link.HardwareAddress, .. ownMacs];
        _frames = [.. addresses.Select(address => _v6 ? NeighborFrames.SolicitationProbe(link.HardwareAddress, address) : NeighborFrames.ArpProbe(link.HardwareAddress, address))];
        _socket = new PacketSocket(link.Index, _v6 ? PacketSocket.V6 : PacketSocket.Arp, _v6 ? s_discoveryOnly : default);
    }

    /// <summary>The descriptor, to wait on.</summary>
    public int Descriptor => _socket.Descriptor;

    /// <summary>How many probes one question is: one for every address.</summary>
    public int Count => _frames.Length;

    /// <summary>Asks for one address.</summary>
    /// <param name="index">Which, 0 to <see cref="Count"/> - 1.</param>
    /// <returns>False when the link does not take it.</returns>
    public bool Ask(int index) => _socket.Send(_frames[index]);

    /// <summary>Takes the next conflict; other messages are passed over.</summary>
    /// <param name="conflict">Which address, and who has it.</param>
    /// <returns>False when nothing more has arrived.</returns>
    public bool TryReceive(out AddressConflict conflict)
    {
        while (_socket.TryReceive(_buffer, out int length))
        {
            if (_v6 ? IsDiscovery(_buffer.AsSpan(0, length), out conflict) : IsArp(_buffer.AsSpan(0, length), out conflict)) return true;
        }

        conflict = default;
        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    // A claim is a sender address that is ours, in a request as in a reply; or somebody else's probe for it: it is about to take it (RFC 5227 2.1.1).
    private bool IsArp(ReadOnlySpan<byte> frame, out AddressConflict conflict)
    {
        conflict = default;
        if (frame.Length < NeighborFrames.ArpSize || !frame[14..20].SequenceEqual<byte>([0, 1, 8, 0, 6, 4])) return false;
        PeerAddress sender = PeerAddress.FromBytes(frame[28..32], 0);
        bool probes = sender == PeerAddress.FromV4(0, 0);
        if (probes && frame[21] != NeighborFrames.ArpRequest) return false;
        return IsConflict(probes ? PeerAddress.FromBytes(frame[38..42], 0) : sender, frame[22..28], probes, out conflict);
    }

    private bool IsDiscovery(ReadOnlySpan<byte> frame, out AddressConflict conflict)
    {
        conflict = default;

        // Hop limit 255: from this link (RFC 4861 7.1). The checksum is not verified, as a network card may fill it in later; a wrong alarm needs more than a broken bit.
        if (frame.Length < 78 || frame[21] != 255) return false;
        PeerAddress target = PeerAddress.FromBytes(frame[62..78], 0);
        if (frame[54] == NeighborFrames.Solicitation)
        {
            return PeerAddress.FromBytes(frame[22..38], 0) == s_unspecified && IsConflict(target, frame[6..12], true, out conflict);
        }

        ReadOnlySpan<byte> mac = frame[6..12];
        if (frame.Length >= NeighborFrames.DiscoverySize && frame[78] == 2 && frame[79] == 1) mac = frame[80..86];
        return IsConflict(target, mac, false, out conflict);
    }

    private bool IsConflict(PeerAddress address, ReadOnlySpan<byte> mac, bool isProbe, out AddressConflict conflict)
    {
        conflict = default;
        if (Array.IndexOf(_addresses, address) < 0) return false;
        foreach (byte[] own in _macs)
        {
            if (mac.SequenceEqual(own)) return false;
        }

        conflict = new AddressConflict(address, MacAddress.From(mac), isProbe);
        return true;
    }

    private static ulong Instruction(ushort code, byte ifTrue, byte ifFalse, uint value) => code | ((ulong)ifTrue << 16) | ((ulong)ifFalse << 24) | ((ulong)value << 32);
}

/// <summary>Somebody else has, or is about to take, a virtual address.</summary>
/// <param name="Address">The address; port 0.</param>
/// <param name="Mac">Who.</param>
/// <param name="IsProbe">It only asks so far whether the address is free.</param>
internal readonly record struct AddressConflict(PeerAddress Address, MacAddress Mac, bool IsProbe)
{
    /// <summary><c>192.0.2.1 is at 02:00:00:00:00:02</c>.</summary>
    public override string ToString() => $"{(Address.IsEmpty ? null : Address.ToIPEndPoint().Address)} is at {Mac}";
}
