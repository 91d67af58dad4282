using System.Net.Sockets;
using System.Runtime.InteropServices;
using Lb.Interop.Tests.Vrrp;
using Lb.Vrrp.Tests;

namespace Lb.HaBench;

/// <summary>Notes when the kernel has received each advert of a host, on a thread of its own.</summary>
internal sealed partial class AdvertWatch : IDisposable
{
    private const int StampOfLast = 0x8907; // SIOCGSTAMPNS

    private readonly Socket _socket;
    private readonly string _source;
    private readonly long[] _at = new long[100_000];
    private readonly Thread _thread;
    private int _count;

    /// <param name="space">Where they are received.</param>
    /// <param name="source">Address of the sender.</param>
    public AdvertWatch(TestNamespace space, string source)
    {
        _socket = space.Run(KernelSocket.OpenFrames);
        _source = source;
        _thread = new Thread(Run) { IsBackground = true, Priority = ThreadPriority.Highest };
        _thread.Start();
    }

    public int Count => _count;

    /// <summary>Times between one advert and the next from a number on, in milliseconds.</summary>
    public double[] Gaps(int from) => [.. Enumerable.Range(from + 1, Math.Max(0, _count - from - 1)).Select(i => (_at[i] - _at[i - 1]) / 1e6)];

    public void Dispose()
    {
        _socket.Dispose();
        _thread.Join(TimeSpan.FromSeconds(1));
    }

    private unsafe void Run()
    {
        byte[] buffer = new byte[2048];
        long* stamp = stackalloc long[2];
        byte[] source = System.Net.IPAddress.Parse(_source).GetAddressBytes();
        try
        {
            while (_count < _at.Length)
            {
                int length = _socket.Receive(buffer);
                bool isAdvert = length >= 38 && buffer[12] == 8 && buffer[13] == 0 && buffer[23] == 112 && buffer.AsSpan(26, 4).SequenceEqual(source);
                if (Control((int)_socket.Handle, StampOfLast, stamp) == 0 && isAdvert) _at[_count++] = stamp[0] * 1_000_000_000 + stamp[1];
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static unsafe partial int Control(int descriptor, nuint what, void* value);
}
