using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>
/// The two rings of io_uring(7) by its raw system calls: operations are written here, <see cref="Enter"/> hands them over and waits, and results are read
/// from <see cref="Head"/> to <see cref="Tail"/>. Made on any thread; from <see cref="Enable"/> on, it belongs to the thread that called that.
/// </summary>
internal sealed unsafe class UringRing : IDisposable
{
    private const uint SetupSize = 1u << 3; // IORING_SETUP_CQSIZE
    private const uint SetupDisabled = 1u << 6; // R_DISABLED: nobody is the issuer yet
    private const uint SetupSubmitAll = 1u << 7;
    private const uint SetupSingleIssuer = 1u << 12;
    private const uint SetupDeferTaskRun = 1u << 13; // results are made when we ask for them and never interrupt
    private const uint FeatureSingleMap = 1u << 0;
    private const uint FeatureNoDrop = 1u << 1;
    private const uint FeatureExtendedArgument = 1u << 8;
    private const uint FeatureSkip = 1u << 11;
    private const uint NeededFeatures = FeatureSingleMap | FeatureNoDrop | FeatureExtendedArgument | FeatureSkip;
    private const uint EnterGetEvents = 1;
    private const uint EnterExtendedArgument = 8;
    private const uint RegisterEnable = 12;
    private const int MapReadWrite = 3;
    private const int MapSharedPopulate = 0x8001;
    private const nint OffsetOfOperations = 0x1000_0000;
    private const int ParametersSize = 120;
    private const int OperationSize = 64;

    private readonly int _descriptor;
    private readonly byte* _rings;
    private readonly nint _ringsSize;
    private readonly byte* _operations;
    private readonly uint _entries;
    private readonly uint* _submitHead;
    private readonly uint* _submitTail;
    private readonly uint* _completeHead;
    private readonly uint* _completeTail;
    private readonly uint _completeMask;
    private readonly UringCompletion* _completions;
    private uint _tail;

    /// <summary>Makes the rings.</summary>
    /// <param name="entries">Operations that are handed over at once; a power of 2. More are handed over earlier.</param>
    /// <param name="completions">Room for results; a power of 2. The kernel keeps what does not fit.</param>
    /// <exception cref="UringException">The kernel has no such rings, or does not give them.</exception>
    public UringRing(uint entries, uint completions)
    {
        byte* p = stackalloc byte[ParametersSize];
        new Span<byte>(p, ParametersSize).Clear();
        *(uint*)(p + 4) = completions;
        *(uint*)(p + 8) = SetupSize | SetupDisabled | SetupSubmitAll | SetupSingleIssuer | SetupDeferTaskRun;
        _descriptor = Libc.UringSetup(entries, p);
        if (_descriptor < 0) throw new UringException("io_uring_setup", Libc.Errno);
        if ((*(uint*)(p + 20) & NeededFeatures) != NeededFeatures)
        {
            _ = Libc.Close(_descriptor);
            throw new UringException("io_uring_setup", Errno.Invalid);
        }

        _entries = *(uint*)p;
        _ringsSize = Math.Max((nint)(*(uint*)(p + 100) + *(uint*)(p + 4) * (uint)sizeof(UringCompletion)), (nint)(*(uint*)(p + 64) + _entries * sizeof(uint)));
        _rings = (byte*)Libc.Map(null, _ringsSize, MapReadWrite, MapSharedPopulate, _descriptor, 0);
        _operations = _rings == Libc.MapFailed
            ? (byte*)Libc.MapFailed
            : (byte*)Libc.Map(null, (nint)_entries * OperationSize, MapReadWrite, MapSharedPopulate, _descriptor, OffsetOfOperations);
        if (_operations == Libc.MapFailed)
        {
            int error = Libc.Errno;
            Dispose();
            throw new UringException("mmap", error);
        }

        _submitHead = (uint*)(_rings + *(uint*)(p + 40));
        _submitTail = (uint*)(_rings + *(uint*)(p + 44));
        _completeHead = (uint*)(_rings + *(uint*)(p + 80));
        _completeTail = (uint*)(_rings + *(uint*)(p + 84));
        _completeMask = *(uint*)(_rings + *(uint*)(p + 88));
        _completions = (UringCompletion*)(_rings + *(uint*)(p + 100));

        // The n-th place always means the n-th operation.
        uint* places = (uint*)(_rings + *(uint*)(p + 64));
        for (uint i = 0; i < _entries; i++) places[i] = i;
    }

    /// <summary>True once a thread owns it.</summary>
    public bool IsEnabled { get; private set; }

    /// <summary>The next result to read; set it when results have been read.</summary>
    public uint Head
    {
        get => *_completeHead;
        set => Volatile.Write(ref *_completeHead, value);
    }

    /// <summary>The end of the results.</summary>
    public uint Tail => Volatile.Read(ref *_completeTail);

    /// <summary>The calling thread becomes the only one that may use it.</summary>
    public void Enable()
    {
        Register(RegisterEnable, null, 0);
        IsEnabled = true;
    }

    /// <summary>A result between <see cref="Head"/> and <see cref="Tail"/>.</summary>
    public UringCompletion* this[uint at] => _completions + (at & _completeMask);

