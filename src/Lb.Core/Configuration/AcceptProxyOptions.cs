namespace Lb;

/// <summary>Which clients of a gateway begin with a PROXY header that tells who they speak for (HAProxy <c>accept-proxy</c>). Not thread-safe: filled once, then read.</summary>
public sealed class AcceptProxyOptions
{
    /// <summary>
    /// Networks of the proxies, as <c>10.0.0.0/8</c> or <c>2001:db8::/32</c>, and <c>unix</c> for Unix sockets. Who comes from there must send a header and is
    /// believed; all others are clients of their own, and what they send is passed on as it is (HAProxy <c>tcp-request connection expect-proxy layer4 if</c>).
    /// Default empty: everybody must.
    /// </summary>
    public IList<string> From { get; } = [];

    /// <summary>Time in which the whole header must come; above 0, default 3 s: a lost packet is sent again within that.</summary>
    [Positive]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(3);
}
