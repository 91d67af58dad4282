using System.Runtime.InteropServices;

namespace Lb.Peers;

/// <summary>recvmmsg and sendmmsg of one socket and datagrams of one size, so that the load costs little beside the proxy. x64 and arm64.</summary>
internal sealed unsafe partial class Datagrams
{
    public const int Batch = 64;

    private const int DontWait = 0x40;
    private const int WaitForOne = 0x10000;
    private const int Slot = 2048;
    private const int HeaderSize = 64;

    private readonly int _socket;
    private readonly byte* _data = (byte*)NativeMemory.AllocZeroed(Batch * Slot);
    private readonly byte* _names = (byte*)NativeMemory.AllocZeroed(Batch * 16);
    private readonly nint* _vectors = (nint*)NativeMemory.AllocZeroed((nuint)(Batch * 2 * sizeof(nint)));
    private readonly byte* _headers = (byte*)NativeMemory.AllocZeroed(Batch * HeaderSize);

    /// <summary>For a socket.</summary>
    /// <param name="socket">Its descriptor.</param>
    /// <param name="hasPeers">It hears many peers and answers each; else it is connected.</param>
    public Datagrams(nint socket, bool hasPeers)
    {
        _socket = (int)socket;
        for (int i = 0; i < Batch; i++)
        {
            // struct msghdr: name, length of it, vectors, their number, …
            byte* header = _headers + i * HeaderSize;
            *(byte**)header = hasPeers ? _names + i * 16 : null;
            *(uint*)(header + 8) = hasPeers ? 16u : 0;
            *(nint**)(header + 16) = _vectors + 2 * i;
            *(nuint*)(header + 24) = 1;
            _vectors[2 * i] = (nint)(_data + i * Slot);
        }
    }

    /// <summary>The bytes of the i-th datagram.</summary>
    public Span<byte> this[int index] => new(_data + index * Slot, (int)_vectors[2 * index + 1]);

    /// <summary>Receives; 0 = nothing.</summary>
    public int Receive(bool wait)
    {
        for (int i = 0; i < Batch; i++) _vectors[2 * i + 1] = Slot;
        int count = ReceiveMany(_socket, _headers, Batch, wait ? WaitForOne : DontWait, null);
        for (int i = 0; i < count; i++) _vectors[2 * i + 1] = (nint)(*(uint*)(_headers + i * HeaderSize + 56));
        return Math.Max(0, count);
    }

    /// <summary>Sends the first ones, each back to where it came from.</summary>
    /// <returns>How many were taken.</returns>
    public int Send(int count) => Math.Max(0, SendMany(_socket, _headers, (uint)count, DontWait));

    /// <summary>Sends the first ones filled with a byte.</summary>
    public int Send(int count, int size, byte content)
    {
        for (int i = 0; i < count; i++)
        {
            _vectors[2 * i + 1] = size;
            this[i].Fill(content);
        }

        return Send(count);
    }

    [LibraryImport("libc", EntryPoint = "recvmmsg")]
    private static partial int ReceiveMany(int socket, void* headers, uint count, int flags, void* timeout);

    [LibraryImport("libc", EntryPoint = "sendmmsg")]
    private static partial int SendMany(int socket, void* headers, uint count, int flags);
}
