namespace Lb;

/// <summary>Why a pick would end as it would: for people, and for tests of a policy. Immutable.</summary>
/// <param name="Pool">Name of the pool.</param>
/// <param name="Policy">Name of its policy.</param>
/// <param name="Mode">How the pool chooses its candidates at the moment.</param>
/// <param name="Candidates">The servers among which the policy chooses.</param>
/// <param name="Exclusions">The servers that can't be picked, each with the reason.</param>
/// <param name="Hash">The hash of the key; null when none was used.</param>
/// <param name="Choice">The server that would be picked; null when chance decides, the policy can't tell, or there is none.</param>
/// <param name="Failure">Why there is none; <see cref="PickFailure.None"/> when one would be had.</param>
/// <param name="Note">How it came to that; may be empty.</param>
public sealed record PickExplanation(
    string Pool,
    string Policy,
    PoolMode Mode,
    IReadOnlyList<PickCandidate> Candidates,
    IReadOnlyList<PickExclusion> Exclusions,
    ulong? Hash,
    Server? Choice,
    PickFailure Failure,
    string Note);

/// <summary>A server among which the policy chooses.</summary>
/// <param name="Server">The server.</param>
/// <param name="Weight">Its weight at the moment, slow start included.</param>
/// <param name="Load">Its open leases and those who wait for it.</param>
public readonly record struct PickCandidate(Server Server, double Weight, int Load);

/// <summary>A server that can't be picked.</summary>
/// <param name="Server">The server.</param>
/// <param name="Reason">Why, for people: <c>DOWN since …</c>, <c>full (10 of 10)</c>, <c>backup</c>, <c>already tried</c>.</param>
public readonly record struct PickExclusion(Server Server, string Reason);
