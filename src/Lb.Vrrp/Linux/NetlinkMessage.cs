using System.Runtime.InteropServices;
using System.Text;

namespace Lb.Vrrp;

/// <summary>Writes one netlink request into a buffer that is used again and again. Fields are in host order, as netlink wants them.</summary>
internal ref struct NetlinkMessage
{
    public const int HeaderSize = 16;

    private readonly Span<byte> _buffer;

    /// <summary>Begins a request.</summary>
    /// <param name="buffer">Room for the whole request.</param>
    /// <param name="type">Message type (RTM_*).</param>
    /// <param name="flags">Flags (NLM_F_*); request and acknowledgement are added by the client.</param>
    /// <param name="bodySize">Bytes of the fixed part behind the header, zeroed: see <see cref="Body"/>.</param>
    public NetlinkMessage(Span<byte> buffer, ushort type, ushort flags, int bodySize)
    {
        _buffer = buffer;
        buffer[..(HeaderSize + bodySize)].Clear();
        MemoryMarshal.Write(buffer[4..], type);
        MemoryMarshal.Write(buffer[6..], flags);
        Length = HeaderSize + bodySize;
    }

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>The fixed part behind the header.</summary>
    public readonly Span<byte> Body => _buffer[HeaderSize..];

    /// <summary>Adds an attribute.</summary>
    /// <returns>Where it begins: for <see cref="End"/>, if others are nested in it.</returns>
    public int Add(ushort type, scoped ReadOnlySpan<byte> value)
    {
        int at = Length;
        int end = at + 4 + value.Length;
        int padded = (end + 3) & ~3;
        MemoryMarshal.Write(_buffer[at..], (ushort)(end - at));
        MemoryMarshal.Write(_buffer[(at + 2)..], type);
        value.CopyTo(_buffer[(at + 4)..]);
        _buffer[end..padded].Clear();
        Length = padded;
        return at;
    }

    public void Add(ushort type, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        MemoryMarshal.Write(bytes, value);
        Add(type, bytes);
    }

    /// <summary>Adds text with its closing zero.</summary>
    public void Add(ushort type, string text)
    {
        Span<byte> bytes = stackalloc byte[64];
        int length = Encoding.ASCII.GetBytes(text, bytes[..^1]);
        bytes[length] = 0;
        Add(type, bytes[..(length + 1)]);
    }

    /// <summary>Adds the bytes of an address.</summary>
    public void Add(ushort type, PeerAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        Add(type, bytes[..address.WriteBytes(bytes)]);
    }

    /// <summary>Begins an attribute that holds others.</summary>
    public int Begin(ushort type) => Add(type, default(ReadOnlySpan<byte>));

    /// <summary>Ends it.</summary>
    public readonly void End(int at) => MemoryMarshal.Write(_buffer[at..], (ushort)(Length - at));

    /// <summary>Reads the attribute at the beginning of <paramref name="rest"/> and moves on.</summary>
    /// <returns>False at the end, or when what is left is broken.</returns>
    public static bool TryRead(scoped ref ReadOnlySpan<byte> rest, out ushort type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (rest.Length < 4) return false;
        int length = MemoryMarshal.Read<ushort>(rest);
        if (length < 4 || length > rest.Length) return false;
        type = (ushort)(MemoryMarshal.Read<ushort>(rest[2..]) & 0x3FFF);
        value = rest[4..length];
        rest = rest[Math.Min(rest.Length, (length + 3) & ~3)..];
        return true;
    }

    /// <summary>Text of an attribute, without its closing zero.</summary>
    public static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value.TrimEnd((byte)0));

    public static uint Number(ReadOnlySpan<byte> value) => value.Length >= 4 ? MemoryMarshal.Read<uint>(value) : 0;
}
