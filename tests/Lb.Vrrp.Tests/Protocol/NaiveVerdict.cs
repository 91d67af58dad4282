namespace Lb.Vrrp.Tests;

/// <summary>
/// Whether a message counts, by RFC 9568 7.1 and RFC 3768 7.1 read anew: sums by columns, sets of addresses as text. Nothing here calls what is tested. For
/// messages that came the right way, without a good HMAC.
/// </summary>
internal static class NaiveVerdict
{
    public static bool Counts(ReadOnlySpan<byte> message, ReceiveRules rules, ReadOnlySpan<byte> pseudo)
    {
        if (message.Length < 8 || rules.Authentication?.Mode == VrrpHmacMode.Enforce) return false;
        int version = message[0] / 16, kind = message[0] % 16, size = rules.IsV6 ? 16 : 4;
        bool isVersion2 = version == 2;
        if (kind != 1 || message[1] != 51 || message[3] == 0) return false;
        if (version != rules.Version && !(isVersion2 && rules.AlsoVersion2)) return false;
        int addresses = message[3] * size;
        if (message.Length != 8 + addresses + (isVersion2 ? 8 : 0)) return false;

        bool plain = Total(message, []) % 0xFFFF == 0, covered = Total(message, pseudo) % 0xFFFF == 0;
        bool sum = rules.IsV6 ? covered : isVersion2 || rules.Strict ? plain : plain || covered;
        if (!sum) return false;

        int interval = isVersion2 ? message[5] : (message[4] % 16 * 256) + message[5];
        if (interval == 0 || (rules.Version == 2 && interval != 1)) return false;
        if (isVersion2)
        {
            string password = rules.Authentication is null ? "" : "secret";
            if (message[4] != (password.Length > 0 ? 1 : 0)) return false;
            if (password.Length > 0 && Text(message[^8..]) != Text([.. System.Text.Encoding.ASCII.GetBytes(password), 0, 0])) return false;
        }

        bool mayDiffer = isVersion2 ? rules.CheckAddresses == false || message[2] == 255 : rules.CheckAddresses != true;
        return mayDiffer || SameSet(message.Slice(8, addresses), rules.Addresses.Span, size);
    }

    /// <summary>The pseudo-header but for the length of what is summed.</summary>
    public static byte[] Pseudo(string source, string destination) => [.. Wire.Bytes(source, destination), 0, 112];

    /// <summary>Puts in the checksum; an empty pseudo-header = without one.</summary>
    public static void Sum(Span<byte> message, ReadOnlySpan<byte> pseudo)
    {
        message[6] = message[7] = 0;
        int sum = 0xFFFF - (Total(message, pseudo) % 0xFFFF);
        (message[6], message[7]) = ((byte)(sum >> 8), (byte)sum);
    }

    // One's complement: a right sum is a multiple of 65 535.
    private static int Total(ReadOnlySpan<byte> message, ReadOnlySpan<byte> pseudo)
    {
        int total = pseudo.IsEmpty ? 0 : message.Length;
        for (int i = 0; i < message.Length; i++) total += i % 2 == 0 ? message[i] * 256 : message[i];
        for (int i = 0; i < pseudo.Length; i++) total += i % 2 == 0 ? pseudo[i] * 256 : pseudo[i];
        return total;
    }

    private static bool SameSet(ReadOnlySpan<byte> theirs, ReadOnlySpan<byte> ours, int size)
    {
        HashSet<string> a = [], b = [];
        for (int i = 0; i < theirs.Length; i += size) a.Add(Text(theirs.Slice(i, size)));
        for (int i = 0; i < ours.Length; i += size) b.Add(Text(ours.Slice(i, size)));
        return theirs.Length == ours.Length && a.SetEquals(b);
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
