namespace Lb;

/// <summary>
/// A claim on a picked server. It ends in exactly one <see cref="Complete"/>, where the work ends and not where the first answer arrives: until then
/// it counts as load. A plain value that may be copied; whoever holds the last copy completes it. Any thread.
/// </summary>
public readonly struct ServerLease : IEquatable<ServerLease>
{
    // The server, or what remembers the client and knows the server: two words, because every open connection of a gateway keeps a lease.
    private readonly object? _holder;
    private readonly long _started;

    internal ServerLease(Server server, long started)
        : this((object)server, started)
    {
    }

    private ServerLease(object holder, long started)
    {
        _holder = holder;
        _started = started;
    }

    /// <summary>The picked server; null only in the default value, which is no lease.</summary>
    public Server Server => _holder as Server ?? (_holder as SourceEntry)?.Server!;

    /// <summary>
    /// Reports that the server did its part and how long that took: connect time at layer 4, time to the response headers at layer 7. At most once a lease, and
    /// not for an answer that will end as a failure: a fast error is no good latency. Ends a row of failures. Reads the clock.
    /// </summary>
    public void Responded() => Responded(Server.Pool.GetTimestamp());

    /// <summary>As <see cref="Responded()"/>, with a timestamp that the caller has already read.</summary>
    /// <param name="now">A timestamp of the pool's clock.</param>
    public void Responded(long now)
    {
        Server server = Server;
        server.Sample(server.Pool.GetElapsedTime(_started, now), now, _started);
    }

    /// <summary>Takes over what the server says of its own load, as came with an answer; reads the clock. As often as it comes.</summary>
    /// <param name="report">The report.</param>
    public void ReportLoad(in LoadReport report) => Server.Pool.ReportLoad(Server, in report);

    /// <summary>
    /// Ends the lease. A second call is a fault of the caller's: the server counts one open lease too few for a while, but never fewer than none; where
    /// that would happen the call has no effect and <see cref="ServerPool.LeaseMisuses"/> counts it.
    /// </summary>
    /// <param name="outcome">How the work ended.</param>
    public void Complete(LeaseOutcome outcome)
    {
        (_holder as SourceEntry)?.Closed();
        Server server = Server;
        server.Leave(outcome, _started);
        server.Pool.OnReleased();
    }

    /// <summary>The lease, and what remembers its client: that must not be forgotten while the lease is open.</summary>
    internal ServerLease With(SourceEntry entry) => new(entry, _started);

    /// <summary>Same server, same start.</summary>
    public bool Equals(ServerLease other) => ReferenceEquals(Server, other.Server) && _started == other._started;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ServerLease other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Server, _started);

    /// <summary>Same server, same start.</summary>
    public static bool operator ==(ServerLease left, ServerLease right) => left.Equals(right);

    /// <summary>Another server or start.</summary>
    public static bool operator !=(ServerLease left, ServerLease right) => !left.Equals(right);
}

/// <summary>Why no server could be had.</summary>
public enum PickFailure
{
    /// <summary>A server was picked.</summary>
    None,

    /// <summary>No server is usable: none configured, all down, in maintenance, drained or of weight 0.</summary>
    NoServer,

    /// <summary>The server that persistence names is down, and <see cref="PersistenceOptions.OnDown"/> says that nobody else serves this client.</summary>
    PreferredDown,

    /// <summary>Every usable server has as many leases as it takes, or others wait already.</summary>
    AllFull,

    /// <summary>The pool's queue is full.</summary>
    QueueFull,

    /// <summary>The wait in the queue took longer than the queue time-out.</summary>
    QueueTimeout,
}

/// <summary>Thrown by <see cref="ServerPool.AcquireAsync"/> when no server can be had.</summary>
public sealed class NoServerException : Exception
{
    /// <summary>Makes it for a pool and a reason.</summary>
    /// <param name="pool">Name of the pool.</param>
    /// <param name="failure">The reason.</param>
    public NoServerException(string pool, PickFailure failure)
        : base($"Pool '{pool}' has no server to give: {Explain(failure)}.")
    {
        Failure = failure;
    }

    /// <summary>Makes it with a message of the caller's.</summary>
    /// <param name="message">The message.</param>
    public NoServerException(string message)
        : base(message)
    {
    }

    /// <summary>Makes it with a message and a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public NoServerException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes it without a reason.</summary>
    public NoServerException()
    {
    }

    /// <summary>The reason.</summary>
    public PickFailure Failure { get; }

    private static string Explain(PickFailure failure) => failure switch
    {
        PickFailure.NoServer => "none is up",
        PickFailure.AllFull => "all are full",
        PickFailure.PreferredDown => "the server of this client is down",
        PickFailure.QueueFull => "all are full and so is the queue",
        PickFailure.QueueTimeout => "all stayed full for the whole queue time-out",
        _ => "unknown reason",
    };
}
