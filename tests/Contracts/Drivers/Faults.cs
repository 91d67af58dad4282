using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Lb.Transport;

namespace Lb.Contracts.Drivers;

/// <summary>
/// A hostile kernel and hostile peers, for a second run of the same contract. All of it is real, nothing is simulated: the loop's send buffers hold
/// little, so that every send of some size is a short one and the next one EAGAIN; peers send single bytes and crumbs first; and a signal
/// without SA_RESTART hits the loop's thread a thousand times a second, so that whatever sleeps is interrupted (EINTR).
/// </summary>
internal sealed class Faults : IDisposable
{
    // One segment of loopback. With less every buffer waits for a delayed acknowledgement: 1.5 MB/s, and the suite takes half an hour.
    private const int Smallest = 64 * 1024;
    private const int Signal = 12; // SIGUSR2
    private static readonly AsyncLocal<bool> s_dribbling = new();

    private readonly ManualResetEventSlim _enough = new();
    private readonly Thread? _storm;
    private int _signals;

    /// <summary>Begins; sockets that this flow of the test sends by do so in crumbs.</summary>
    /// <param name="thread">The kernel's number of the loop's thread.</param>
    public Faults(int thread)
    {
        s_dribbling.Value = true;
        if (!OperatingSystem.IsLinux()) return;
        Assert.NotEqual(-1, Handle(Signal, NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "labs")));
        Assert.Equal(0, Interrupt(Signal, 1));
        int process = Environment.ProcessId;
        _storm = new Thread(() =>
        {
            while (!_enough.Wait(1))
            {
                if (Kill(process, thread, Signal) == 0) _signals++;
            }
        })
        { IsBackground = true };
        _storm.Start();
    }

    /// <summary>True where <see cref="SocketExtensions.SendAllAsync"/> sends in crumbs first.</summary>
    public static bool IsDribbling => s_dribbling.Value;

    /// <summary>Signals that hit the loop's thread.</summary>
    public int Signals => Volatile.Read(ref _signals);

    /// <summary>The number of the calling thread.</summary>
    public static int CurrentThread() => OperatingSystem.IsLinux() ? ThreadId() : 0;

    /// <summary>Makes the send buffer of a connection small.</summary>
    public static void Squeeze(Connection connection)
    {
        const int Level = 1; // SOL_SOCKET
        const int Option = 7; // SO_SNDBUF
        int descriptor = connection is NativeConnection native ? DescriptorOf(native) : (int)(SocketOf((ManagedConnection)connection)?.Handle ?? -1);
        if (OperatingSystem.IsLinux() && descriptor >= 0) _ = SetOption(descriptor, Level, Option, Smallest, sizeof(int));
    }

    public void Dispose()
    {
        // Before the loop's thread ends: its number may then be another's.
        _enough.Set();
        _storm?.Join();
        s_dribbling.Value = false;
    }

    // A handler must be native: labs does nothing that a signal may not do.
    [DllImport("libc", EntryPoint = "signal")]
    private static extern nint Handle(int signal, nint handler);

    [DllImport("libc", EntryPoint = "siginterrupt")]
    private static extern int Interrupt(int signal, int interrupts);

    [DllImport("libc", EntryPoint = "tgkill")]
    private static extern int Kill(int process, int thread, int signal);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_descriptor")]
    private static extern ref int DescriptorOf(NativeConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_socket")]
    private static extern ref Socket? SocketOf(ManagedConnection connection);

    [DllImport("libc", EntryPoint = "setsockopt")]
    private static extern int SetOption(int descriptor, int level, int option, in int value, uint length);

    [DllImport("libc", EntryPoint = "gettid")]
    private static extern int ThreadId();
}
