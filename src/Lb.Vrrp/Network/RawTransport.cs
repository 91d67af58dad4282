using System.Runtime.InteropServices;

namespace Lb.Vrrp;

/// <summary>Sends adverts as IP protocol 112 with TTL 255 from an address of the interface: what multicast and unicast share.</summary>
internal abstract unsafe class RawTransport : IVrrpTransport
{
    private readonly string _device;
    private readonly bool _fillChecksum;
    private readonly byte* _address = (byte*)NativeMemory.AllocZeroed(Libc.AddressCapacity);
    private int _descriptor = -1;
    private int _index;
    private bool _disposed;
    private VrrpSendResult _closed = VrrpSendResult.LinkDown;

    private protected RawTransport(string device, in PeerAddress destination, bool fillChecksum)
    {
        if (destination.IsEmpty) throw new ArgumentException("There is no destination.", nameof(destination));
        _device = device;
        _fillChecksum = fillChecksum;
        Destination = destination;
    }

    public PeerAddress Source { get; private set; }

    public PeerAddress Destination { get; }

    /// <summary>Error number of the last advert that was not sent; 0 = none yet.</summary>
    public int LastError { get; private set; }

    /// <summary>All that an advert goes to: the group, or each of the peers.</summary>
    internal virtual IReadOnlyList<PeerAddress> Destinations => [Destination];

    /// <summary>The sending socket, for adverts that are queued ahead; -1 while there is none.</summary>
    internal int Descriptor => _descriptor;

    /// <summary>Index of the interface it is bound to.</summary>
    internal int Index => _index;

    /// <summary>Opens the sending socket, or opens it anew: the interface has come back with another index, or its address has changed.</summary>
    /// <param name="index">Index of the interface now; 0 = it is gone.</param>
    /// <param name="source">Its primary IPv4 or own link-local IPv6 address; empty = none: <see cref="Send"/> then says <see cref="VrrpSendResult.LinkDown"/>.</param>
    /// <param name="error">Why it stays closed, for people.</param>
    public bool TryBind(int index, in PeerAddress source, out string? error)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Close();
        if (index == 0 || source.IsEmpty)
        {
            error = index == 0 ? $"There is no interface {_device}." : $"{_device} has no address to send adverts from.";
            return false;
        }

        if (source.IsV6 != Destination.IsV6) throw new ArgumentException("The source is of the other IP family.", nameof(source));
        _descriptor = RawSocket.OpenSender(_device, index, source, _fillChecksum, out int number);
        _index = index;
        if (_descriptor < 0)
        {
            LastError = number;
            _closed = Errno.ToSendResult(number);
            error = Libc.Failure($"Sending VRRP on {_device} from {source.ToIPEndPoint().Address}", number);
            return false;
        }

        Source = source;
        error = null;
        return true;
    }

    public abstract VrrpSendResult Send(ReadOnlySpan<byte> message);

    /// <summary>Sends nothing to this node itself: an empty packet that stays inside, so that sending is compiled before it is needed.</summary>
    public void WarmUp()
    {
        if (_descriptor >= 0) _ = SendTo(Source, default);
    }

    /// <summary>Closes the socket; <see cref="TryBind"/> opens it again.</summary>
    public void Close()
    {
        if (_descriptor >= 0) _ = Libc.Close(_descriptor);
        _descriptor = -1;
        _closed = VrrpSendResult.LinkDown;
        Source = default;
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Close();
        NativeMemory.Free(_address);
        GC.SuppressFinalize(this);
    }

    private protected VrrpSendResult SendTo(in PeerAddress destination, ReadOnlySpan<byte> message)
    {
        if (_descriptor < 0) return _closed;
        uint length = NativeAddress.Write(destination, _index, _address);
        fixed (byte* bytes = message)
        {
            while (Libc.SendTo(_descriptor, bytes, message.Length, Libc.MessageNoSignal, _address, length) < 0)
            {
                int error = Libc.LastError;
                if (error == Errno.Interrupted) continue;
                LastError = error;
                return Errno.ToSendResult(error);
            }
        }

        return VrrpSendResult.Sent;
    }
}
