namespace Lb;

/// <content>Where a check goes, where it comes from, and what it says first.</content>
public sealed partial class CheckOptions
{
    /// <summary>The shared check that this one began as, when a configuration says so; code shares a method instead.</summary>
    public string? Use { get; set; }

    /// <summary>IP address to check when it is not the server's (HAProxy <c>addr</c>, keepalived <c>connect_ip</c>); the port stays the server's or is <see cref="Port"/>.</summary>
    public string? Address { get; set; }

    /// <summary>IP address of this node that checks come from (HAProxy <c>source</c>, keepalived <c>bindto</c>). Not set: the system chooses. Not for <c>command</c>.</summary>
    public string? SourceAddress { get; set; }

    /// <summary>
    /// <c>v1</c> or <c>v2</c>: a PROXY header before everything else, which says that the connection is the balancer's own: <c>UNKNOWN</c>, or LOCAL (HAProxy
    /// <c>check-send-proxy</c>); <c>none</c>: no header. For checks over a stream, but not <c>agent</c>. Not set: that of the server's traffic
    /// (<see cref="ServerOptions.SendProxy"/>), when the check has neither <see cref="Address"/> nor a port of its own; else none.
    /// </summary>
    [OneOf("v1", "v2", "none")]
    public string? SendProxy { get; set; }

    /// <summary>
    /// A SOCKS4 proxy to connect through, as <c>192.0.2.1:1080</c> (HAProxy <c>socks4</c>, <c>check-via-socks4</c>). For checks over a stream, of servers
    /// with IPv4 addresses. Not set: none.
    /// </summary>
    public string? Socks4 { get; set; }
}
