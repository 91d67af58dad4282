using System.Runtime.InteropServices;

namespace Lb.Vrrp.Tests;

/// <summary>Hears from the kernel when an address goes: the tests wait for that instead of sleeping.</summary>
internal sealed unsafe class AddressWatcher : IDisposable
{
    private const uint GroupsOfAddresses = 0x10 | 0x100;
    private const ushort Removed = 21;

    private readonly int _descriptor;
    private readonly byte[] _buffer = new byte[8192];

    /// <summary>Made inside the namespace that it is to watch.</summary>
    public AddressWatcher()
    {
        _descriptor = Libc.NetlinkSocket(Libc.NetlinkFamily, Libc.NetlinkSockRaw | Libc.NetlinkSockCloseOnExec, 0);
        byte* self = stackalloc byte[12];
        new Span<byte>(self, 12).Clear();
        *(ushort*)self = Libc.NetlinkFamily;
        *(uint*)(self + 8) = GroupsOfAddresses;
        Assert.Equal(0, Libc.NetlinkBind(_descriptor, self, 12));
        long* patience = stackalloc long[2] { 20, 0 };
        Assert.Equal(0, Libc.NetlinkSetOption(_descriptor, Libc.NetlinkLevelSocket, Libc.NetlinkReceiveTimeout, patience, 16));
    }

    /// <summary>Waits, at most 20 s, until an address has been removed.</summary>
    public PeerAddress WaitForRemoval()
    {
        while (true)
        {
            int length;
            fixed (byte* buffer = _buffer) length = (int)Libc.NetlinkReceive(_descriptor, buffer, _buffer.Length, 0, null, null);
            Assert.True(length > 0, "No address was removed.");
            if (MemoryMarshal.Read<ushort>(_buffer.AsSpan(4)) != Removed) continue;
            ReadOnlySpan<byte> rest = _buffer.AsSpan(24, length - 24);
            while (NetlinkMessage.TryRead(ref rest, out ushort type, out ReadOnlySpan<byte> value))
            {
                if (type == 1) return PeerAddress.FromBytes(value, 0);
            }
        }
    }

    public void Dispose() => _ = Libc.NetlinkClose(_descriptor);
}
