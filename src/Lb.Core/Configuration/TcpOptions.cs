namespace Lb;

/// <summary>
/// TCP options of a socket. Linux has all of them; elsewhere only <see cref="NoDelay"/> and <see cref="KeepAlive"/> are to be had. Nothing of it holds for
/// Unix sockets. Not thread-safe: filled once, then read.
/// </summary>
public abstract class TcpOptions
{
    /// <summary>Small writes go out at once and are not gathered (TCP_NODELAY). Default true.</summary>
    public bool NoDelay { get; set; } = true;

    /// <summary>Asks a silent peer whether it is still there; null (default): never (HAProxy <c>option clitcpka</c>, <c>srvtcpka</c>).</summary>
    public KeepAliveOptions? KeepAlive { get; set; }

    /// <summary>
    /// So long may sent bytes stay without acknowledgement before the connection is given up, 1 ms to 24 days; default: the system's own patience, some 15
    /// minutes (HAProxy <c>tcp-ut</c>).
    /// </summary>
    [Interval]
    public TimeSpan? UserTimeout { get; set; }

    /// <summary>Largest segment that is sent, and that the peer is asked to send, in bytes, 88 to 32767; default: the route's (HAProxy <c>mss</c>).</summary>
    [Within(88, 32767)]
    public int? MaxSegment { get; set; }

    /// <summary>Class of service in the IP header (DSCP), 0 to 63; default 0 (HAProxy <c>set-tos</c>, which is four times that).</summary>
    [Within(0, 63)]
    public int? Dscp { get; set; }

    /// <summary>Mark of the packets for routing and firewall rules, 0 to 2147483647; needs CAP_NET_ADMIN. Default none (HAProxy <c>set-mark</c>).</summary>
    [Within(0, int.MaxValue)]
    public int? Mark { get; set; }
}

/// <summary>When a silent TCP peer is asked whether it is still there. Not thread-safe: filled once, then read.</summary>
public sealed class KeepAliveOptions
{
    /// <summary>Silence before the first question, 1 s to 32767 s; default: the system's, two hours on Linux (HAProxy <c>clitcpka-idle</c>).</summary>
    [WholeSeconds]
    public TimeSpan? Idle { get; set; }

    /// <summary>From one question to the next, 1 s to 32767 s; default: the system's, 75 s on Linux (HAProxy <c>clitcpka-intvl</c>).</summary>
    [WholeSeconds]
    public TimeSpan? Interval { get; set; }

    /// <summary>Questions without an answer before the connection is given up, 1 to 127; default: the system's, 9 on Linux (HAProxy <c>clitcpka-cnt</c>).</summary>
    [Within(1, 127)]
    public int? Count { get; set; }
}

/// <summary>TCP options of a gateway's listening sockets, which the clients' connections inherit. Not thread-safe: filled once, then read.</summary>
public sealed class ListenTcpOptions : TcpOptions
{
    /// <summary>
    /// Most clients that may be at it at a time to send data with their SYN (TCP Fast Open), 0 to 65535; default 0 = off. Needs bit 2 of
    /// <c>net.ipv4.tcp_fastopen</c> (HAProxy <c>tfo</c>).
    /// </summary>
    [Within(0, 65535)]
    public int FastOpen { get; set; }

    /// <summary>
    /// A client is taken in only once it has sent something, or after about this time, 1 s to 32767 s; default: at once. Not for protocols in which the
    /// server speaks first (HAProxy <c>defer-accept</c>).
    /// </summary>
    [WholeSeconds]
    public TimeSpan? DeferAccept { get; set; }
}

/// <summary>TCP options of connections to servers. Not thread-safe: filled once, then read.</summary>
public sealed class ConnectTcpOptions : TcpOptions
{
    /// <summary>
    /// The client's first bytes go with the SYN, once the server has given its cookie (TCP Fast Open). Only for protocols in which the client speaks
    /// first: without a first byte nothing is sent at all. Default false (HAProxy <c>tfo</c>).
    /// </summary>
    public bool FastOpen { get; set; }
}
