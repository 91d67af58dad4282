using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Lb.Transport;

/// <summary>The memory that all TLS connections of one loop share while one of them works: nothing in it outlives a call.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Memory over what others own: there is nothing to dispose of.")]
internal sealed unsafe class TlsScratch
{
    /// <summary>Decrypted bytes are handed on in pieces of at most so many: four records.</summary>
    public const int PlainSize = 64 * 1024;

    /// <summary>Encrypted records of one large send are gathered up to so many bytes for one call of the system.</summary>
    public const int WireSize = 128 * 1024;

    [ThreadStatic]
    private static TlsScratch? _current;

    private readonly LentMemory _lent = new();

    /// <summary>That of the calling thread: a loop is one.</summary>
    public static TlsScratch Current => _current ??= new TlsScratch();

    /// <summary>Where records are decrypted to.</summary>
    public byte[] Plain { get; } = GC.AllocateUninitializedArray<byte>(PlainSize, pinned: true);

    /// <summary>Where records are gathered. Pinned and never freed, as the loop's own buffers are not while it lives.</summary>
    public byte[] Wire { get; } = GC.AllocateUninitializedArray<byte>(WireSize, pinned: true);

    /// <summary>Memory over bytes that are lent for the length of a call; nothing is copied and nothing allocated.</summary>
    public ReadOnlyMemory<byte> Lend(byte* start, int length) => _lent.Over(start, length);

    private sealed class LentMemory : MemoryManager<byte>
    {
        private byte* _start;
        private int _length;

        public Memory<byte> Over(byte* start, int length)
        {
            _start = start;
            _length = length;
            return CreateMemory(length);
        }

        public override Span<byte> GetSpan() => new(_start, _length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