    /// <summary>The place of the next operation, all zero but for what every operation has. It is handed over by the next <see cref="Enter"/>.</summary>
    public UringOperation* Next(byte code, int descriptor, ulong userData)
    {
        if (_tail - Volatile.Read(ref *_submitHead) >= _entries) Flush();
        UringOperation* operation = (UringOperation*)(_operations + (_tail++ & (_entries - 1)) * OperationSize);
        *operation = default;
        operation->Code = code;
        operation->Descriptor = descriptor;
        operation->UserData = userData;
        return operation;
    }

    /// <summary>The number of the operation that was written last.</summary>
    public uint Last => _tail - 1;

    /// <summary>An operation that is not handed over yet, by its number; else null.</summary>
    public UringOperation* Waiting(uint number) =>
        (int)(number - Volatile.Read(ref *_submitHead)) >= 0 && (int)(number - _tail) < 0
            ? (UringOperation*)(_operations + (number & (_entries - 1)) * OperationSize)
            : null;

    /// <summary>Hands the operations over, lets the kernel work off what has happened, and waits.</summary>
    /// <param name="least">Results to wait for; 0 does not wait.</param>
    /// <param name="milliseconds">At most so long; -1 without end.</param>
    public void Enter(uint least, int milliseconds)
    {
        Volatile.Write(ref *_submitTail, _tail);
        uint submit = _tail - Volatile.Read(ref *_submitHead);
        if (least == 0 || milliseconds < 0)
        {
            Check(Libc.UringEnter(_descriptor, submit, least, EnterGetEvents, null, 0));
            return;
        }

        Argument argument = default;
        long* time = stackalloc long[2];
        time[0] = milliseconds / 1000;
        time[1] = milliseconds % 1000 * 1_000_000L;
        argument.Time = (ulong)time;
        Check(Libc.UringEnter(_descriptor, submit, least, EnterGetEvents | EnterExtendedArgument, &argument, sizeof(Argument)));
    }

    /// <summary>io_uring_register(2).</summary>
    /// <exception cref="UringException">It failed.</exception>
    public int Register(uint operation, void* argument, uint count)
    {
        int result = Libc.UringRegister(_descriptor, operation, argument, count);
        return result >= 0 ? result : throw new UringException("io_uring_register", Libc.Errno);
    }

    public void Dispose()
    {
        if (_operations != null && _operations != Libc.MapFailed) _ = Libc.Unmap(_operations, (nint)_entries * OperationSize);
        if (_rings != Libc.MapFailed) _ = Libc.Unmap(_rings, _ringsSize);
        _ = Libc.Close(_descriptor);
    }

    /// <summary>All places are taken: hands the operations over before their time.</summary>
    private void Flush()
    {
        // Memory may be short for a moment: the kernel then takes fewer.
        while (_tail - Volatile.Read(ref *_submitHead) >= _entries) Enter(0, 0);
    }

    private static void Check(int result)
    {
        // Interrupted, time over, too many results waiting, or no memory just now: the next turn goes on.
        if (result < 0 && Libc.Errno is not (Errno.Interrupted or Errno.TimerExpired or Errno.Busy or Errno.Again))
            throw new UringException("io_uring_enter", Libc.Errno);
    }

    /// <summary><c>struct io_uring_getevents_arg</c>.</summary>
    private struct Argument
    {
        public ulong Signals;
        public uint SignalsSize;
        public uint LeastWait;
        public ulong Time;
    }
}

/// <summary>A result: <c>struct io_uring_cqe</c>.</summary>
internal struct UringCompletion
{
    /// <summary>What the operation was given.</summary>
    public ulong UserData;

    /// <summary>Zero or more, or a negative error number.</summary>
    public int Result;

    /// <summary>See <see cref="UringOperation"/>; for a provided buffer its number in the high half.</summary>
    public uint Flags;
}

/// <summary>An operation: <c>struct io_uring_sqe</c>, with the numbers that this driver uses.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal unsafe struct UringOperation
{
    public const byte Nop = 0;
    public const byte PollAdd = 6;
    public const byte Cancel = 14;
    public const byte Close = 19;
    public const byte Send = 26;
    public const byte Receive = 27;

    /// <summary>The buffer is taken from those provided.</summary>
    public const byte SelectBuffer = 1 << 5;

    /// <summary>No result when it succeeds.</summary>
    public const byte SkipSuccess = 1 << 6;

    /// <summary>Receive: again and again.</summary>
    public const ushort ReceiveMultishot = 2;

    /// <summary>Poll: every edge.</summary>
    public const uint PollMultishot = 1;

    /// <summary>Cancel: whatever there is.</summary>
    public const uint CancelAll = 1 | 4;

    /// <summary>Of a result: a provided buffer was used.</summary>
    public const uint HasBuffer = 1;

    /// <summary>Of a result: the operation goes on.</summary>
    public const uint HasMore = 2;

    [FieldOffset(0)]
    public byte Code;
    [FieldOffset(1)]
    public byte Flags;
    [FieldOffset(2)]
    public ushort Priority;
    [FieldOffset(4)]
    public int Descriptor;
    [FieldOffset(8)]
    public ulong Offset;
    [FieldOffset(16)]
    public ulong Address;
    [FieldOffset(24)]
    public uint Length;
    [FieldOffset(28)]
    public uint Options;
    [FieldOffset(32)]
    public ulong UserData;
    [FieldOffset(40)]
    public ushort BufferGroup;
}

/// <summary>A call of io_uring failed.</summary>
internal sealed class UringException(string call, int error) : Exception($"{call} failed with errno {error}")
{
    /// <summary>The error number.</summary>
    public int Error { get; } = error;
}
