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

    /// <summary>True when its checks may ask for no new balanced traffic.</summary>
    public bool MayStop => options.DisableOn404 || options.Checker is not null;

    /// <summary>True when the two would check in the same way, so that a reload may keep the running one and its streaks.</summary>
    public static bool IsSame(CheckOptions one, CheckOptions other) =>
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
