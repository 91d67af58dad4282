namespace Lb.Health;

/// <summary>One check of a pool and the checker that does it, for all of its servers. Its identity is what loops are kept by. Immutable.</summary>
internal sealed class CheckPlan(CheckOptions options, IHealthChecker checker)
{
    public CheckOptions Options => options;

    public IHealthChecker Checker => checker;

    // What only advises is never in question: it has one interval.
    public ProbeSchedule Schedule { get; } = checker.OnlyAdvises ? new ProbeSchedule(options.Interval, options.Interval, options.Interval) : ProbeSchedule.From(options);

    /// <summary>True when the checker passes on what a server says of itself, and judges nothing.</summary>
    public bool OnlyAdvises => checker.OnlyAdvises;

    /// <summary>True when its checks may set weight, limit or state of a server.</summary>
    public bool MayAdvise => OnlyAdvises || options.Dynamic || options.Checker is not null;

    /// <summary>
    /// True when the result depends on nothing but the address and the options, so that another pool may have it too: a kind of ours that names neither
    /// server nor pool in its question (a command is given both, an agent speaks for one of them).
    /// </summary>
    public bool IsShareable { get; init; } = options is { Checker: null, Dynamic: false }
        && checker is (TcpChecker or HttpChecker or ScriptChecker or TlsChecker or IcmpChecker or UdpChecker or DnsChecker or SmtpChecker or RedisChecker
            or PostgresChecker or MySqlChecker or GrpcChecker);

    /// <summary>True when the two would check in the same way, so that a reload may keep the running one and its streaks.</summary>
    public static bool IsSame(CheckOptions one, CheckOptions other) =>
        ReferenceEquals(one, other) || IsAlike(one, other);

    private static bool IsAlike(CheckOptions one, CheckOptions other) =>
        ReferenceEquals(one.Checker, other.Checker)
        && string.Equals(one.Type, other.Type, StringComparison.OrdinalIgnoreCase)
        && one.Interval == other.Interval
        && one.FastInterval == other.FastInterval
        && one.DownInterval == other.DownInterval
        && one.Timeout == other.Timeout
        && one.Rise == other.Rise
        && one.Fall == other.Fall
        && one.Port == other.Port
        && one.Path == other.Path
        && one.Method == other.Method
        && one.Host == other.Host
        && one.Expect == other.Expect
        && one.ExpectBody == other.ExpectBody
        && CheckValues.Of(one).SequenceEqual(CheckValues.Of(other));
}
