namespace Lb.Transport;

/// <summary>What a driver knows about a connection. Shared by the drivers, so that their rules read alike.</summary>
[Flags]
internal enum ConnectionFlags
{
    None = 0,

    /// <summary>Not released yet. Everything else counts only with this.</summary>
    Live = 1,

    /// <summary>The connect is not answered yet.</summary>
    Connecting = 1 << 1,

    /// <summary>A read may bring something.</summary>
    Readable = 1 << 2,

    /// <summary>A write may be taken.</summary>
    Writable = 1 << 3,

    /// <summary>No further edge is certain: read until the kernel has nothing more, a short read proves nothing.</summary>
    ReadToEnd = 1 << 4,

    /// <summary>The handler wants no data now.</summary>
    Paused = 1 << 5,

    /// <summary>The peer's FIN has been handed over.</summary>
    EndOfStream = 1 << 6,

    /// <summary>Waits in the loop's queue for its turn.</summary>
    Queued = 1 << 7,

    /// <summary>The handler has asked for FIN.</summary>
    ShutdownAsked = 1 << 8,

    /// <summary>The kernel reports an error that has not been read yet.</summary>
    ErrorSeen = 1 << 9,

    /// <summary>Broken, the reason is known; the handler is told after the data that arrived before.</summary>
    Failed = 1 << 10,

    /// <summary>A Unix socket.</summary>
    Unix = 1 << 11,

    /// <summary>After a reset nothing that waits is wanted any more.</summary>
    DropOnReset = 1 << 13,

    /// <summary>The last read was a big one.</summary>
    BigRead = 1 << 14,

    /// <summary>So were the last two: worth splicing. The bit after <see cref="BigRead"/>.</summary>
    Bulk = 1 << 15,

    /// <summary>What arrives goes to another connection by splice(2).</summary>
    Splicing = 1 << 16,

    /// <summary>Another connection's bytes come here by splice(2), or wait in a pipe for this one.</summary>
    SplicedInto = 1 << 17,

    /// <summary>An operation of the managed driver that waits for readability is under way.</summary>
    Watching = 1 << 12,
}
