using System.Buffers.Binary;

namespace Lb.Vrrp;

/// <summary>
/// Receives IP protocol 112 on one interface for one family: of the multicast group and, for routers with unicast peers, what is sent to this node.
/// </summary>
/// <remarks>Checksums are not looked at here, also not by the kernel: the router judges and counts them.</remarks>
internal sealed unsafe class RawReceiver : IVrrpReceiver
{
    private readonly DatagramReader _reader = new();
    private readonly string _device;
    private readonly PeerAddress _group;
    private readonly bool _isV6;
    private byte[] _routerIds = [];

    /// <summary>Makes a receiver that is closed until <see cref="TryBind"/>.</summary>
    /// <param name="device">Name of the interface.</param>
    /// <param name="isV6">Family of what it receives.</param>
    /// <param name="group">Multicast group of that family; empty for unicast only.</param>
    public RawReceiver(string device, bool isV6, in PeerAddress group)
    {
        if (!group.IsEmpty && group.IsV6 != isV6) throw new ArgumentException("The group is of the other IP family.", nameof(group));
        _device = device;
        _isV6 = isV6;
        _group = group;
    }

    public int Descriptor { get; private set; } = -1;

    /// <summary>Number put into <see cref="VrrpDatagram.Link"/>: 0 the router's interface, 1 its second heartbeat.</summary>
    public int Link { get; init; }

    /// <summary>Datagrams that were no whole IP packet or too long.</summary>
    public long Dropped => _reader.Dropped;

    /// <summary>Opens it, or opens it anew: the interface was made again and has another index.</summary>
    /// <param name="index">Index of the interface now.</param>
    /// <param name="error">Why it stays closed, for people.</param>
    public bool TryBind(int index, out string? error)
    {
        Close();
        Descriptor = RawSocket.OpenReceiver(_device, index, _group, _isV6, out int number);
        error = Descriptor >= 0 ? null : Libc.Failure($"Receiving VRRP on {_device}", number);
        if (Descriptor >= 0 && _routerIds.Length > 0) RawSocket.AcceptOnly(Descriptor, _isV6, _routerIds);
        return Descriptor >= 0;
    }

    /// <summary>Tells which routers listen here: packets of others are dropped in the kernel and wake nobody.</summary>
    /// <param name="routerIds">Their VRIDs; empty = everything arrives.</param>
    public void Accept(ReadOnlySpan<byte> routerIds)
    {
        _routerIds = routerIds.ToArray();
        if (Descriptor >= 0) RawSocket.AcceptOnly(Descriptor, _isV6, _routerIds);
    }

    public bool TryReceive(Span<byte> buffer, out int length, out VrrpDatagram datagram)
    {
        while (Descriptor >= 0 && _reader.TryRead(Descriptor, out ReadOnlySpan<byte> bytes, out datagram))
        {
            datagram = datagram with { Link = Link };
            if (!_isV6 && !TryUnwrap(ref bytes, ref datagram) || bytes.Length > buffer.Length)
            {
                _reader.CountDropped();
                continue;
            }

            bytes.CopyTo(buffer);
            length = bytes.Length;
            return true;
        }

        length = 0;
        datagram = default;
        return false;
    }

    /// <summary>Closes it; <see cref="TryBind"/> opens it again.</summary>
    public void Close()
    {
        if (Descriptor >= 0) _ = Libc.Close(Descriptor);
        Descriptor = -1;
    }

    public void Dispose()
    {
        Close();
        _reader.Dispose();
    }

    /// <summary>Over IPv4 a raw socket gives the IP header too: it holds the TTL and the destination as they were on the wire.</summary>
    private static bool TryUnwrap(ref ReadOnlySpan<byte> packet, ref VrrpDatagram datagram)
    {
        if (packet.Length < 20) return false;
        int head = (packet[0] & 0xF) * 4;
        int total = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        if (head < 20 || total < head || total > packet.Length) return false;
        datagram = datagram with { TimeToLive = packet[8], Destination = PeerAddress.FromBytes(packet.Slice(16, 4), 0) };
        packet = packet[head..total];
        return true;
    }
}
