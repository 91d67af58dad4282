namespace Lb;

// Keys that only some kinds of checks know. A key that a kind does not know is refused, so that nobody believes in a check that is not done.
public sealed partial class CheckOptions
{
    /// <summary><c>http</c>, <c>https</c>: the request's version, <c>1.1</c> (default) or <c>1.0</c>.</summary>
    [OneOf("1.0", "1.1")]
    public string Version { get; set; } = "1.1";

    /// <summary><c>http</c>, <c>https</c>: headers of the request beyond Host; <c>User-Agent</c>, <c>Accept</c> and <c>Connection</c> given here replace ours.</summary>
    public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary><c>http</c>, <c>https</c>: the request's body, sent as UTF-8; not set: none.</summary>
    public string? Body { get; set; }

    /// <summary><c>http</c>, <c>https</c>: MD5 of the answer's body as 32 hex digits (keepalived <c>digest</c>, as <c>genhash</c> prints it); not set: any body.</summary>
    public string? Digest { get; set; }

    /// <summary><c>http</c>, <c>https</c>: further conditions, each of which must hold (HAProxy <c>http-check expect</c>).</summary>
    public IList<CheckExpectOptions> Expects { get; } = [];

    /// <summary><c>http</c>, <c>https</c>: several requests, one after the other, each on a connection of its own; all must pass (keepalived <c>url</c>). What one leaves out is taken from the check.</summary>
    public IList<CheckRequestOptions> Requests { get; } = [];

    /// <summary>
    /// <c>http</c>, <c>https</c>: an answer 404 of a server that is up asks for no new balanced traffic, whatever else is expected; that of one that is down
    /// fails (HAProxy <c>http-check disable-on-404</c>). Default false.
    /// </summary>
    public bool DisableOn404 { get; set; }

    /// <summary><c>tcp-script</c>: what is sent and expected, step by step (HAProxy <c>tcp-check</c>).</summary>
    public IList<CheckStepOptions> Script { get; } = [];

    /// <summary><c>https</c>, <c>tls</c>, <c>tcp-script</c>: how TLS is spoken; not set: with the defaults of <see cref="CheckTlsOptions"/>.</summary>
    public CheckTlsOptions? Tls { get; set; }

    /// <summary><c>udp</c>: what is sent and expected; not set: an empty datagram, and no reply is needed.</summary>
    public CheckUdpOptions? Udp { get; set; }

    /// <summary><c>dns</c>: what is asked and expected; not set: the SOA of the root.</summary>
    public CheckDnsOptions? Dns { get; set; }
}
