using System.Net.Sockets;
using System.Runtime.InteropServices;
using Lb.Interop.Tests.Peers;
using Lb.Vrrp.Tests;

namespace Lb.Interop.Tests.Vrrp;

/// <summary>Sockets of families that .NET does not make: news from the kernel, and frames.</summary>
internal static partial class KernelSocket
{
    private const int RawCloseOnExec = 3 | 0x80000;

    /// <summary>Hears of IPv4 and IPv6 addresses that come and go, in the namespace of this thread.</summary>
    public static unsafe Socket OpenAddressNews()
    {
        SafeSocketHandle handle = Open(16, 0);
        byte* self = stackalloc byte[12];
        new Span<byte>(self, 12).Clear();
        *(ushort*)self = 16;
        *(uint*)(self + 8) = 0x10 | 0x100; // RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
        Assert.Equal(0, Bind(handle, self, 12));
        return new Socket(handle);
    }

    /// <summary>Hears all frames of all interfaces in the namespace of this thread.</summary>
    public static Socket OpenFrames() => new(Open(17, 0x0300)); // ETH_P_ALL

    /// <summary>Hands everything that comes to somebody, until the socket is closed.</summary>
    public static async Task ReadAsync(Socket socket, Action<byte[]> take)
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                try
                {
                    take(buffer[..await socket.ReceiveAsync(buffer)]);
                }
                catch (SocketException error) when (error.SocketErrorCode is SocketError.NetworkDown or SocketError.NoBufferSpaceAvailable)
                {
                    // An interface went down: it may come back.
                }
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private static SafeSocketHandle Open(int family, int protocol)
    {
        int descriptor = OpenSocket(family, RawCloseOnExec, protocol);
        Assert.True(descriptor >= 0, Marshal.GetLastPInvokeErrorMessage());
        return new SafeSocketHandle(descriptor, ownsHandle: true);
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static unsafe partial int Bind(SafeSocketHandle socket, void* address, int length);
}

/// <summary>An address that came to a host or left it, with the time stamp of <see cref="TimeProvider.System"/> at which it was heard.</summary>
internal sealed record AddressChange(int Host, string Address, bool IsAdded, long At);

/// <summary>What addresses come and go on hosts, as their kernels say it.</summary>
internal sealed class AddressLog : IDisposable
{
    private readonly List<Socket> _sockets = [];
    private readonly Lock _lock = new();
    private readonly HashSet<(int Host, string Address)> _held = [];

    public AddressLog(IReadOnlyList<TestNamespace> hosts)
    {
        for (int i = 0; i < hosts.Count; i++)
        {
            int host = i + 1;
            Socket socket = hosts[i].Run(KernelSocket.OpenAddressNews);
            _sockets.Add(socket);
            _ = KernelSocket.ReadAsync(socket, message => Take(host, message));
        }
    }

    /// <summary>Changes in order; an address that is only renewed is none.</summary>
    public Heard<AddressChange> Changes { get; } = new();

    /// <summary>The hosts that have an address.</summary>
    public int[] Holders(string address)
    {
        lock (_lock) return [.. _held.Where(h => h.Address == address).Select(static h => h.Host).Order()];
    }

    /// <summary>Ends when exactly these hosts have an address.</summary>
    public async Task WhenHeldByAsync(string address, params int[] hosts)
    {
        int from = Changes.Count;
        while (!Holders(address).SequenceEqual(hosts))
        {
            await Changes.WhenAsync(c => c.Address == address, from, $"{address} on {string.Join(',', hosts)}");
            from = Changes.Count;
            if (Holders(address).SequenceEqual(hosts)) return;
        }
    }

    public void Dispose()
    {
        foreach (Socket socket in _sockets) socket.Dispose();
    }

    public override string ToString() => string.Join('\n', Changes.All.Select(static c => c.ToString()));

    private void Take(int host, byte[] message)
    {
        for (int at = 0; at + 24 <= message.Length;)
        {
            int length = BitConverter.ToInt32(message, at), type = BitConverter.ToUInt16(message, at + 4);
            if (type is 20 or 21) TakeAddress(host, type == 20, message.AsSpan(at + 24, length - 24));
            at += (length + 3) & ~3;
        }
    }

    private void TakeAddress(int host, bool isAdded, ReadOnlySpan<byte> attributes)
    {
        // IFA_ADDRESS comes first; of a local address of a point-to-point link it would be the other end, which are not here.
        while (attributes.Length >= 4)
        {
            int length = MemoryMarshal.Read<ushort>(attributes), type = MemoryMarshal.Read<ushort>(attributes[2..]);
            if (type == 1)
            {
                string address = new System.Net.IPAddress(attributes[4..length]).ToString();
                lock (_lock)
                {
                    if (isAdded ? _held.Add((host, address)) : _held.Remove((host, address))) Changes.Add(new AddressChange(host, address, isAdded, TimeProvider.System.GetTimestamp()));
                }

                return;
            }

            attributes = attributes[Math.Min(attributes.Length, (length + 3) & ~3)..];
        }
    }
}
