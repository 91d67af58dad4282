using System.Buffers.Binary;

namespace Lb.Vrrp;

/// <summary>Writes the adverts of one router. What never changes is written and summed once. Not thread-safe: the driver's; writing allocates nothing.</summary>
internal sealed class VrrpWriter
{
    private readonly byte[] _message;
    private readonly int _length;
    private readonly VrrpAuthentication? _trailer;
    private readonly bool _isV6;
    private readonly int _version;
    private readonly ulong _sum;
    private readonly VrrpSequence _sequence;
    private ulong _pseudoSum;

    /// <summary>Makes it for one router and version.</summary>
    /// <param name="version">2 or 3.</param>
    /// <param name="routerId">1 to 255.</param>
    /// <param name="interval">
    /// Time between adverts. Version 3 says it in 1/100 s, 1 to 4095; version 2 in whole seconds, 1 to 255: beside version 3 a shorter one is said as 1 s.
    /// </param>
    /// <param name="addresses">1 to 255 addresses, one after the other in network order; for IPv6 the first is link-local (RFC 9568 5.2.9).</param>
    /// <param name="isV6">IPv6.</param>
    /// <param name="authentication">How adverts are authenticated; null = not.</param>
    /// <param name="sequence">The numbers of its trailers; null = its own, which begin with the clock.</param>
    public VrrpWriter(
        int version, int routerId, TimeSpan interval, ReadOnlySpan<byte> addresses, bool isV6, VrrpAuthentication? authentication, VrrpSequence? sequence = null)
    {
        _sequence = sequence ?? new VrrpSequence();
        _version = version;
        _isV6 = isV6;
        _trailer = authentication is { SendsTrailer: true } ? authentication : null;
        _length = VrrpReader.HeaderLength + addresses.Length + (version == 2 ? VrrpReader.PassLength : 0);
        _message = new byte[_length + (_trailer is null ? 0 : VrrpHmac.TrailerLength)];
        _message[0] = (byte)((version << 4) | 1);
        _message[1] = (byte)routerId;
        _message[3] = (byte)(addresses.Length / (isV6 ? 16 : 4));
        addresses.CopyTo(_message.AsSpan(VrrpReader.HeaderLength));
        if (version == 2)
        {
            _message[4] = authentication?.Type ?? 0;
            _message[5] = (byte)Math.Clamp(Math.Ceiling(interval.TotalSeconds), 1, 255);
            authentication?.Password.Span.CopyTo(_message.AsSpan(_length - VrrpReader.PassLength));
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(_message.AsSpan(4), (ushort)Math.Clamp(interval.Ticks / (10 * TimeSpan.TicksPerMillisecond), 1, 4095));
        }

        _sum = VrrpChecksum.Add(_message, 0);
    }

    /// <summary>Bytes of an advert, with its trailer.</summary>
    public int Length => _message.Length;

    /// <summary>How version 3 over IPv4 is summed; IPv6 is always with the pseudo-header, version 2 over IPv4 never. Default with.</summary>
    public VrrpChecksumForm Form { get; set; } = VrrpChecksumForm.PseudoHeader;

    /// <summary>What the checksum really covers.</summary>
    public VrrpChecksumForm EffectiveForm => _isV6 ? VrrpChecksumForm.PseudoHeader : _version == 2 ? VrrpChecksumForm.Message : Form;

    /// <summary>Where adverts come from; set by <see cref="Use"/>.</summary>
    public PeerAddress Source { get; private set; }

    /// <summary>Tells where adverts come from and go to: part of checksum and HMAC. To be told again when the interface's address changes.</summary>
    /// <param name="source">The interface's own address.</param>
    /// <param name="destination">The group, or the first peer: for the others see <see cref="PeerChecksum.Readdress"/>.</param>
    public void Use(in PeerAddress source, in PeerAddress destination)
    {
        Source = source;

        // The IPv6 sum covers the trailer, that of IPv4 does not: see VrrpHmac.
        _pseudoSum = VrrpChecksum.AddPseudoHeader(source, destination, _isV6 ? Length : _length, 0);
    }

    /// <summary>Writes an advert.</summary>
    /// <param name="priority">Its priority; 0 = this node resigns.</param>
    /// <param name="utc">Wall-clock time; only looked at with an HMAC.</param>
    /// <returns>The advert, good until the next call.</returns>
    public ReadOnlySpan<byte> Write(byte priority, DateTimeOffset utc)
    {
        Span<byte> message = _message;
        message[2] = priority;
        ulong sum = _sum + ((ulong)priority << 8);
        if (_trailer is not null)
        {
            VrrpHmac.Sign(message, Source, _trailer, _sequence.Next(utc, _trailer));
            if (_isV6) sum = VrrpChecksum.Add(message[_length..], sum);
        }

        if (EffectiveForm == VrrpChecksumForm.PseudoHeader) sum += _pseudoSum;
        BinaryPrimitives.WriteUInt16BigEndian(message[6..], VrrpChecksum.Fold(sum));
        return message;
    }
}
