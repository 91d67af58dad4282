using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Lb.HaBench;

/// <summary>
/// A client that asks an address each millisecond, on a thread of its own, and notes when who has answered. All memory is there before it begins, so that
/// no garbage is made while it runs.
/// </summary>
internal sealed partial class Prober : IDisposable
{
    public const int Port = 7778;
    private const int MostProbes = 60_000;

    private readonly Socket _socket;
    private readonly SocketAddress _to;
    private readonly long[] _sent = new long[MostProbes];
    private readonly long[] _answered = new long[MostProbes];
    private readonly byte[] _by = new byte[MostProbes];
    private readonly byte[] _question = new byte[8];
    private readonly byte[] _answer = new byte[16];
    private readonly Thread _thread;
    private volatile bool _end;
    private int _count;

    /// <param name="socket">Opened inside the client's namespace.</param>
    /// <param name="address">The virtual address.</param>
    public Prober(Socket socket, string address)
    {
        _socket = socket;
        _socket.Blocking = false;
        _to = new IPEndPoint(IPAddress.Parse(address).MapToIPv6(), Port).Serialize();
        _thread = new Thread(Run) { IsBackground = true, Priority = ThreadPriority.Highest, Name = "prober" };
        _thread.Start();
    }

    /// <summary>Ends it; what it has seen can be read from then on.</summary>
    public void End()
    {
        _end = true;
        _thread.Join();
    }

    /// <summary>
    /// The longest time without an answer from a moment on, in milliseconds: from the first question that was not answered to the next one that was. 0 = all
    /// were. A pause of the client itself, in which it asks nothing, is no outage.
    /// </summary>
    /// <param name="from">The moment.</param>
    public double Outage(long from)
    {
        long lost = 0, longest = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_answered[i] == 0)
            {
                if (lost == 0 && _sent[i] >= from) lost = _sent[i];
                continue;
            }

            if (lost != 0) longest = Math.Max(longest, _sent[i] - lost);
            lost = 0;
        }

        // Nobody has answered up to the end.
        if (lost != 0) longest = Math.Max(longest, _sent[_count - 1] - lost);
        return Milliseconds(longest);
    }

    /// <summary>How long after a moment a host has answered for the first time, in milliseconds; null = it has not.</summary>
    public double? FirstAnswer(int host, long from)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_sent[i] >= from && _answered[i] != 0 && _by[i] == host) return Milliseconds(_answered[i] - from);
        }

        return null;
    }

    public void Dispose()
    {
        End();
        _socket.Dispose();
    }

    /// <summary>Answers each question with a host's number, on a thread of its own, until the socket is closed.</summary>
    public static void Answer(Socket socket, int host) => new Thread(() =>
    {
        BeRealTime();
        byte[] buffer = new byte[16];
        SocketAddress from = new(AddressFamily.InterNetworkV6);
        while (true)
        {
            try
            {
                int length = socket.ReceiveFrom(buffer, SocketFlags.None, from);
                buffer[length] = (byte)host;
                socket.SendTo(buffer.AsSpan(0, length + 1), SocketFlags.None, from);
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.NetworkDown or SocketError.InvalidArgument or SocketError.AddressNotAvailable)
            {
                // Its link is down.
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }) { IsBackground = true, Priority = ThreadPriority.Highest, Name = $"echo {host}" }.Start();

    /// <summary>A socket for <see cref="Answer"/>, or for a prober.</summary>
    public static Socket Open(int port)
    {
        Socket socket = new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true };
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
        return socket;
    }

    public static double Milliseconds(long ticks) => TimeProvider.System.GetElapsedTime(0, ticks).TotalMilliseconds;

    // Otherwise the client's own waits for a processor are in the figures. Without the right to it they are.
    private static unsafe void BeRealTime()
    {
        int priority = 60;
        _ = SetScheduler(0, 1, &priority);
    }

    private void Run()
    {
        BeRealTime();
        long step = TimeProvider.System.TimestampFrequency / 1000, start = TimeProvider.System.GetTimestamp();
        int descriptor = (int)_socket.Handle;
        while (!_end && _count < MostProbes)
        {
            long next = start + (_count + 1) * step;
            MemoryMarshal.Write(_question, _count);
            _sent[_count] = TimeProvider.System.GetTimestamp();
            Send();
            _count++;
            while (true)
            {
                Receive();
                long left = next - TimeProvider.System.GetTimestamp();
                if (left <= 0) break;
                Wait(descriptor, left * (1_000_000_000 / TimeProvider.System.TimestampFrequency));
            }
        }

        // Answers that are still on the way.
        for (int i = 0; i < 20; i++)
        {
            Wait(descriptor, 1_000_000);
            Receive();
        }
    }

    private void Send()
    {
        try
        {
            _socket.SendTo(_question, SocketFlags.None, _to);
        }
        catch (SocketException)
        {
            // No answer will come.
        }
    }

    private void Receive()
    {
        while (_socket.Available > 0)
        {
            try
            {
                if (_socket.Receive(_answer) != _question.Length + 1) continue;
            }
            catch (SocketException)
            {
                return;
            }

            int number = MemoryMarshal.Read<int>(_answer);
            if (number < 0 || number >= _count || _answered[number] != 0) continue;
            _answered[number] = TimeProvider.System.GetTimestamp();
            _by[number] = _answer[_question.Length];
        }
    }

    private static unsafe void Wait(int descriptor, long nanoseconds)
    {
        long* time = stackalloc long[2] { nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000 };
        PollItem item = new() { Descriptor = descriptor, Events = 1 };
        _ = Poll(&item, 1, time, null);
    }

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static unsafe partial int SetScheduler(int thread, int policy, int* priority);

    [LibraryImport("libc", EntryPoint = "ppoll")]
    private static unsafe partial int Poll(PollItem* items, nuint count, long* time, void* mask);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollItem
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
