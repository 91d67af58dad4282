using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Lb.Vrrp;

/// <summary>
/// Knows the interfaces of this network namespace and their addresses, and hears of every change (rtnetlink). Owned by one thread. A change that changes
/// nothing, like the renewed lifetime of an address, allocates nothing.
/// </summary>
internal sealed unsafe class LinkMonitor : IDisposable
{
    /// <summary>IFA_PROTO of the addresses that Lb adds: 'L'.</summary>
    public const byte AddressProtocol = 0x4C;

    private const int BufferSize = 64 * 1024;
    private const int FamilyNetlink = 16;
    private const int Groups = 0x1 | 0x10 | 0x100; // RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
    private const int HeaderSize = 16;
    private const ushort MessageError = 2;
    private const ushort MessageDone = 3;
    private const ushort GetLink = 18;
    private const ushort GetAddress = 22;
    private const ushort RequestDump = 0x301;
    private const ushort DumpInterrupted = 0x10;

    private readonly byte* _buffer = (byte*)NativeMemory.Alloc(BufferSize);
    private readonly LinkTable _table = new();
    private uint _sequence;

    /// <summary>Opens it and learns what is there.</summary>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public LinkMonitor()
    {
        Descriptor = Libc.Socket(FamilyNetlink, Libc.TypeRaw | Libc.NonBlocking | Libc.CloseOnExec, 0);
        if (Descriptor < 0) throw new IOException(Libc.Failure("Watching network interfaces", Libc.LastError));
        _ = Libc.SetOption(Descriptor, Libc.LevelSocket, Libc.ReceiveBuffer, 1 << 20);
        uint* address = stackalloc uint[3] { FamilyNetlink, 0, Groups };
        if (Libc.Bind(Descriptor, address, 12) != 0)
        {
            int error = Libc.LastError;
            _ = Libc.Close(Descriptor);
            throw new IOException(Libc.Failure("Watching network interfaces", error));
        }

        try
        {
            LearnAll();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What to poll.</summary>
    public int Descriptor { get; }

    /// <summary>News were lost, and the kernel has not said yet how things are: <see cref="Read"/> again soon, though nothing may wait to be read.</summary>
    public bool IsStale { get; private set; }

    /// <summary>Takes in what has happened. What can't be learned now is asked for at the next call: see <see cref="IsStale"/>.</summary>
    /// <param name="changed">Indices of the interfaces that are not as before are added.</param>
    /// <param name="gone">Addresses that were taken off an interface are added, virtual ones too; null = nobody asks.</param>
    /// <returns>Whether there are any.</returns>
    public bool Read(ISet<int> changed, ICollection<PeerAddress>? gone = null)
    {
        int before = changed.Count;
        _table.Changed = changed;
        _table.Gone = gone;
        while (TryTakeNews())
        {
            // More may wait.
        }

        if (IsStale) TryLearnAll();
        _table.Changed = null;
        _table.Gone = null;
        return changed.Count > before;
    }

    /// <summary>What is known of an interface, as of the last <see cref="Read"/>.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="virtualAddresses">Addresses that are not its own, beside those that Lb has marked; null = none.</param>
    public LinkState Get(string name, IReadOnlyCollection<PeerAddress>? virtualAddresses = null) => _table.Get(name, virtualAddresses);

    public void Dispose()
    {
        _ = Libc.Close(Descriptor);
        NativeMemory.Free(_buffer);
    }

    private bool TryTakeNews()
    {
        nint length = Libc.Receive(Descriptor, _buffer, BufferSize, Libc.MessageDoNotWait);
        if (length >= 0)
        {
            Take(new ReadOnlySpan<byte>(_buffer, (int)length), expected: 0);
            return true;
        }

        // The kernel had to drop news: everything is asked for again.
        int error = Libc.LastError;
        IsStale |= error == Errno.NoBuffers;
        return error is Errno.NoBuffers or Errno.Interrupted;
    }

    private void TryLearnAll()
    {
        try
        {
            LearnAll();
        }
        catch (IOException)
        {
            // What was known stays known until the next time.
        }
    }

    private void LearnAll()
    {
        IsStale = true;
        _table.BeginDump();
        Dump(GetLink);
        Dump(GetAddress);
        _table.EndDump();
        IsStale = false;
    }

    /// <summary>Asks for all there is. A dump during which something changed says so and is asked for again.</summary>
    /// <exception cref="IOException">The kernel refuses, or has never given a whole answer.</exception>
    private void Dump(ushort what)
    {
        const int Attempts = 8;
        const int RequestSize = HeaderSize + 16;
        uint* kernel = stackalloc uint[3] { FamilyNetlink, 0, 0 };
        byte* request = stackalloc byte[RequestSize];
        new Span<byte>(request, RequestSize).Clear();
        *(uint*)request = RequestSize;
        *(ushort*)(request + 4) = what;
        *(ushort*)(request + 6) = RequestDump;
        for (int i = 0; i < Attempts; i++)
        {
            *(uint*)(request + 8) = ++_sequence;
            if (Libc.SendTo(Descriptor, request, RequestSize, 0, kernel, 12) < 0) throw new IOException(Libc.Failure("Asking for network interfaces", Libc.LastError));
            if (Answer(_sequence)) return;
        }

        throw new IOException("Asking for network interfaces: no answer was whole.");
    }

    /// <returns>False when the dump has to be repeated.</returns>
    private bool Answer(uint sequence)
    {
        bool whole = true;
        while (true)
        {
            // Answers to a dump are made by the very call that takes them, so there is nothing to wait for.
            nint length = Libc.Receive(Descriptor, _buffer, BufferSize, Libc.MessageDoNotWait);
            if (length < 0)
            {
                int error = Libc.LastError;
                if (error == Errno.Interrupted) continue;
                if (error == Errno.NoBuffers)
                {
                    whole = false;
                    continue;
                }

                // The end of the answer may be among what was dropped.
                if (error == Errno.Again && !whole) return false;

                throw new IOException(Libc.Failure("Asking for network interfaces", error));
            }

            (bool done, bool interrupted) = Take(new ReadOnlySpan<byte>(_buffer, (int)length), sequence);
            whole &= !interrupted;
            if (done) return whole;
        }
    }

    private (bool Done, bool Interrupted) Take(ReadOnlySpan<byte> messages, uint expected)
    {
        bool done = false;
        bool interrupted = false;
        while (messages.Length >= HeaderSize)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(messages);
            if (length < HeaderSize || length > messages.Length) break;
            ushort type = BinaryPrimitives.ReadUInt16LittleEndian(messages[4..]);
            bool isAnswer = expected != 0 && BinaryPrimitives.ReadUInt32LittleEndian(messages[8..]) == expected;
            if (isAnswer)
            {
                interrupted |= (BinaryPrimitives.ReadUInt16LittleEndian(messages[6..]) & DumpInterrupted) != 0;
                done |= type is MessageDone or MessageError;

                // An earlier dump that was never read to its end is still under way (EBUSY), for example: reading on ends it.
                interrupted |= type is MessageDone or MessageError && length >= HeaderSize + sizeof(int) && BinaryPrimitives.ReadInt32LittleEndian(messages[HeaderSize..]) != 0;
            }

            _table.Take(type, messages[HeaderSize..length]);
            messages = messages[Math.Min(messages.Length, (length + 3) & ~3)..];
        }

        return (done, interrupted);
    }
}
