namespace Lb;

/// <summary>A health check of every server of a pool (HAProxy <c>check</c>, keepalived <c>TCP_CHECK</c>, <c>HTTP_GET</c>). Not thread-safe: filled once, then read.</summary>
public sealed partial class CheckOptions
{
    /// <summary>Kind of check: <c>tcp</c> (default), <c>http</c>, or a registered one.</summary>
    [NotEmpty]
    public string Type { get; set; } = "tcp";

    /// <summary>From the start of one check to the start of the next; 1 ms or more, default 2 s (HAProxy <c>inter</c>).</summary>
    [Interval]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The interval while the server's state is in question: some checks failed but not yet <see cref="Fall"/>, or not checked yet; 1 ms or more. Default <see cref="Interval"/> (HAProxy <c>fastinter</c>).</summary>
    [Interval]
    public TimeSpan? FastInterval { get; set; }

    /// <summary>The interval while the server is fully down; 1 ms or more. Default <see cref="Interval"/> (HAProxy <c>downinter</c>).</summary>
    [Interval]
    public TimeSpan? DownInterval { get; set; }

    /// <summary>
    /// Time for the answer after the connection (HAProxy <c>timeout check</c>). Not set: the whole check has the interval. The connection itself has
    /// the pool's connect time-out or the interval, whichever is shorter.
    /// </summary>
    [Positive]
    public TimeSpan? Timeout { get; set; }

    /// <summary>Passed checks in a row that take a server in, 1 to 1000, default 2 (HAProxy <c>rise</c>).</summary>
    [Within(1, 1000)]
    public int Rise { get; set; } = 2;

    /// <summary>Failed checks in a row that take a server out, 1 to 1000, default 3 (HAProxy <c>fall</c>).</summary>
    [Within(1, 1000)]
    public int Fall { get; set; } = 3;

    /// <summary>
    /// Further attempts within one check of a server that is up, when one fails, 0 to 100, default 0 (keepalived <c>retry</c>). Each attempt has the time
    /// of a whole check. The check fails when all of them do.
    /// </summary>
    [Within(0, 100)]
    public int Retry { get; set; }

    /// <summary>From the end of a failed attempt to the start of the next; 0 to 1 day, default 1 s (keepalived <c>delay_before_retry</c>).</summary>
    [UpToADay]
    public TimeSpan DelayBeforeRetry { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Port to check when it is not the server's, 1 to 65535 (HAProxy <c>port</c>).</summary>
    [Within(1, 65535)]
    public int? Port { get; set; }

    /// <summary><c>http</c>: the request's target; default <c>/</c>.</summary>
    [NotEmpty]
    public string Path { get; set; } = "/";

    /// <summary><c>http</c>: the request's method; default <c>GET</c>.</summary>
    [NotEmpty]
    public string Method { get; set; } = "GET";

    /// <summary><c>http</c>: the Host header; default: the server's address, by its host name when it was given by one.</summary>
    public string? Host { get; set; }

    /// <summary><c>http</c>: status codes that pass, as <c>200-399</c> or <c>200,204,301-302</c>; default <c>200-399</c> (HAProxy's rule: 2xx and 3xx).</summary>
    [NotEmpty]
    public string Expect { get; set; } = "200-399";

    /// <summary><c>http</c>: text that the body must contain (HAProxy <c>expect string</c>); not set: any body.</summary>
    public string? ExpectBody { get; set; }

    /// <summary>Makes the checker in place of <see cref="Type"/>, from the services of the host. Code only; the object is a checker of Lb.Health.</summary>
    public Func<IServiceProvider, object>? Checker { get; set; }
}
