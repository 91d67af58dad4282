namespace Lb.Vrrp;

/// <summary>
/// Hands out the VRRP messages that arrive over one link for one IP family. One for all routers of the link: a packet then costs one call, not one for
/// every router. The owner gives each message to the router of its VRID, its second byte.
/// </summary>
/// <remarks>Called only by the thread that drives the routers. Receiving does not block and does not allocate.</remarks>
internal interface IVrrpReceiver : IDisposable
{
    /// <summary>What to poll for readability; -1 while it is closed. Changes when the receiver is bound anew.</summary>
    int Descriptor { get; }

    /// <summary>Takes the next message.</summary>
    /// <param name="buffer">Where it goes, at least <see cref="DatagramReader.Capacity"/> bytes; a longer message is dropped.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="datagram">What else is known of it.</param>
    /// <returns>False when nothing waits now.</returns>
    bool TryReceive(Span<byte> buffer, out int length, out VrrpDatagram datagram);
}
