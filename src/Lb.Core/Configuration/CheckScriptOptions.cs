namespace Lb;

/// <summary>
/// One step of a <c>tcp-script</c> check (HAProxy <c>tcp-check</c>); exactly one of Connect, Send, SendBinary, Expect, ExpectRegex and ExpectBinary is
/// set, or Comment alone. Texts know the escapes <c>\r \n \t \0 \\ \xHH</c>. Not thread-safe: filled once, then read.
/// </summary>
public sealed class CheckStepOptions
{
    /// <summary>Opens a connection to this port, 0 to 65535, 0 = the check's; one that is open is closed first. A script that begins otherwise connects to the check's port.</summary>
    [Within(0, 65535)]
    public int? Connect { get; set; }

    /// <summary>With <see cref="Connect"/>: the connection is encrypted as the check's <see cref="CheckOptions.Tls"/> says. Default false.</summary>
    public bool Tls { get; set; }

    /// <summary>With <see cref="Connect"/>: the connection is ended in the usual way, not with a reset (HAProxy <c>linger</c>). Default false.</summary>
    public bool Linger { get; set; }

    /// <summary>Sends this text as UTF-8.</summary>
    public string? Send { get; set; }

    /// <summary>Sends these bytes, as hex digits; spaces are allowed.</summary>
    public string? SendBinary { get; set; }

    /// <summary>Waits until this text is in what has come since the last send or connect, at most 16 KiB of it.</summary>
    public string? Expect { get; set; }

    /// <summary>Waits until this regular expression is found in it, read as UTF-8; one that would need backtracking is refused.</summary>
    public string? ExpectRegex { get; set; }

    /// <summary>Waits until these bytes are in it, as hex digits.</summary>
    public string? ExpectBinary { get; set; }

    /// <summary>With an expectation: it must not hold (HAProxy <c>!</c>). It is decided by <see cref="MinReceived"/> or the connection's end. Default false.</summary>
    public bool Not { get; set; }

    /// <summary>With an expectation: so many bytes, 1 to 16384, are enough to say that it does not hold (HAProxy <c>min-recv</c>). Default: more is waited for.</summary>
    [Within(1, 16384)]
    public int? MinReceived { get; set; }

    /// <summary>What the last check says when this step fails, instead of our words (HAProxy <c>on-error</c>).</summary>
    public string? OnError { get; set; }

    /// <summary>With an expectation: what the last check says when the script passes and this is its last expectation (HAProxy <c>on-success</c>).</summary>
    public string? OnSuccess { get; set; }

    /// <summary>What the step is for; told when it fails (HAProxy <c>comment</c>).</summary>
    public string? Comment { get; set; }
}
