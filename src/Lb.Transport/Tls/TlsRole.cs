using System.Net.Security;

namespace Lb.Transport;

/// <summary>Which side of a handshake a connection plays, and by which settings. Immutable; any loop.</summary>
internal abstract class TlsRole
{
    /// <summary>True where the peer speaks first: nothing is set up for a client before its first bytes are there.</summary>
    public abstract bool IsServer { get; }

    /// <summary>Longest time from the start to the end of the handshake; zero: somebody else watches the time.</summary>
    public abstract TimeSpan HandshakeTimeout { get; }

    /// <summary>Begins the handshake.</summary>
    public abstract Task AuthenticateAsync(SslStream stream, TlsConnection connection);
}
