namespace Lb;

/// <summary>What a <c>udp</c> check sends and expects (keepalived <c>UDP_CHECK</c>). Not thread-safe: filled once, then read.</summary>
public sealed class CheckUdpOptions
{
    /// <summary>Text to send as UTF-8, with the escapes <c>\r \n \t \0 \\ \xHH</c>; not set: see <see cref="PayloadHex"/>.</summary>
    public string? Payload { get; set; }

    /// <summary>Bytes to send as hex digits (keepalived <c>payload</c>); neither set: an empty datagram.</summary>
    public string? PayloadHex { get; set; }

    /// <summary>Whether there must be a reply (keepalived <c>require_reply</c>); default false: only a refusal fails.</summary>
    public bool RequireReply { get; set; }

    /// <summary>What a reply must begin with, as hex digits; <c>?</c> stands for any digit. Needs <see cref="RequireReply"/>. Not set: any reply.</summary>
    public string? Reply { get; set; }

    /// <summary>Fewest bytes of a reply, 0 to 65535, default 0 (keepalived <c>min_reply_length</c>).</summary>
    [Within(0, 65535)]
    public int MinReplyLength { get; set; }

    /// <summary>Most bytes of a reply, 0 to 65535, default 65535 (keepalived <c>max_reply_length</c>).</summary>
    [Within(0, 65535)]
    public int MaxReplyLength { get; set; } = 65535;
}

/// <summary>What a <c>dns</c> check asks and expects (keepalived <c>DNS_CHECK</c>). Not thread-safe: filled once, then read.</summary>
public sealed class CheckDnsOptions
{
    /// <summary>The name asked for; default the root.</summary>
    [NotEmpty]
    public string Name { get; set; } = ".";

    /// <summary>A, AAAA, CAA, CNAME, MX, NS, PTR, SOA (default), SRV, TXT, ANY, or a number from 1 to 65535.</summary>
    [NotEmpty]
    public string Type { get; set; } = "SOA";

    /// <summary>The answer's code: NOERROR (default), FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, or a number from 0 to 15.</summary>
    [NotEmpty]
    public string Rcode { get; set; } = "NOERROR";

    /// <summary>Fewest records of the type in the answer, 0 to 100, default 0.</summary>
    [Within(0, 100)]
    public int MinAnswers { get; set; }

    /// <summary>What one of them must be: an address (A, AAAA), a name (CNAME, MX, NS, PTR, SOA, SRV) or a text (TXT). Not set: anything.</summary>
    public string? Answer { get; set; }

    /// <summary>How often the question is sent within the time of the answer, 1 to 10, default 3: datagrams get lost (keepalived <c>retry</c>).</summary>
    [Within(1, 10)]
    public int Attempts { get; set; } = 3;

    /// <summary>Asks over TCP, once. Default false: over UDP, and over TCP only when an answer that was cut off does not say what is expected.</summary>
    public bool Tcp { get; set; }
}
