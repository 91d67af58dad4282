namespace Lb.Vrrp;

/// <summary>A ring of io_uring: requests go in, results come out. Owned by one thread; its requests end when that thread does.</summary>
internal sealed unsafe class IoRing : IDisposable
{
    public const int Entries = 256;

    public const byte OperationNothing = 0;
    public const byte OperationSendMessage = 9;
    public const byte OperationTimeout = 11;
    public const byte OperationCancel = 14;

    public const byte FlagLink = 1 << 2;

    public const uint TimeoutAbsolute = 1;
    public const uint TimeoutIsSuccess = 1 << 5;
    public const uint CancelAll = 1 | 1 << 2; // IORING_ASYNC_CANCEL_ALL | _ANY

    private const int RequestSize = 64;
    private const int ResultSize = 16;
    private const int ParameterSize = 120;
    private const uint SetupResultCount = 1 << 3;
    private const uint EnterGetResults = 1;
    private const int ResultEntries = 4 * Entries;

    private readonly int _descriptor;
    private readonly nint _submission;
    private readonly nint _completion;
    private readonly nint _requests;
    private readonly nuint _submissionSize;
    private readonly nuint _completionSize;
    private readonly nuint _requestsSize;
    private readonly uint* _tail;
    private readonly uint* _places;
    private readonly uint _mask;
    private readonly uint* _resultHead;
    private readonly uint* _resultTail;
    private readonly uint _resultMask;
    private readonly byte* _results;

    /// <summary>Opens one.</summary>
    /// <exception cref="IOException">The kernel has no io_uring, or it is switched off here (seccomp of containers, kernel.io_uring_disabled).</exception>
    public IoRing()
    {
        byte* parameters = stackalloc byte[ParameterSize];
        new Span<byte>(parameters, ParameterSize).Clear();
        *(uint*)(parameters + 4) = ResultEntries;
        *(uint*)(parameters + 8) = SetupResultCount;
        _descriptor = (int)Libc.SystemCall((nint)Libc.SetupRingCall, Entries, (nint)parameters, 0, 0, 0, 0);
        if (_descriptor < 0) throw new IOException(Libc.Failure("io_uring_setup", Libc.LastError));

        // struct io_sqring_offsets at 40, io_cqring_offsets at 80.
        _submissionSize = *(uint*)(parameters + 64) + *(uint*)parameters * sizeof(uint);
        _completionSize = *(uint*)(parameters + 100) + *(uint*)(parameters + 4) * ResultSize;
        _requestsSize = *(uint*)parameters * RequestSize;
        _submission = Map(_submissionSize, 0);
        _completion = Map(_completionSize, 0x8000000);
        _requests = Map(_requestsSize, 0x10000000);
        if (_submission == Libc.MapFailed || _completion == Libc.MapFailed || _requests == Libc.MapFailed)
        {
            int error = Libc.LastError;
            Dispose();
            throw new IOException(Libc.Failure("Mapping of io_uring", error));
        }

        _tail = (uint*)(_submission + *(int*)(parameters + 44));
        _mask = *(uint*)(_submission + *(int*)(parameters + 48));
        _places = (uint*)(_submission + *(int*)(parameters + 64));
        _resultHead = (uint*)(_completion + *(int*)(parameters + 80));
        _resultTail = (uint*)(_completion + *(int*)(parameters + 84));
        _resultMask = *(uint*)(_completion + *(int*)(parameters + 88));
        _results = (byte*)(_completion + *(int*)(parameters + 100));
    }

    /// <summary>Readable when results wait.</summary>
    public int Descriptor => _descriptor;

    /// <summary>Requests that are written but not yet handed in, at most <see cref="Entries"/>.</summary>
    public int Unsubmitted { get; private set; }

    /// <summary>Writes a request.</summary>
    /// <param name="operation">What.</param>
    /// <param name="flags">Flags of the request.</param>
    /// <param name="descriptor">On what, or -1.</param>
    /// <param name="address">Where its argument is, in native memory.</param>
    /// <param name="count">How many arguments.</param>
    /// <param name="options">Flags of the operation.</param>
    /// <param name="tag">Comes back with the result.</param>
    public void Add(byte operation, byte flags, int descriptor, void* address, uint count, uint options, ulong tag)
    {
        uint tail = *_tail;
        uint place = tail & _mask;
        byte* request = (byte*)_requests + place * RequestSize;
        new Span<byte>(request, RequestSize).Clear();
        request[0] = operation;
        request[1] = flags;
        *(int*)(request + 4) = descriptor;
        *(ulong*)(request + 16) = (ulong)address;
        *(uint*)(request + 24) = count;
        *(uint*)(request + 28) = options;
        *(ulong*)(request + 32) = tag;
        _places[place] = place;
        Volatile.Write(ref *_tail, tail + 1);
        Unsubmitted++;
    }

    /// <summary>Hands in what was written.</summary>
    /// <param name="wait">Also waits for this many results.</param>
    /// <returns>0, or the error number.</returns>
    public int Enter(uint wait = 0)
    {
        while (true)
        {
            nint taken = Libc.SystemCall((nint)Libc.EnterRingCall, _descriptor, Unsubmitted, (nint)wait, wait > 0 ? (nint)EnterGetResults : 0, 0, 0);
            if (taken < 0)
            {
                int error = Libc.LastError;
                if (error == Errno.Interrupted) continue;
                return error;
            }

            Unsubmitted -= (int)taken;
            if (Unsubmitted == 0) return 0;
        }
    }

    /// <summary>Takes the next result.</summary>
    /// <param name="tag">Of which request.</param>
    /// <param name="result">Not negative, or the negative error number.</param>
    /// <returns>False when there is none.</returns>
    public bool TryTake(out ulong tag, out int result)
    {
        uint head = *_resultHead;
        tag = 0;
        result = 0;
        if (head == Volatile.Read(ref *_resultTail)) return false;
        byte* entry = _results + (head & _resultMask) * ResultSize;
        tag = *(ulong*)entry;
        result = *(int*)(entry + 8);
        Volatile.Write(ref *_resultHead, head + 1);
        return true;
    }

    public void Dispose()
    {
        if (_submission is not 0 and not Libc.MapFailed) _ = Libc.Unmap(_submission, _submissionSize);
        if (_completion is not 0 and not Libc.MapFailed) _ = Libc.Unmap(_completion, _completionSize);
        if (_requests is not 0 and not Libc.MapFailed) _ = Libc.Unmap(_requests, _requestsSize);
        _ = Libc.Close(_descriptor);
    }

    private nint Map(nuint size, long offset) => Libc.Map(null, size, Libc.ProtectReadWrite, Libc.MapSharedPopulated, _descriptor, offset);
}
