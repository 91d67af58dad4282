using Lb.Transport;

namespace Lb.Contracts.Drivers;

/// <summary>
/// What every driver of the reactor promises. A new driver inherits this class in Lb.Transport.Tests; the peers are ordinary sockets.
/// Streams, endings, listening and the loop itself are in files of their own.
/// </summary>
[Trait("Row", "T1")]
[Trait("Row", "T3")]
public abstract partial class ReactorDriverContract
{
    private const int Limit = 60_000;

    /// <summary>Makes a loop that is not started.</summary>
    private protected abstract EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError);

    /// <summary>Managed bytes the driver may allocate on the loop's thread for each relayed message, once warm.</summary>
    private protected abstract int AllocationPerMessage { get; }

    /// <summary>Transfers by splice(2) under way on this loop; null for a driver that copies all.</summary>
    private protected virtual int? Splices(EventLoop loop) => null;

    /// <summary>Makes the send buffer of this connection small (<see cref="Faults.Squeeze"/>); null: this run is an ordinary one. Loop's thread.</summary>
    private protected virtual Action<Connection>? Squeeze => null;

    private protected LoopHost Host(TimeProvider? time = null) => new(CreateLoop, time, Squeeze);

    private static void AssertSame(byte[] expected, byte[] actual)
    {
        int same = expected.AsSpan().CommonPrefixLength(actual);
        Assert.True(same == expected.Length && same == actual.Length, $"{actual.Length} of {expected.Length} bytes, the first {same} as sent.");
    }

    /// <summary>Bytes in which every position tells its place, so that loss, doubling and disorder all show.</summary>
    private static byte[] Pattern(int length, int seed = 0)
    {
        byte[] data = new byte[length];
        for (int i = 0; i < length; i++) data[i] = (byte)((i + seed) * 2654435761 >> 13);
        return data;
    }
}
