using System.Runtime.InteropServices;

namespace Lb.Vrrp;

/// <summary>
/// Asks the kernel about addresses and links, and changes them (rtnetlink(7)): one request, one answer, on the calling thread. It works in the network
/// namespace of the thread that made it.
/// </summary>
/// <remarks>Not thread-safe. A request that gets no answer ends after <see cref="Patience"/>: the kernel answers while it takes the request in, so that never happens in good health.</remarks>
internal sealed unsafe partial class Netlink : IDisposable
{
    /// <summary>Longest wait for an answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private const ushort FlagRequest = 0x1;
    private const ushort FlagAck = 0x4;
    private const ushort FlagInterrupted = 0x10;
    private const ushort FlagReplace = 0x100;
    private const ushort FlagExclusive = 0x200;
    private const ushort FlagCreate = 0x400;
    private const ushort FlagDump = 0x300;

    // On an acknowledgement: the request is not repeated in it, and attributes with the kernel's words follow.
    private const ushort AckCapped = 0x100;
    private const ushort AckAttributes = 0x200;

    private const ushort TypeError = 2;
    private const ushort TypeDone = 3;

    private const int DumpTries = 5;

    // The kernel fills dumps in pieces of at most 32 KiB when the reader has room for them.
    private readonly byte[] _received = new byte[32 * 1024];
    private readonly byte[] _request = new byte[512];
    private readonly int _descriptor;
    private uint _sequence;
    private string? _detail;
    private bool _closed;

    /// <summary>Opens a client.</summary>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    /// <exception cref="NetlinkException">The kernel gives no socket.</exception>
    public Netlink()
    {
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("Virtual addresses are put on interfaces by netlink, which only Linux has.");
        _descriptor = Libc.NetlinkSocket(Libc.NetlinkFamily, Libc.NetlinkSockRaw | Libc.NetlinkSockCloseOnExec, 0);
        if (_descriptor < 0) throw new NetlinkException("opening a netlink socket", Libc.NetlinkErrno);
        int on = 1;

        // Comforts: older kernels do not know all of them, and all answers are understood without.
        _ = Libc.NetlinkSetOption(_descriptor, Libc.NetlinkLevel, Libc.NetlinkExtendedAck, &on, sizeof(int));
        _ = Libc.NetlinkSetOption(_descriptor, Libc.NetlinkLevel, Libc.NetlinkCapAck, &on, sizeof(int));
        _ = Libc.NetlinkSetOption(_descriptor, Libc.NetlinkLevel, Libc.NetlinkStrictCheck, &on, sizeof(int));
        long* timeout = stackalloc long[2] { (long)Patience.TotalSeconds, 0 };
        _ = Libc.NetlinkSetOption(_descriptor, Libc.NetlinkLevelSocket, Libc.NetlinkReceiveTimeout, timeout, 16);
    }

    private delegate void Visitor<TState>(ref TState state, ReadOnlySpan<byte> body);

    /// <summary>Closes the socket. What was done stays done.</summary>
    public void Dispose()
    {
        if (_closed) return;
        _closed = true;
        _ = Libc.NetlinkClose(_descriptor);
    }

    /// <summary>Sends a request that changes something.</summary>
    /// <returns>0, or the kernel's error number, positive; its words are then in <c>_detail</c>.</returns>
    private int Change(in NetlinkMessage message)
    {
        int nothing = 0;
        return Call(message, 0, static (ref int _, ReadOnlySpan<byte> _) => { }, ref nothing);
    }

    /// <summary>Asks for a list, again when it has changed meanwhile.</summary>
    private int Dump<TState>(in NetlinkMessage message, Visitor<TState> visit, ref TState state, Action<TState> restart)
    {
        for (int i = 0; ; i++)
        {
            int error = Call(message, FlagDump, visit, ref state);
            if (error != Libc.NetlinkInterrupted || i == DumpTries) return error;
            restart(state);
        }
    }

    private int Call<TState>(in NetlinkMessage message, ushort flags, Visitor<TState> visit, ref TState state)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        _detail = null;
        uint sequence = ++_sequence;
        ref ushort header = ref MemoryMarshal.AsRef<ushort>(_request.AsSpan(6));
        header |= (ushort)(FlagRequest | FlagAck | flags);
        MemoryMarshal.Write(_request, (uint)message.Length);
        MemoryMarshal.Write(_request.AsSpan(8), sequence);
        byte* kernel = stackalloc byte[12];
        new Span<byte>(kernel, 12).Clear();
        *(ushort*)kernel = Libc.NetlinkFamily;
        fixed (byte* request = _request)
        {
            while (Libc.NetlinkSend(_descriptor, request, message.Length, 0, kernel, 12) < 0)
            {
                if (Libc.NetlinkErrno != Libc.NetlinkInterrupted) return Libc.NetlinkErrno;
            }
        }

        bool changed = false;
        while (true)
        {
            int length;
            fixed (byte* received = _received)
            {
                length = (int)Libc.NetlinkReceive(_descriptor, received, _received.Length, 0, null, null);
            }

            if (length < 0)
            {
                int error = Libc.NetlinkErrno;
                if (error == Libc.NetlinkInterrupted) continue;
                return error == Libc.NetlinkAgain ? Libc.NetlinkTimedOut : error;
            }

            ReadOnlySpan<byte> rest = _received.AsSpan(0, length);
            while (rest.Length >= NetlinkMessage.HeaderSize)
            {
                int size = (int)NetlinkMessage.Number(rest);
                if (size < NetlinkMessage.HeaderSize || size > rest.Length) break;
                ushort type = MemoryMarshal.Read<ushort>(rest[4..]);
                ushort messageFlags = MemoryMarshal.Read<ushort>(rest[6..]);
                bool ours = NetlinkMessage.Number(rest[8..]) == sequence;
                ReadOnlySpan<byte> body = rest[NetlinkMessage.HeaderSize..size];
                rest = rest[Math.Min(rest.Length, (size + 3) & ~3)..];

                // An answer to a request that was given up earlier.
                if (!ours) continue;
                changed |= (messageFlags & FlagInterrupted) != 0;
                if (type is TypeError or TypeDone)
                {
                    int error = body.Length >= 4 ? -MemoryMarshal.Read<int>(body) : 0;
                    if ((messageFlags & AckAttributes) != 0) ReadDetail(body, type, messageFlags);
                    return error != 0 ? error : changed ? Libc.NetlinkInterrupted : 0;
                }

                visit(ref state, body);
            }
        }
    }

    private void ReadDetail(ReadOnlySpan<byte> body, ushort type, ushort flags)
    {
        int at = type == TypeDone ? 4 : 4 + NetlinkMessage.HeaderSize;
        if (type == TypeError && (flags & AckCapped) == 0 && body.Length >= 8) at = 4 + (int)((NetlinkMessage.Number(body[4..]) + 3) & ~3u);
        if (at > body.Length) return;
        ReadOnlySpan<byte> rest = body[at..];
        while (NetlinkMessage.TryRead(ref rest, out ushort attribute, out ReadOnlySpan<byte> value))
        {
            if (attribute == 1) _detail = NetlinkMessage.Text(value);
        }
    }

    private NetlinkException Failure(string what, int error) => new(what, error, _detail);
}
