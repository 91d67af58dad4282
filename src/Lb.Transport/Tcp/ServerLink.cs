using System.Runtime.CompilerServices;

namespace Lb.Transport;

/// <summary>
/// What connecting to one server takes beyond a TCP connection, prepared once: socket options, a PROXY header, TLS. One loop's; a server that needs nothing
/// special has none.
/// </summary>
internal sealed class ServerLink
{
    private readonly TlsClient? _tls;

    private ServerLink(Server server, ServerConnecting connecting)
    {
        Connecting = connecting;
        if (connecting.Tls is { } tls) _tls = new TlsClient(tls, server);
    }

    /// <summary>What it was prepared from.</summary>
    public ServerConnecting Connecting { get; }

    /// <summary>The raw connection is there: says what the server must hear first, and wraps it.</summary>
    /// <param name="raw">The connection.</param>
    /// <param name="session">Whose it is.</param>
    /// <returns>The connection to relay through: <paramref name="raw"/>, or one whose <see cref="IConnectionHandler.OnConnected"/> is still to come.</returns>
    public Connection Greet(Connection raw, TcpSession session) => _tls is null ? raw : TlsConnection.Begin(raw, session, _tls);

    /// <summary>The links of one loop, by server; those of servers that are gone go with them.</summary>
    internal sealed class Table
    {
        private readonly ConditionalWeakTable<Server, ServerLink> _links = [];

        /// <summary>The link to a server, or null for one that needs nothing special.</summary>
        public ServerLink? Of(Server server)
        {
            ServerConnecting connecting = server.Connecting;
            if (ReferenceEquals(connecting, ServerConnecting.Plain)) return null;
            if (_links.TryGetValue(server, out ServerLink? link) && ReferenceEquals(link.Connecting, connecting)) return link;
            link = new ServerLink(server, connecting);
            _links.AddOrUpdate(server, link);
            return link;
        }
    }
}
