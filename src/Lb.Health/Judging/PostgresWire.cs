using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Lb.Health;

/// <summary>What a check needs of PostgreSQL's protocol 3.0: the start-up message, and the first message that answers it. Pure.</summary>
internal static class PostgresWire
{
    /// <summary>Type and length, before every message.</summary>
    public const int HeaderLength = 5;

    /// <summary>The longest error taken; libpq's limit.</summary>
    public const int LongestError = 30_000;

    private const int Version3 = 3 << 16;

    /// <summary>The start-up message: length, version, then names and values, each ended by a zero.</summary>
    public static byte[] StartUp(string user)
    {
        byte[] pairs = Encoding.UTF8.GetBytes($"user\0{user}\0\0");
        byte[] message = new byte[8 + pairs.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), Version3);
        pairs.CopyTo(message, 8);
        return message;
    }

    /// <summary>Reads type and length.</summary>
    /// <param name="header"><see cref="HeaderLength"/> bytes.</param>
    /// <param name="type"><c>R</c>: a request to log in, or none needed; <c>E</c>: an error.</param>
    /// <param name="length">Bytes that follow.</param>
    /// <returns>False when that is no first message of PostgreSQL.</returns>
    public static bool TryParseHeader(ReadOnlySpan<byte> header, out char type, out int length)
    {
        type = (char)header[0];
        length = BinaryPrimitives.ReadInt32BigEndian(header[1..]) - 4;
        return type switch
        {
            'R' => length is >= 4 and <= LongestError,
            'E' => length is >= 4 and <= LongestError,
            _ => false,
        };
    }

    /// <summary>Judges what the server asks for: any way to log in that there is means that it serves (HAProxy's rule).</summary>
    /// <param name="body">The body of a message <c>R</c>, its first four bytes at least.</param>
    public static ProbeResult JudgeLogin(ReadOnlySpan<byte> body)
    {
        int way = BinaryPrimitives.ReadInt32BigEndian(body);
        string? name = way switch
        {
            0 => "no password needed",
            2 => "Kerberos V5",
            3 => "clear-text password",
            4 => "crypt password",
            5 => "MD5 password",
            6 => "SCM credentials",
            7 => "GSSAPI",
            9 => "SSPI",
            10 => "SASL",
            _ => null,
        };
        return name is null
            ? new ProbeResult(CheckStatus.Layer7Response, 0, string.Create(CultureInfo.InvariantCulture, $"unknown way to log in {way}"))
            : new ProbeResult(CheckStatus.Layer7Ok, 0, name);
    }

    /// <summary>Judges an error: its fields are a letter and a text each, ended by zeros.</summary>
    /// <param name="body">The body of a message <c>E</c>.</param>
    /// <returns>L7STS with SQLSTATE and message, as <c>57P03: the database system is starting up</c>.</returns>
    public static ProbeResult JudgeError(ReadOnlySpan<byte> body)
    {
        string state = "", message = "";
        while (!body.IsEmpty && body[0] != 0)
        {
            int end = body.IndexOf((byte)0);
            if (end < 0) end = body.Length;
            if (body[0] == 'C') state = Encoding.UTF8.GetString(body[1..end]);
            else if (body[0] == 'M') message = Encoding.UTF8.GetString(body[1..end]);
            body = body[Math.Min(end + 1, body.Length)..];
        }

        string text = state.Length == 0 ? message : message.Length == 0 ? state : $"{state}: {message}";
        return new ProbeResult(CheckStatus.Layer7Status, 0, text.Length == 0 ? "an error without a text" : text);
    }

    /// <summary>True when the server has let the user in, and waits to be told good-bye.</summary>
    /// <param name="body">The body of a message <c>R</c>.</param>
    public static bool IsLoggedIn(ReadOnlySpan<byte> body) => BinaryPrimitives.ReadInt32BigEndian(body) == 0;
}
