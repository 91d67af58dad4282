namespace Lb;

/// <summary>How the work on a server ended, from the server's point of view.</summary>
public readonly record struct LeaseOutcome
{
    private readonly byte _kind;

    private LeaseOutcome(byte kind, FailureKind failure)
    {
        _kind = kind;
        FailureKind = failure;
    }

    /// <summary>The server did its part.</summary>
    public static LeaseOutcome Success => default;

    /// <summary>The caller gave up (a client that hung up, a cancelled request): it says nothing about the server.</summary>
    public static LeaseOutcome Ignored => new(2, default);

    /// <summary>The server failed.</summary>
    /// <param name="kind">What failed.</param>
    public static LeaseOutcome Failure(FailureKind kind) => new(1, kind);

    /// <summary>True for <see cref="Success"/>.</summary>
    public bool IsSuccess => _kind == 0;

    /// <summary>True for <see cref="Failure"/>.</summary>
    public bool IsFailure => _kind == 1;

    /// <summary>True for <see cref="Ignored"/>.</summary>
    public bool IsIgnored => _kind == 2;

    /// <summary>What failed; meaningful only when <see cref="IsFailure"/>.</summary>
    public FailureKind FailureKind { get; }
}

/// <summary>What failed on a server, by stage.</summary>
public enum FailureKind
{
    /// <summary>The connection was refused or the server can't be reached.</summary>
    Connect,

    /// <summary>No connection within the connect time-out.</summary>
    ConnectTimeout,

    /// <summary>The server reset an established connection.</summary>
    Reset,

    /// <summary>The server was silent for longer than the server time-out.</summary>
    Timeout,

    /// <summary>The server's answer can't be understood.</summary>
    Protocol,

    /// <summary>The server answered with an error status.</summary>
    Status,
}
