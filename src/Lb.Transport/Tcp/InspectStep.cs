using System.Net;
using System.Runtime.CompilerServices;

namespace Lb.Transport;

/// <summary>
/// Looks at what the client says first, and leaves it for the server: a ClientHello chooses the pool, the request of a Remote Desktop client the server.
/// What is neither, or comes too late, goes to the gateway's pool.
/// </summary>
/// <param name="routes">The routes, each with the settings of its pool.</param>
/// <param name="delay">How long it waits.</param>
internal sealed class InspectStep((RouteOptions Route, TcpSettings Target)[] routes, TimeSpan delay) : IPreludeStep
{
    private const byte TlsHandshake = 22;

    private readonly SniRoutes<TcpSettings>? _routes = routes.Length == 0 ? null : new SniRoutes<TcpSettings>(routes);

    public TimeSpan Timeout => delay;

    public RelayEnd? TimedOut => null;

    public PreludeResult Begin(TcpPrelude prelude, out RelayEnd end)
    {
        end = default;
        return PreludeResult.NeedMore;
    }

    public PreludeResult Look(TcpPrelude prelude, ReadOnlySpan<byte> bytes, bool isEnd, out int consumed, out RelayEnd end)
    {
        consumed = 0;
        end = default;
        bool isOver = bytes.IsEmpty ? isEnd : bytes[0] == TlsHandshake ? IsRouted(prelude, bytes) : IsRequested(prelude, bytes);
        return isOver || isEnd ? PreludeResult.Done : PreludeResult.NeedMore;
    }

    // The space is only written to, and only when there are several records: clearing it would cost every client.
    [SkipLocalsInit]
    private bool IsRouted(TcpPrelude prelude, ReadOnlySpan<byte> bytes)
    {
        if (_routes is null) return true;
        Span<byte> scratch = stackalloc byte[ClientHello.MaxLength];
        ClientHelloResult result = ClientHello.Read(bytes, scratch, out ClientHello hello);
        if (result == ClientHelloResult.Done && _routes.Find(in hello) is { } target) prelude.Settings = target;
        return result != ClientHelloResult.NeedMore;
    }

    private static bool IsRequested(TcpPrelude prelude, ReadOnlySpan<byte> bytes)
    {
        ServerPool pool = prelude.Settings.Pool;
        if (!pool.UsesFirstBytes) return true;
        RdpRequestResult result = RdpRequest.Read(bytes, out _);
        if (result == RdpRequestResult.Done && prelude.Settings.Servers.PersistsRdpCookie && RdpRequest.TryGetCookie(bytes, "msts"u8, out ReadOnlySpan<byte> cookie)
            && RdpRequest.TryGetServer(cookie, out PeerAddress address))
            prelude.Prefer = Find(pool, in address);
        return result != RdpRequestResult.NeedMore;
    }

    private static Server? Find(ServerPool pool, in PeerAddress address)
    {
        foreach (Server server in pool.Servers)
        {
            if (server.EndPoint is IPEndPoint endPoint && PeerAddress.From(endPoint) == address) return server;
        }

        return null;
    }
}
