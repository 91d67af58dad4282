namespace Lb;

/// <summary>
/// What a client asks for, as far as policies may look at it: the HTTP engine's request, the first bytes of a TCP connection, or a test's own. Read on
/// the thread that picks and only during the pick; must not allocate.
/// </summary>
public interface IPickRequest
{
    /// <summary>The request's target as it was received (<c>/path?query</c> or <c>http://host/path</c>); empty when there is none.</summary>
    ReadOnlySpan<byte> Target { get; }

    /// <summary>What has arrived of the request's body; empty when there is none.</summary>
    ReadOnlySpan<byte> Body { get; }

    /// <summary>The first bytes of a connection at layer 4; empty when nobody has waited for them.</summary>
    ReadOnlySpan<byte> FirstBytes { get; }

    /// <summary>The first value of a header.</summary>
    /// <param name="name">Its name in ASCII; compared without regard to case.</param>
    /// <param name="value">The value without the white space around it.</param>
    /// <returns>False when the request has no such header.</returns>
    bool TryGetHeader(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value);
}
