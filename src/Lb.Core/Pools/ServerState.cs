namespace Lb;

/// <summary>What the health checks say of a server.</summary>
public enum ServerHealth
{
    /// <summary>The checks pass, or there are none.</summary>
    Up,

    /// <summary>The checks fail, or have not passed yet.</summary>
    Down,

    /// <summary>The checks pass, and the server asks for no new balanced traffic (HAProxy <c>disable-on-404</c>); sticky traffic is still served.</summary>
    Stopping,
}

/// <summary>What the administrator says of a server (HAProxy <c>set server … state</c>).</summary>
public enum ServerAdmin
{
    /// <summary>In use if healthy.</summary>
    Ready,

    /// <summary>No new balanced traffic; sticky traffic is still served.</summary>
    Drain,

    /// <summary>No traffic at all; the health found by the checks is still remembered.</summary>
    Maintenance,
}

/// <summary>What a server is, all told: HAProxy's words of the stats page. Maintenance wins over health.</summary>
public enum ServerStatus
{
    /// <summary>Takes traffic (UP).</summary>
    Up,

    /// <summary>Checks fail (DOWN).</summary>
    Down,

    /// <summary>Drained by the administrator or by weight 0; healthy (DRAIN).</summary>
    Drain,

    /// <summary>In maintenance (MAINT).</summary>
    Maintenance,

    /// <summary>Taken out for a while because callers failed on it, or because it toggled (EJECTED): see <see cref="Ejection"/>.</summary>
    Ejected,

    /// <summary>Healthy, and asks for no new balanced traffic by the answer to a check (NOLB); sticky traffic is still served.</summary>
    Stopping,
}

/// <summary>How a pool chooses its candidates at the moment.</summary>
public enum PoolMode
{
    /// <summary>Main servers that are up.</summary>
    Normal,

    /// <summary>No main server is usable; backups serve.</summary>
    Backup,

    /// <summary>Too few are up: health is ignored.</summary>
    Panic,

    /// <summary>None is up: those that were last in use serve.</summary>
    LastKnownGood,

    /// <summary>No server may be picked.</summary>
    Down,

    /// <summary>The quorum is lost; the sorry server serves.</summary>
    Sorry,
}

/// <summary>The kind of result of a health check, by the layer that decided it (HAProxy's <c>check_status</c>).</summary>
public enum CheckStatus
{
    /// <summary>UNK: not checked, or no check configured.</summary>
    Unknown,

    /// <summary>INI: the checks are starting.</summary>
    Initializing,

    /// <summary>SOCKERR: a local fault (no socket, no permission).</summary>
    SocketError,

    /// <summary>L4OK: the connection was made.</summary>
    Layer4Ok,

    /// <summary>L4TOUT: no connection in time.</summary>
    Layer4Timeout,

    /// <summary>L4CON: refused or unreachable.</summary>
    Layer4Connection,

    /// <summary>L6OK: the TLS handshake was made.</summary>
    Layer6Ok,

    /// <summary>L6TOUT: no TLS handshake in time.</summary>
    Layer6Timeout,

    /// <summary>L6RSP: the TLS handshake failed.</summary>
    Layer6Response,

    /// <summary>L7OK: the answer is as expected.</summary>
    Layer7Ok,

    /// <summary>L7OKC: passed, with a condition (disable-on-404).</summary>
    Layer7OkConditional,

    /// <summary>L7TOUT: no answer in time.</summary>
    Layer7Timeout,

    /// <summary>L7RSP: the answer can't be understood.</summary>
    Layer7Response,

    /// <summary>L7STS: the answer says no (a status code or a body that is not expected).</summary>
    Layer7Status,
}

/// <summary>The last health check of a server, kept for people and pages.</summary>
/// <param name="Status">Kind of result.</param>
/// <param name="Code">The protocol's own code (an HTTP status), or 0.</param>
/// <param name="Duration">How long the check took.</param>
/// <param name="Text">A short explanation, or what the server said; may be empty.</param>
/// <param name="At">When it ended.</param>
/// <param name="Consecutive">Checks in a row with the same verdict: positive = passed, negative = failed.</param>
public sealed record CheckReport(CheckStatus Status, int Code, TimeSpan Duration, string Text, DateTimeOffset At, int Consecutive)
{
    /// <summary>True when the status is one of the passing ones.</summary>
    public bool Passed => Status is CheckStatus.Layer4Ok or CheckStatus.Layer6Ok or CheckStatus.Layer7Ok or CheckStatus.Layer7OkConditional;

    /// <summary>HAProxy's short word for the status: UNK, INI, SOCKERR, L4OK, L4TOUT, L4CON, L6OK, L6TOUT, L6RSP, L7OK, L7OKC, L7TOUT, L7RSP, L7STS.</summary>
    public string Word => Status switch
    {
        CheckStatus.Initializing => "INI",
        CheckStatus.SocketError => "SOCKERR",
        CheckStatus.Layer4Ok => "L4OK",
        CheckStatus.Layer4Timeout => "L4TOUT",
        CheckStatus.Layer4Connection => "L4CON",
        CheckStatus.Layer6Ok => "L6OK",
        CheckStatus.Layer6Timeout => "L6TOUT",
        CheckStatus.Layer6Response => "L6RSP",
        CheckStatus.Layer7Ok => "L7OK",
        CheckStatus.Layer7OkConditional => "L7OKC",
        CheckStatus.Layer7Timeout => "L7TOUT",
        CheckStatus.Layer7Response => "L7RSP",
        CheckStatus.Layer7Status => "L7STS",
        _ => "UNK",
    };
}
