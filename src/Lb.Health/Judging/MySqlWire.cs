using System.Buffers.Binary;
using System.Text;

namespace Lb.Health;

/// <summary>What a check needs of MySQL's and MariaDB's protocol: the server's greeting, a login without a password, and errors. Pure.</summary>
internal static class MySqlWire
{
    /// <summary>Length and number, before every packet.</summary>
    public const int HeaderLength = 4;

    /// <summary>The longest packet taken.</summary>
    public const int LongestPacket = 16 * 1024;

    public const byte Ok = 0x00;
    public const byte MoreData = 0x01;
    public const byte SwitchPlugin = 0xFE;
    public const byte Error = 0xFF;

    /// <summary>What follows <see cref="MoreData"/> when the server knows the password already.</summary>
    public const byte FastLogin = 0x03;

    private const uint LongPassword = 0x1;
    private const uint Protocol41 = 0x200;
    private const uint SecureConnection = 0x8000;
    private const uint PluginAuth = 0x80000;
    private const string NativePassword = "mysql_native_password";

    /// <summary>Bytes of the packet behind a header; 0 is too few, and above <see cref="LongestPacket"/> too many.</summary>
    public static int LengthOf(ReadOnlySpan<byte> header) => header[0] | (header[1] << 8) | (header[2] << 16);

    /// <summary>Puts a header before a packet.</summary>
    public static byte[] Packet(byte number, ReadOnlySpan<byte> body)
    {
        byte[] packet = new byte[HeaderLength + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(packet, body.Length);
        packet[3] = number;
        body.CopyTo(packet.AsSpan(HeaderLength));
        return packet;
    }

    /// <summary>Reads the greeting of protocol 10.</summary>
    /// <param name="body">The packet.</param>
    /// <param name="version">The server's version.</param>
    /// <param name="capabilities">What it can.</param>
    public static bool TryParseGreeting(ReadOnlySpan<byte> body, out string version, out uint capabilities)
    {
        version = "";
        capabilities = 0;
        if (body.IsEmpty || body[0] != 10) return false;
        int end = body[1..].IndexOf((byte)0);
        if (end <= 0) return false;
        version = Encoding.UTF8.GetString(body.Slice(1, end));

        // Connection id 4, challenge 8, a zero; then the capabilities' lower half, character set 1, status 2, the upper half.
        ReadOnlySpan<byte> rest = body[(end + 2)..];
        if (rest.Length < 15) return false;
        capabilities = BinaryPrimitives.ReadUInt16LittleEndian(rest[13..]);
        if (rest.Length >= 20) capabilities |= (uint)BinaryPrimitives.ReadUInt16LittleEndian(rest[18..]) << 16;
        return true;
    }

    /// <summary>True when the server understands <see cref="Login"/>: MySQL 4.1 and later.</summary>
    public static bool CanLogIn(uint capabilities) => (capabilities & Protocol41) != 0;

    /// <summary>The answer to the greeting: a user, and an empty password.</summary>
    public static byte[] Login(string user, uint capabilities)
    {
        bool names = (capabilities & PluginAuth) != 0;
        byte[] name = Encoding.UTF8.GetBytes(user);
        byte[] plugin = names ? Encoding.ASCII.GetBytes(NativePassword + "\0") : [];
        byte[] body = new byte[32 + name.Length + 2 + plugin.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(body, LongPassword | Protocol41 | SecureConnection | (names ? PluginAuth : 0));
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(4), 1 << 24);
        body[8] = 33;
        name.CopyTo(body, 32);
        plugin.CopyTo(body, 32 + name.Length + 2);
        return Packet(1, body);
    }

    /// <summary>An empty password for the way that the server has switched to: a zero where hashes are asked for over a safe line, nothing else.</summary>
    /// <param name="body">The packet that asks for it.</param>
    /// <param name="number">Number of the answer.</param>
    public static byte[] EmptyPassword(ReadOnlySpan<byte> body, byte number)
    {
        ReadOnlySpan<byte> name = body[1..];
        int end = name.IndexOf((byte)0);
        if (end >= 0) name = name[..end];
        return Packet(number, name.IndexOf("sha2"u8) >= 0 ? [0] : []);
    }

    /// <summary>The command that ends the session.</summary>
    public static byte[] Quit() => Packet(0, [1]);

    /// <summary>Judges an error: its number, an SQLSTATE behind a hash sign if there is one, a text.</summary>
    public static ProbeResult JudgeError(ReadOnlySpan<byte> body)
    {
        if (body.Length < 3) return new ProbeResult(CheckStatus.Layer7Response, 0, "an error without a number");
        int code = BinaryPrimitives.ReadUInt16LittleEndian(body[1..]);
        ReadOnlySpan<byte> text = body[3..];
        if (text.Length >= 6 && text[0] == '#') text = text[6..];
        return new ProbeResult(CheckStatus.Layer7Status, code, Encoding.UTF8.GetString(text));
    }
}
