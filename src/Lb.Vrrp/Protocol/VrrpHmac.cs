using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Lb.Vrrp;

/// <summary>
/// The trailer of keepalived 2.4 (<c>auth_hmac</c>), 28 bytes after the message: kind (1 = HMAC-SHA-256 cut to 16 bytes), number of the key, two zeros,
/// a sequence of seconds since 1970 (32 bits), 1/65536 s (16 bits) and a counter (16 bits), and the HMAC. Pure.
/// </summary>
/// <remarks>
/// The HMAC is over a pseudo-header of 20 bytes (4 or 6, version, VRID, zero, source padded to 16 bytes), the message with its checksum read as zero, and
/// the trailer with its HMAC read as zero. The checksum of IPv4 does not cover the trailer, that of IPv6 does: there the kernel sums all it sends.
/// </remarks>
internal static class VrrpHmac
{
    /// <summary>Length of the trailer.</summary>
    public const int TrailerLength = 28;

    /// <summary>Where the HMAC begins in it.</summary>
    public const int HmacOffset = 12;

    private const byte Sha256 = 1;
    private const int PseudoLength = 20;
    private const int HmacLength = 16;
    private const int ChecksumOffset = 6;

    // The longest message: 255 IPv6 addresses, and the authentication data of version 2.
    private const int LongestInput = PseudoLength + 8 + (255 * 16) + 8 + TrailerLength;

    /// <summary>The sequence of a moment: what a sender that has sent nothing yet begins with.</summary>
    /// <param name="utc">Wall-clock time.</param>
    public static ulong SequenceOf(DateTimeOffset utc)
    {
        long ticks = utc.UtcTicks - DateTime.UnixEpoch.Ticks;
        ulong fraction = (ulong)(ticks % TimeSpan.TicksPerSecond) * 65536 / (ulong)TimeSpan.TicksPerSecond;
        return ((ulong)(ticks / TimeSpan.TicksPerSecond) << 32) | (fraction << 16);
    }

    /// <summary>The sequence that follows: the clock's, or one more than the last when the clock has not moved on.</summary>
    /// <param name="last">The last one sent.</param>
    /// <param name="utc">Wall-clock time.</param>
    /// <param name="authentication">Tells the window.</param>
    public static ulong Next(ulong last, DateTimeOffset utc, VrrpAuthentication authentication)
    {
        ulong clock = SequenceOf(utc);
        if (IsAfter(clock, last)) return clock;

        // A clock that was set back leaves the last number where no receiver takes it: by time they also forget their mark, so it may start again.
        int ahead = (int)((uint)(last >> 32) - (uint)(clock >> 32));
        return authentication.Replay == VrrpReplay.Time && ahead > Seconds(authentication.Window) ? clock : last + 1;
    }

    /// <summary>Serial number arithmetic (RFC 1982): right across the wrap in 2106.</summary>
    public static bool IsAfter(ulong sequence, ulong other) => (long)(sequence - other) > 0;

    /// <summary>True when the time of a sequence is no more than the window away from a moment.</summary>
    public static bool IsWithin(ulong sequence, DateTimeOffset utc, TimeSpan window)
    {
        int apart = (int)((uint)(SequenceOf(utc) >> 32) - (uint)(sequence >> 32));
        int most = Seconds(window);
        return apart <= most && apart >= -most;
    }

    /// <summary>Writes the trailer at the end of a message.</summary>
    /// <param name="message">Message and room for the trailer.</param>
    /// <param name="source">Address it will come from.</param>
    /// <param name="authentication">Has the key.</param>
    /// <param name="sequence">Its sequence.</param>
    public static void Sign(Span<byte> message, in PeerAddress source, VrrpAuthentication authentication, ulong sequence)
    {
        Span<byte> trailer = message[^TrailerLength..];
        trailer[0] = Sha256;
        trailer[1] = (byte)authentication.KeyId;
        trailer[2] = trailer[3] = 0;
        BinaryPrimitives.WriteUInt64BigEndian(trailer[4..], sequence);
        Compute(message, source, authentication.Key(authentication.KeyId)!, trailer[HmacOffset..]);
    }

    /// <summary>True when a trailer looks like one of this kind, whatever its key.</summary>
    public static bool Looks(ReadOnlySpan<byte> trailer) => trailer.Length == TrailerLength && trailer[0] == Sha256 && trailer[2] == 0 && trailer[3] == 0;

    /// <summary>Judges a trailer.</summary>
    /// <param name="message">Message and trailer.</param>
    /// <param name="source">Who sent it.</param>
    /// <param name="authentication">Keys and window.</param>
    /// <param name="guard">Remembers the sequences of senders; only a good trailer changes it.</param>
    /// <param name="utc">Wall-clock time.</param>
    /// <param name="keyId">The key it was made with.</param>
    public static ReceiveFault Check(
        ReadOnlySpan<byte> message, in PeerAddress source, VrrpAuthentication authentication, ReplayGuard guard, DateTimeOffset utc, out int keyId)
    {
        ReadOnlySpan<byte> trailer = message[^TrailerLength..];
        keyId = trailer[1];
        if (!Looks(trailer)) return ReceiveFault.AuthenticationMalformed;

        // Before the digest: a flood of old captures must not cost one each.
        ulong sequence = BinaryPrimitives.ReadUInt64BigEndian(trailer[4..]);
        if (authentication.Replay == VrrpReplay.Time && !IsWithin(sequence, utc, authentication.Window)) return ReceiveFault.AuthenticationStale;
        if (authentication.Key(keyId) is not { } key) return ReceiveFault.AuthenticationUnknownKey;

        Span<byte> expected = stackalloc byte[HmacLength];
        Compute(message, source, key, expected);
        if (!CryptographicOperations.FixedTimeEquals(expected, trailer[HmacOffset..])) return ReceiveFault.AuthenticationMismatch;
        return guard.Admit(source, sequence, authentication, utc) ? ReceiveFault.None : ReceiveFault.AuthenticationReplay;
    }

    private static void Compute(ReadOnlySpan<byte> message, in PeerAddress source, byte[] key, Span<byte> hmac)
    {
        Span<byte> input = stackalloc byte[LongestInput];
        input[0] = source.IsV6 ? (byte)6 : (byte)4;
        input[1] = (byte)(message[0] >> 4);
        input[2] = message[1];
        input[3..PseudoLength].Clear();
        source.WriteBytes(input[4..]);
        message.CopyTo(input[PseudoLength..]);
        input.Slice(PseudoLength + ChecksumOffset, 2).Clear();
        int length = PseudoLength + message.Length;
        input[(length - HmacLength)..length].Clear();

        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, input[..length], digest);
        digest[..HmacLength].CopyTo(hmac);
    }

    private static int Seconds(TimeSpan window) => (int)(window.Ticks / TimeSpan.TicksPerSecond);
}
