namespace Lb;

/// <summary>Something that happened and that people or programs may want to hear of. Immutable.</summary>
/// <param name="At">When, by the clock of the one who tells.</param>
public abstract record LbEvent(DateTimeOffset At)
{
    /// <summary>Number of the event in its hub, counting up from 1; gaps are events that were dropped.</summary>
    public long Sequence { get; internal set; }
}

/// <summary>A server's status changed.</summary>
/// <param name="At">When.</param>
/// <param name="Pool">Name of the pool.</param>
/// <param name="Server">Name of the server.</param>
/// <param name="From">Status before.</param>
/// <param name="To">Status now.</param>
/// <param name="Cause">Why, for people; may be null.</param>
public sealed record ServerStatusChanged(DateTimeOffset At, string Pool, string Server, ServerStatus From, ServerStatus To, string? Cause) : LbEvent(At);

/// <summary>A server joined a pool.</summary>
/// <param name="At">When.</param>
/// <param name="Pool">Name of the pool.</param>
/// <param name="Server">Name of the server.</param>
public sealed record ServerJoined(DateTimeOffset At, string Pool, string Server) : LbEvent(At);

/// <summary>A server left a pool; its open leases go on to their end.</summary>
/// <param name="At">When.</param>
/// <param name="Pool">Name of the pool.</param>
/// <param name="Server">Name of the server.</param>
public sealed record ServerLeft(DateTimeOffset At, string Pool, string Server) : LbEvent(At);

/// <summary>A pool chooses its candidates in another way: backups came in, panic began, nobody is left.</summary>
/// <param name="At">When.</param>
/// <param name="Pool">Name of the pool.</param>
/// <param name="From">Mode before.</param>
/// <param name="To">Mode now.</param>
/// <param name="Usable">Number of servers that may be picked now.</param>
public sealed record PoolModeChanged(DateTimeOffset At, string Pool, PoolMode From, PoolMode To, int Usable) : LbEvent(At);

/// <summary>A pool lost its quorum, or has it again (keepalived <c>quorum_down</c>, <c>quorum_up</c>).</summary>
/// <param name="At">When.</param>
/// <param name="Pool">Name of the pool.</param>
/// <param name="IsHeld">True when it has it again.</param>
/// <param name="Weight">Weight of the usable servers now.</param>
/// <param name="Quorum">What is asked for.</param>
public sealed record QuorumChanged(DateTimeOffset At, string Pool, bool IsHeld, long Weight, int Quorum) : LbEvent(At);

/// <summary>A scheduling policy could not be built over the servers of its pool; round robin serves until the next change.</summary>
/// <param name="At">When.</param>
/// <param name="Pool">Name of the pool.</param>
/// <param name="Policy">Name of the policy.</param>
/// <param name="Error">What it said.</param>
public sealed record PolicyFailed(DateTimeOffset At, string Pool, string Policy, string Error) : LbEvent(At);

/// <summary>
/// Health checks that are due do not start: what is known of the servers grows old. Not told of a host that was paused, which delays everything alike.
/// </summary>
/// <param name="At">When.</param>
/// <param name="Late">Checks that are late by more than the limit.</param>
/// <param name="Checks">All checks.</param>
/// <param name="Longest">How late the latest of them is.</param>
public sealed record ChecksStalled(DateTimeOffset At, int Late, int Checks, TimeSpan Longest) : LbEvent(At);

/// <summary>Health checks that did not start (<see cref="ChecksStalled"/>) run again.</summary>
/// <param name="At">When.</param>
/// <param name="Stalled">How long that was, from the alarm on.</param>
public sealed record ChecksResumed(DateTimeOffset At, TimeSpan Stalled) : LbEvent(At);

/// <summary>A changed configuration was taken over, or refused as a whole.</summary>
/// <param name="At">When.</param>
/// <param name="Errors">Why it was refused; empty when it was taken over.</param>
public sealed record ConfigurationReloaded(DateTimeOffset At, IReadOnlyList<string> Errors) : LbEvent(At);

/// <summary>
/// Hears of events, one at a time and in order. May take its time: nobody waits for it, but while it is slow the hub's buffer fills and the oldest
/// events are dropped. An exception is logged and does not stop the others.
/// </summary>
public interface INotifier
{
    /// <summary>Tells of one event.</summary>
    /// <param name="notice">The event.</param>
    /// <param name="ct">Cancelled when the host stops.</param>
    ValueTask NotifyAsync(LbEvent notice, CancellationToken ct);
}
