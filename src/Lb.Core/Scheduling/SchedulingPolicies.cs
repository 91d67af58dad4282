namespace Lb;

/// <summary>A scheduling policy that configurations can name. Built-in ones are registered in the same way (<c>AddSchedulingPolicy</c>).</summary>
/// <param name="Name">The word after <c>Balance</c>; compared without regard to case.</param>
/// <param name="Create">Makes the policy for one pool.</param>
public sealed record SchedulingPolicyRegistration(string Name, Func<BalanceOptions, ISchedulingPolicy> Create)
{
    internal SchedulingPolicyRegistration(string name, Func<BalanceOptions, Random?, ISchedulingPolicy> create)
        : this(name, options => create(options, null)) => CreateFrom = create;

    /// <summary>For those that draw: makes the policy with a source of chance.</summary>
    internal Func<BalanceOptions, Random?, ISchedulingPolicy>? CreateFrom { get; }
}

/// <summary>The policies known by name. Immutable.</summary>
internal sealed class SchedulingPolicies
{
    private readonly Dictionary<string, SchedulingPolicyRegistration> _byName = new(StringComparer.OrdinalIgnoreCase);

    public SchedulingPolicies(IEnumerable<SchedulingPolicyRegistration> registrations)
    {
        // The last registration of a name wins: a host may replace a built-in one.
        foreach (SchedulingPolicyRegistration registration in registrations) _byName[registration.Name] = registration;
    }

    public static IReadOnlyList<SchedulingPolicyRegistration> BuiltInRegistrations { get; } =
    [
        new("roundrobin", static _ => new RoundRobin()),
        new("leastconn", static _ => new LeastConnections()),
        new("p2c", static (_, random) => new PowerOfTwoChoices(random)),
        new("random", static (o, random) => new RandomDraws(o.Draws, random)),
        new("first", static _ => new First()),
        new("source", static o => new SourceHash(Hashing(o))),
        new("hash", static o => KeyedHash.ByKey(Hashing(o))),
        new("uri", static o => KeyedHash.ByUri(o.Length, o.Depth, o.Whole, o.PathOnly, Hashing(o))),
        new("url_param", static o => KeyedHash.ByParameter(o.Parameter ?? "", o.CheckPost, Hashing(o))),
        new("hdr", static o => KeyedHash.ByHeader(o.Header ?? "", o.UseDomainOnly, Hashing(o))),
        new("rdp-cookie", static o => KeyedHash.ByRdpCookie(o.Parameter ?? "mstshash", Hashing(o))),
        new("maglev", static o => Bounded(new Maglev(o.TableSize ?? Maglev.DefaultTableSize), o)),
        new("ketama", static o => Bounded(new Ketama(), o)),
        new("ring", static o => Bounded(new HashRing(o.MinimumRingSize, o.MaximumRingSize, o.RingHash), o)),
        new("rendezvous", static o => Bounded(new Rendezvous(), o)),
        new("jump", static o => Bounded(new JumpHash(), o)),
        new("anchor", static o => Bounded(new AnchorHash(), o)),
        new("peak-ewma", static (_, random) => new PeakEwmaChoices(random)),
        new("orca", static (o, random) => new OrcaRoundRobin(o.ErrorPenalty, o.BlackoutPeriod, o.ExpirationPeriod, o.UpdatePeriod, random)),
        new("rif", static (o, random) => Rif(o, null, random)),
        new("static-rr", static _ => new StaticRoundRobin()),
        new("sticky", static _ => new Sticky()),
        new("rr", static _ => new LvsRoundRobin()),
        new("wrr", static _ => new LvsWeightedRoundRobin()),
        new("lc", static _ => new LvsLeastConnections()),
        new("wlc", static _ => new LvsWeightedLeastConnections()),
        new("sed", static _ => new LvsShortestExpectedDelay()),
        new("nq", static _ => new LvsNeverQueuing()),
        new("fo", static _ => new LvsFailover()),
        new("ovf", static _ => new LvsOverflow()),
        new("twos", static (_, random) => new LvsTwoChoices(random)),
        new("sh", static o => new LvsSourceHash(o.ShPort, o.ShFallback)),
        new("dh", static _ => new LvsDestinationHash()),
        new("mh", static o => new LvsMaglev(o.MhPort, o.MhFallback, o.TableSize ?? LvsMaglev.DefaultTableSize)),
        new("lblc", static _ => new LvsLocalityLeastConnections()),
        new("lblcr", static _ => new LvsLocalityWithReplication()),
    ];

    public static SchedulingPolicies BuiltIn { get; } = new(BuiltInRegistrations);

    public IEnumerable<string> Names => _byName.Keys.Order(StringComparer.Ordinal);

    public bool Knows(string name) => _byName.ContainsKey(name);

    public ISchedulingPolicy Create(PoolOptions options) =>
        options.Policy is { } factory ? factory()
        : _byName[options.Balance] is { CreateFrom: { } create } ? create(options.BalanceOptions, options.Random)
        : _byName[options.Balance].Create(options.BalanceOptions);

    /// <summary>True when the two would make the same policy, so that a reload may keep the running one and its turn.</summary>
    public static bool IsSame(PoolOptions? one, PoolOptions other) =>
        one is not null
        && ReferenceEquals(one.Policy, other.Policy)
        && string.Equals(one.Balance, other.Balance, StringComparison.OrdinalIgnoreCase)
        && Values(one.BalanceOptions).Equals(Values(other.BalanceOptions));

    // Every property counts; a new one belongs here too, and a test says so if it is forgotten.
    private static (object, object, object, object) Values(BalanceOptions o) =>
        ((o.Draws, o.ShPort, o.ShFallback, o.MhPort, o.MhFallback, o.TableSize, o.MinimumRingSize, o.MaximumRingSize, o.RingHash),
         (o.HashType.ToUpperInvariant(), Hashing(o), o.HashPreserveAffinity),
         (o.Header, o.UseDomainOnly, o.Parameter, o.CheckPost, o.Length, o.Depth, o.Whole, o.PathOnly),
         (o.ErrorPenalty, o.BlackoutPeriod, o.ExpirationPeriod, o.UpdatePeriod, o.Probes, o.ProbePoolSize, o.ProbeAge));

    internal static RifProbing Rif(BalanceOptions o, ILoadProbe? probe, Random? random) => new(o.Probes, o.ProbePoolSize, o.ProbeAge, probe, random);

    // HAProxy's policies have their own bound, which walks along the ring.
    private static ISchedulingPolicy Bounded(ISchedulingPolicy policy, BalanceOptions o) =>
        o.HashBalanceFactor > 0 ? new BoundedLoads(policy, o.HashBalanceFactor) : policy;

    private static HashOptions Hashing(BalanceOptions o) =>
        new(string.Equals(o.HashType, "consistent", StringComparison.OrdinalIgnoreCase), o.HashFunction, o.Avalanche, o.HashKey, o.HashBalanceFactor);
}
