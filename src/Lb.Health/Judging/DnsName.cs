using System.Globalization;
using System.Text;

namespace Lb.Health;

/// <summary>Domain names on the wire (RFC 1035, 3.1 and 4.1.4). Pure.</summary>
internal static class DnsName
{
    private const int Longest = 255;

    /// <summary>Writes a name as labels; a dot at its end is allowed, <c>.</c> is the root.</summary>
    public static bool TryEncode(string name, out byte[] wire)
    {
        wire = [];
        List<byte> bytes = [];
        string trimmed = name.EndsWith('.') ? name[..^1] : name;
        foreach (string label in trimmed.Length == 0 && name.Length > 0 ? [] : trimmed.Split('.'))
        {
            if (label.Length is 0 or > 63 || !label.All(static c => c is > ' ' and < '\x7f' and not '\\')) return false;
            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.ASCII.GetBytes(label));
        }

        bytes.Add(0);
        wire = [.. bytes];
        return wire.Length <= Longest;
    }

    /// <summary>Reads a name. Pointers may only lead back beyond all that was read of the name, so there are no loops.</summary>
    /// <param name="packet">The whole message: pointers count from its start.</param>
    /// <param name="position">Where the name begins; afterwards, where what follows it begins.</param>
    /// <param name="name">The name without a dot at its end, the root as an empty text; odd bytes as <c>\ddd</c>.</param>
    public static bool TryRead(ReadOnlySpan<byte> packet, ref int position, out string name)
    {
        name = "";
        StringBuilder text = new();
        int at = position, lowest = position, length = 1;
        bool jumped = false;
        while (true)
        {
            if (at >= packet.Length) return false;
            int size = packet[at];
            if (size == 0)
            {
                if (!jumped) position = at + 1;
                name = text.ToString();
                return true;
            }

            if (size >= 0xC0)
            {
                if (at + 1 >= packet.Length) return false;
                int target = ((size & 0x3F) << 8) | packet[at + 1];
                if (target >= lowest) return false;
                if (!jumped) position = at + 2;
                jumped = true;
                at = lowest = target;
                continue;
            }

            // 0x40 and 0x80 mean nothing today.
            length += size + 1;
            if (size > 63 || length > Longest || at + 1 + size > packet.Length) return false;
            if (text.Length > 0) text.Append('.');
            foreach (byte b in packet.Slice(at + 1, size))
            {
                if (b is > 0x20 and < 0x7f and not (byte)'.' and not (byte)'\\') text.Append((char)b);
                else text.Append(CultureInfo.InvariantCulture, $"\\{b:D3}");
            }

            at += size + 1;
        }
    }
}
