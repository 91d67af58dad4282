using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Lb.Vrrp;

/// <summary>Reads adverts and judges them by RFC 9568 7.1 and RFC 3768 7.1, cheapest checks first. Pure but for the replay guard; allocates nothing.</summary>
internal static class VrrpReader
{
    /// <summary>Length of the header of both versions.</summary>
    public const int HeaderLength = 8;

    /// <summary>Length of the authentication data of version 2.</summary>
    public const int PassLength = 8;

    /// <summary>The number of the router that a message is for, to find who reads it; -1 when it is too short.</summary>
    /// <param name="message">From its version on.</param>
    public static int RouterIdOf(ReadOnlySpan<byte> message) => message.Length < 2 ? -1 : message[1];

    /// <summary>Reads an advert.</summary>
    /// <param name="message">From its version on: any bytes, any length.</param>
    /// <param name="datagram">What is known beside the bytes. Without addresses a checksum with a pseudo-header is taken as the kernel left it.</param>
    /// <param name="rules">What it must be.</param>
    /// <param name="utc">Wall-clock time; only looked at with an HMAC.</param>
    /// <param name="advert">What it says, as far as it was read.</param>
    /// <returns><see cref="ReceiveFault.None"/> when it counts.</returns>
    public static ReceiveFault Read(
        ReadOnlySpan<byte> message, in VrrpDatagram datagram, ReceiveRules rules, DateTimeOffset utc, out VrrpAdvertisement advert)
    {
        advert = new VrrpAdvertisement { KeyId = -1 };
        ReceiveFault fault = Way(datagram, rules);
        if (fault != ReceiveFault.None) return fault;
        if (message.Length < HeaderLength) return ReceiveFault.LengthShort;

        int version = message[0] >> 4;
        int count = message[3];
        advert = advert with { Version = version, RouterId = message[1], Priority = message[2], AddressCount = count, Interval = IntervalOf(message) };
        if (version != rules.Version && !(rules.AlsoVersion2 && version == 2)) return ReceiveFault.Version;
        if ((message[0] & 0xF) != 1) return ReceiveFault.Type;
        if (message[1] != rules.RouterId) return ReceiveFault.RouterId;
        if (count == 0) return ReceiveFault.Count;

        int length = HeaderLength + (count * rules.AddressLength) + (version == 2 ? PassLength : 0);
        bool hasTrailer = message.Length == length + VrrpHmac.TrailerLength;
        if (message.Length < length) return ReceiveFault.LengthShort;
        if (message.Length > length && !(hasTrailer && (rules.Authentication?.Mode is not null || VrrpHmac.Looks(message[length..])))) return ReceiveFault.LengthLong;

        VrrpChecksumForm? form = FormOf(message, length, version, datagram, rules);
        if (form is null) return ReceiveFault.Checksum;
        advert = advert with { Checksum = form.Value };

        if (advert.Interval == TimeSpan.Zero) return ReceiveFault.IntervalZero;
        if (version == 2 && rules.Version == 2 && advert.Interval != rules.Interval) return ReceiveFault.IntervalMismatch;

        fault = Authenticated(message, length, version, hasTrailer, datagram.Source, rules, utc, ref advert);
        if (fault != ReceiveFault.None) return fault;

        ReceiveWarning warnings = advert.Warnings;
        if (advert.Interval != rules.Interval) warnings |= ReceiveWarning.Interval;
        if (!SameAddresses(message.Slice(HeaderLength, count * rules.AddressLength), rules.Addresses.Span, rules.AddressLength))
        {
            // RFC 3768 7.1: what the owner says of its addresses counts.
            bool isOwner = version == 2 && advert.Priority == 255;
            if ((rules.CheckAddresses ?? version == 2) && !isOwner) return ReceiveFault.AddressList;
            warnings |= ReceiveWarning.AddressList;
        }

        if (!IsNear(datagram.Source, rules.Subnets))
        {
            if (rules.CheckSubnet) return ReceiveFault.Subnet;
            warnings |= ReceiveWarning.Subnet;
        }

        advert = advert with { Warnings = warnings };
        return ReceiveFault.None;
    }

    // What can be said without the bytes: where it came from, and how.
    private static ReceiveFault Way(in VrrpDatagram datagram, ReceiveRules rules)
    {
        if (!datagram.Source.IsEmpty)
        {
            if (datagram.Source == rules.Source) return ReceiveFault.OwnSource;
            if (datagram.Source.IsV6 != rules.IsV6) return ReceiveFault.Family;
        }

        if (rules.Peers is { } peers)
        {
            if (IsMulticast(datagram.Destination)) return ReceiveFault.Destination;
            if (!peers.AsSpan().Contains(datagram.Source)) return ReceiveFault.NotAPeer;
            return datagram.TimeToLive >= 0 && (datagram.TimeToLive < rules.MinimumTtl || datagram.TimeToLive > rules.MaximumTtl)
                ? ReceiveFault.TimeToLive
                : ReceiveFault.None;
        }

        if (!rules.Group.IsEmpty && !datagram.Destination.IsEmpty && datagram.Destination != rules.Group) return ReceiveFault.Destination;
        return datagram.TimeToLive is not (255 or -1) ? ReceiveFault.TimeToLive : ReceiveFault.None;
    }

