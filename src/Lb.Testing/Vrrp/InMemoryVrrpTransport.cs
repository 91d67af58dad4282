using Lb.Vrrp;

namespace Lb.Testing;

/// <summary>Takes a VRRP message; the bytes are good during the call only.</summary>
/// <param name="message">The message, from its version on.</param>
public delegate void VrrpMessageHandler(ReadOnlySpan<byte> message);

/// <summary>An <see cref="IVrrpTransport"/> that keeps the last message and passes it on. Not thread-safe; sending allocates nothing.</summary>
public sealed class InMemoryVrrpTransport : IVrrpTransport
{
    private readonly byte[] _last = new byte[2048];
    private int _length;

    /// <summary>Makes it.</summary>
    /// <param name="source">Address that adverts come from: <c>192.0.2.1</c>.</param>
    /// <param name="destination">Address they go to; default the multicast group of the family.</param>
    /// <exception cref="ArgumentException">One of them is no IP address.</exception>
    public InMemoryVrrpTransport(string source, string? destination = null)
    {
        Source = Parse(source);
        Destination = Parse(destination ?? (Source.IsV6 ? "ff02::12" : "224.0.0.18"));
    }

    /// <inheritdoc/>
    public PeerAddress Source { get; set; }

    /// <inheritdoc/>
    public PeerAddress Destination { get; }

    /// <summary>What becomes of messages; default <see cref="VrrpSendResult.Sent"/>.</summary>
    public VrrpSendResult Result { get; set; }

    /// <summary>Messages that were sent.</summary>
    public int Count { get; private set; }

    /// <summary>The last message that was sent; empty = none yet.</summary>
    public ReadOnlyMemory<byte> Last => _last.AsMemory(0, _length);

    /// <summary>Called with every message that is sent.</summary>
    public VrrpMessageHandler? Sent { get; set; }

    /// <inheritdoc/>
    public VrrpSendResult Send(ReadOnlySpan<byte> message)
    {
        if (Result != VrrpSendResult.Sent) return Result;
        message.CopyTo(_last);
        _length = message.Length;
        Count++;
        Sent?.Invoke(message);
        return VrrpSendResult.Sent;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    internal static PeerAddress Parse(string text) =>
        PeerAddress.TryParse(text, out PeerAddress address) ? address : throw new ArgumentException($"'{text}' is no IP address.", nameof(text));
}
