namespace Lb.Transport;

/// <summary>
/// Looks at a client's first bytes before a server is picked: a PROXY header, a ClientHello. One object for a gateway's settings, shared by all clients:
/// what it finds goes into the <see cref="TcpPrelude"/>. Called on the loop's thread; must not keep the bytes.
/// </summary>
internal interface IPreludeStep
{
    /// <summary>How long a client may take for it.</summary>
    TimeSpan Timeout { get; }

    /// <summary>How a client ends that took longer; null = it goes on as if the step had found nothing.</summary>
    RelayEnd? TimedOut { get; }

    /// <summary>Begins with a client.</summary>
    /// <param name="prelude">The client.</param>
    /// <param name="end">How it ends, for <see cref="PreludeResult.Refused"/>.</param>
    /// <returns><see cref="PreludeResult.NeedMore"/>: bytes are to be looked at; <see cref="PreludeResult.Done"/>: there is nothing to do for this client.</returns>
    PreludeResult Begin(TcpPrelude prelude, out RelayEnd end);

    /// <summary>Looks at all bytes that have come and no step has used yet. It bounds by itself how many it waits for.</summary>
    /// <param name="prelude">The client.</param>
    /// <param name="bytes">From the first byte on; may be empty.</param>
    /// <param name="isEnd">No more will come: the client has finished sending, or <see cref="Timeout"/> is over and <see cref="TimedOut"/> is null.</param>
    /// <param name="consumed">Bytes that the server must not see; 0 for a step that only looks.</param>
    /// <param name="end">How it ends, for <see cref="PreludeResult.Refused"/>.</param>
    /// <returns>Not <see cref="PreludeResult.NeedMore"/> when <paramref name="isEnd"/>, unless it has said when to <see cref="TcpPrelude.LookAgain"/>.</returns>
    PreludeResult Look(TcpPrelude prelude, ReadOnlySpan<byte> bytes, bool isEnd, out int consumed, out RelayEnd end);
}

/// <summary>What a step says.</summary>
internal enum PreludeResult
{
    /// <summary>More bytes are needed.</summary>
    NeedMore,

    /// <summary>The next step.</summary>
    Done,

    /// <summary>The client is closed.</summary>
    Refused,
}