    // Version 3: 4 reserved bits, which are ignored (RFC 9568 5.2.6), and 12 bits of 1/100 s. Version 2: seconds after the type of authentication.
    private static TimeSpan IntervalOf(ReadOnlySpan<byte> message) => message[0] >> 4 == 2
        ? TimeSpan.FromSeconds(message[5])
        : TimeSpan.FromMilliseconds((BinaryPrimitives.ReadUInt16BigEndian(message[4..]) & 0xFFF) * 10L);

    private static VrrpChecksumForm? FormOf(ReadOnlySpan<byte> message, int length, int version, in VrrpDatagram datagram, ReceiveRules rules)
    {
        bool hasAddresses = !datagram.Source.IsEmpty && !datagram.Destination.IsEmpty;
        if (rules.IsV6)
        {
            // Over all that was sent: the kernel of the sender knows nothing of trailers.
            if (!hasAddresses) return VrrpChecksumForm.Unknown;
            ulong all = VrrpChecksum.Add(message, 0);
            bool isRight = VrrpChecksum.Fold(VrrpChecksum.AddPseudoHeader(datagram.Source, datagram.Destination, message.Length, all)) == 0;
            return isRight ? VrrpChecksumForm.PseudoHeader : null;
        }

        ulong sum = VrrpChecksum.Add(message[..length], 0);
        if (VrrpChecksum.Fold(sum) == 0) return VrrpChecksumForm.Message;
        if (version == 2 || rules.Strict || !hasAddresses) return null;
        return VrrpChecksum.Fold(VrrpChecksum.AddPseudoHeader(datagram.Source, datagram.Destination, length, sum)) == 0 ? VrrpChecksumForm.PseudoHeader : null;
    }

    private static ReceiveFault Authenticated(
        ReadOnlySpan<byte> message, int length, int version, bool hasTrailer, in PeerAddress source, ReceiveRules rules, DateTimeOffset utc, ref VrrpAdvertisement advert)
    {
        VrrpAuthentication? authentication = rules.Authentication;
        if (version == 2)
        {
            if (message[4] != (authentication?.Type ?? 0)) return ReceiveFault.AuthenticationType;
            if (authentication is { Type: 1 } && !CryptographicOperations.FixedTimeEquals(message[(length - PassLength)..length], authentication.Password.Span))
            {
                return ReceiveFault.AuthenticationPassword;
            }
        }

        if (authentication?.Mode is not { } mode) return hasTrailer ? ReceiveFault.AuthenticationUnexpected : ReceiveFault.None;
        if (hasTrailer)
        {
            ReceiveFault fault = VrrpHmac.Check(message, source, authentication, rules.Replays, utc, out int keyId);
            advert = advert with { KeyId = keyId };
            return fault;
        }

        if (mode == VrrpHmacMode.Enforce) return ReceiveFault.AuthenticationMissing;
        advert = advert with { Warnings = ReceiveWarning.Unauthenticated };
        return ReceiveFault.None;
    }

    // As sets: the order may differ.
    private static bool SameAddresses(ReadOnlySpan<byte> theirs, ReadOnlySpan<byte> ours, int size)
    {
        if (theirs.Length != ours.Length) return false;
        return theirs.SequenceEqual(ours) || (AllIn(theirs, ours, size) && AllIn(ours, theirs, size));
    }

    private static bool AllIn(ReadOnlySpan<byte> these, ReadOnlySpan<byte> those, int size)
    {
        for (int i = 0; i < these.Length; i += size)
        {
            bool found = false;
            for (int j = 0; j < those.Length && !found; j += size) found = these.Slice(i, size).SequenceEqual(those.Slice(j, size));
            if (!found) return false;
        }

        return true;
    }

    private static bool IsNear(in PeerAddress source, AddressPrefix[] subnets)
    {
        if (subnets.Length == 0 || source.IsEmpty) return true;
        foreach (AddressPrefix subnet in subnets)
        {
            if (subnet.Contains(source)) return true;
        }

        return false;
    }

    private static bool IsMulticast(in PeerAddress address)
    {
        if (address.IsEmpty) return false;
        Span<byte> bytes = stackalloc byte[16];
        address.WriteBytes(bytes);
        return address.IsV6 ? bytes[0] == 0xFF : bytes[0] >> 4 == 0xE;
    }
}
