using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>
/// Who is let in by a gateway: its rules in their order, then the limits of each source. Lives as long as the gateway; a reload changes it. Any thread.
/// </summary>
public sealed class ConnectionAdmission : IDisposable
{
    private const int Reasons = (int)AdmissionReason.TooManyHeld + 1;
    private readonly long[] _counts = new long[((int)AccessAction.Delay + 1) * Reasons];
    private volatile Policy _policy = new([], null, new PerSourceOptions(), new GatewayOptions());
    private int _held;

    internal ConnectionAdmission()
    {
    }

    /// <summary>The rules, in the order in which they are asked.</summary>
    public IReadOnlyList<AccessRule> Rules => _policy.Rules;

    /// <summary>What each source has open and how fast it comes; null without a limit for sources.</summary>
    public SourceLimiter? Sources => _policy.Sources;

    /// <summary>Clients held by tarpits and delays now.</summary>
    public int Held => Volatile.Read(ref _held);

    /// <summary>True when there is nothing to ask.</summary>
    internal bool IsOpen => _policy.IsOpen;

    internal TimeSpan HoldTime => _policy.HoldTime;

    /// <summary>Clients that this became of, for this reason. One that is delayed counts once, and again when it is turned away in the end.</summary>
    /// <param name="action">What became of them.</param>
    /// <param name="reason">Why.</param>
    public long Count(AccessAction action, AdmissionReason reason) => Volatile.Read(ref _counts[Index(action, reason)]);

    /// <summary>Ends following files.</summary>
    public void Dispose()
    {
        foreach (AccessRule rule in _policy.Rules) rule.Dispose();
    }

    /// <summary>Takes over other options. Rules that say the same stay as they are, and so do counters. One call at a time.</summary>
    internal void Update(GatewayOptions options, string gateway, TimeProvider time, ILogger logger)
    {
        Policy before = _policy;
        AccessRule[] rules = [.. options.Access.Select((o, i) => i < before.Rules.Length && before.Rules[i].Says(o) ? before.Rules[i] : new AccessRule(o, gateway, time, logger))];
        bool isLimited = options.PerSource is { MaxConnections: > 0 } or { Rate: > 0 };

        // Another table counts from now on; what is open already is not in it.
        SourceLimiter? sources = !isLimited ? null : before.IsSame(options.PerSource) ? before.Sources : new SourceLimiter(options.PerSource, time.TimestampFrequency);
        _policy = new Policy(rules, sources, options.PerSource, options);
        foreach (AccessRule gone in before.Rules.Except(rules)) gone.Dispose();
    }

    /// <summary>
    /// Decides on a new client: by the first rule that fits, else by the limits of its source, which one that a rule allows does not have. When
    /// one with <see cref="AdmissionDecision.CountedBy"/> ends, <see cref="SourceLimiter.Leave"/> of that very table is called: a reload may have brought another.
    /// </summary>
    /// <param name="client">Its address; a client without one (a Unix socket) is asked only of rules for all.</param>
    /// <param name="now">A timestamp.</param>
    /// <param name="again">It has been delayed before, and is not counted as delayed once more.</param>
    internal AdmissionDecision Decide(in PeerAddress client, long now, bool again = false)
    {
        Policy policy = _policy;
        foreach (AccessRule rule in policy.Rules)
        {
            if (!rule.Fits(in client)) continue;
            if (rule.Action == AccessAction.Allow) return default;
            return Counted(new AdmissionDecision(rule.Action, AdmissionReason.Rule, TimeSpan.Zero));
        }

        if (policy.Sources is null) return default;
        SourceVerdict verdict = policy.Sources.Enter(in client, now, out TimeSpan wait);
        if (verdict == SourceVerdict.Accepted) return new AdmissionDecision(AccessAction.Allow, default, TimeSpan.Zero, policy.Sources);
        AdmissionReason reason = verdict == SourceVerdict.TooMany ? AdmissionReason.SourceConnections : AdmissionReason.SourceRate;
        AdmissionDecision decision = new(policy.SourceAction, reason, wait);
        return again && decision.Action == AccessAction.Delay ? decision : Counted(decision);
    }

    /// <summary>One more client is to be held; when there are too many it is counted as rejected for that.</summary>
    internal bool TryHold()
    {
        if (Interlocked.Increment(ref _held) <= _policy.MaxHeld) return true;
        Interlocked.Decrement(ref _held);
        Counted(new AdmissionDecision(AccessAction.Reject, AdmissionReason.TooManyHeld, TimeSpan.Zero));
        return false;
    }

    internal void LetGo() => Interlocked.Decrement(ref _held);

    /// <summary>A delayed client has waited in vain.</summary>
    internal void GiveUp(AdmissionReason reason) => Counted(new AdmissionDecision(AccessAction.Reject, reason, TimeSpan.Zero));

    private AdmissionDecision Counted(AdmissionDecision decision)
    {
        Interlocked.Increment(ref _counts[Index(decision.Action, decision.Reason)]);
        return decision;
    }

    private static int Index(AccessAction action, AdmissionReason reason) => ((int)action * Reasons) + (int)reason;

    /// <summary>What the options say, behind one reference.</summary>
    private sealed class Policy(AccessRule[] rules, SourceLimiter? sources, PerSourceOptions perSource, GatewayOptions options)
    {
        public AccessRule[] Rules => rules;

        public SourceLimiter? Sources => sources;

        public AccessAction SourceAction { get; } = perSource.Action;

        public TimeSpan HoldTime { get; } = options.TarpitTimeout;

        public int MaxHeld { get; } = options.MaxHeld;

        public bool IsOpen { get; } = rules.Length == 0 && sources is null;

        // The values: the options may be changed by whoever made them.
        private readonly (int, int, TimeSpan, int, int, int) _limits = Limits(perSource);

        public bool IsSame(PerSourceOptions other) => sources is not null && _limits == Limits(other);

        private static (int, int, TimeSpan, int, int, int) Limits(PerSourceOptions o) => (o.MaxConnections, o.Rate, o.Period, o.Mask, o.Mask6, o.TableSize);
    }
}

/// <summary>Why a client was not simply let in.</summary>
public enum AdmissionReason
{
    /// <summary>A rule fits it.</summary>
    Rule,

    /// <summary>Its source has as many connections as it may.</summary>
    SourceConnections,

    /// <summary>Its source opens connections faster than it may.</summary>
    SourceRate,

    /// <summary>It was to be held, and as many are held as may be.</summary>
    TooManyHeld,
}

/// <summary>What is to become of a client.</summary>
/// <param name="Action">Allow, or what else.</param>
/// <param name="Reason">Why, when it is not allowed.</param>
/// <param name="Wait">For a delay by rate: when there is room again.</param>
/// <param name="CountedBy">Where an allowed client counts until it ends; null = nowhere.</param>
internal readonly record struct AdmissionDecision(AccessAction Action, AdmissionReason Reason, TimeSpan Wait, SourceLimiter? CountedBy = null);
