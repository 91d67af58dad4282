using System.Text;

namespace Lb.Health;

/// <summary>One line of an SMTP reply (RFC 5321, 4.2): three digits, a hyphen when more lines follow, a text. Pure.</summary>
/// <param name="Code">200 to 599.</param>
/// <param name="IsLast">False when more lines of the reply follow.</param>
/// <param name="Text">What people may read.</param>
internal readonly record struct SmtpReply(int Code, bool IsLast, string Text)
{
    /// <summary>The longest line taken: RFC 5321, 4.5.3.1.5 says 512 with its end, real servers say more.</summary>
    public const int LongestLine = 2048;

    /// <summary>Most lines of one reply.</summary>
    public const int MostLines = 128;

    /// <summary>Reads a line without its end.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out SmtpReply reply)
    {
        reply = default;
        if (line.Length < 3 || line[0] is < (byte)'2' or > (byte)'5') return false;
        int code = 0;
        foreach (byte digit in line[..3])
        {
            if (!char.IsAsciiDigit((char)digit)) return false;
            code = (code * 10) + (digit - '0');
        }

        if (line.Length > 3 && line[3] is not ((byte)' ' or (byte)'-')) return false;
        reply = new SmtpReply(code, line.Length == 3 || line[3] == ' ', line.Length <= 4 ? "" : Encoding.UTF8.GetString(line[4..]));
        return true;
    }

    /// <summary>True when a greeting with EHLO is refused by one who may know HELO (RFC 5321, 4.1.1.1 and 4.2.4).</summary>
    public bool IsUnknownCommand => Code is 500 or 502 or 504;
}
