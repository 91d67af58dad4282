namespace Lb.Vrrp;

/// <summary>The peers of a router without multicast, and how one advert goes to all of them.</summary>
internal sealed class UnicastPeers
{
    private readonly PeerAddress[] _peers;

    /// <summary>Copies them.</summary>
    /// <exception cref="ArgumentException">There is none, or they are not of one IP family.</exception>
    public UnicastPeers(IReadOnlyList<PeerAddress> peers)
    {
        _peers = [.. peers];
        if (_peers.Length == 0) throw new ArgumentException("A unicast router needs at least one peer.", nameof(peers));
        if (Array.Exists(_peers, peer => peer.Length != First.Length)) throw new ArgumentException("The peers are not of one IP family.", nameof(peers));
    }

    /// <summary>The peer whose address is in the checksum of the message that is handed in.</summary>
    public PeerAddress First => _peers[0];

    /// <summary>All of them.</summary>
    public IReadOnlyList<PeerAddress> All => _peers;

    /// <summary>Sends the message to each, with the checksum that belongs to it. Does not allocate.</summary>
    /// <returns>Sent when it was sent to at least one; otherwise what became of the first.</returns>
    public VrrpSendResult Send<T>(T transport, ReadOnlySpan<byte> message)
        where T : IVrrpTransport, IPeerSender
    {
        VrrpSendResult result = transport.SendTo(0, _peers[0], message);
        if (_peers.Length == 1) return result;
        Span<byte> copy = stackalloc byte[DatagramReader.Capacity];
        copy = copy[..message.Length];
        message.CopyTo(copy);
        bool covers = PeerChecksum.CoversAddresses(message, First.IsV6);
        for (int i = 1; i < _peers.Length; i++)
        {
            if (covers) PeerChecksum.Readdress(copy, _peers[i - 1], _peers[i]);
            if (transport.SendTo(i, _peers[i], copy) == VrrpSendResult.Sent) result = VrrpSendResult.Sent;
        }

        return result;
    }
}

/// <summary>Sends one message to one peer.</summary>
internal interface IPeerSender
{
    /// <summary>Sends it.</summary>
    /// <param name="index">Which peer.</param>
    /// <param name="peer">Its address.</param>
    /// <param name="message">The message, checksum for this peer.</param>
    VrrpSendResult SendTo(int index, in PeerAddress peer, ReadOnlySpan<byte> message);
}
