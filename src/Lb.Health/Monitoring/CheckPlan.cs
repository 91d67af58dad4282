using System.Net;

namespace Lb.Health;

/// <summary>One check of a pool and the checker that does it, for all of its servers. Its identity is what loops are kept by. Immutable.</summary>
internal sealed class CheckPlan(CheckOptions options, IHealthChecker checker, TimeProvider? time = null)
{
    public CheckOptions Options => options;

    public IHealthChecker Checker => checker;

    public CheckPlace Place { get; } = CheckPlace.From(options);

    /// <summary>What was in the files that the checker has read: <see cref="CheckFiles"/>.</summary>
    public string Files { get; init; } = "";

    // Made only where it is wanted: a check without retries pays nothing for them.
    private readonly RetryingChecker? _retrying = options.Retry > 0 && !checker.OnlyAdvises ? new RetryingChecker(checker, options, time ?? TimeProvider.System) : null;

    // What only advises is never in question: it has one interval.
    public ProbeSchedule Schedule { get; } = checker.OnlyAdvises ? new ProbeSchedule(options.Interval, options.Interval, options.Interval) : ProbeSchedule.From(options);

    /// <summary>
    /// Who does the next check, and how long it may take. keepalived's rule: a server that is down gets one attempt, so that it costs no more than others.
    /// </summary>
    /// <param name="isUp">What the check says of the server.</param>
    /// <param name="attempt">Limit of one attempt.</param>
    public (IHealthChecker Checker, TimeSpan Limit) Next(bool isUp, TimeSpan attempt) =>
        isUp && _retrying is not null ? (_retrying, CheckTimeouts.WithRetries(attempt, options.Retry, options.DelayBeforeRetry)) : (checker, attempt);

    /// <summary>The name that a check asks for; null: it asks for none, or not at the server's address.</summary>
    public string? HostNameOf(Server server) => Place.Address is null && checker is not (TcpChecker or IcmpChecker or UdpChecker or DnsChecker) ? server.HostName : null;

    /// <summary>What a connection to a server begins with: what the check says, or what the server's traffic begins with.</summary>
    public ReadOnlyMemory<byte> PreambleOf(Server server) =>
        Place.PreambleFor(checker is IcmpChecker or UdpChecker or DnsChecker or CommandChecker or AgentChecker ? ProxySending.None : server.SendProxy);

    /// <summary>What the checker is told of a server.</summary>
    /// <param name="server">Which.</param>
    /// <param name="endPoint">What <see cref="Place"/> says of its address.</param>
    /// <param name="limits">How long the stages may take.</param>
    public ProbeTarget TargetFor(Server server, EndPoint endPoint, in CheckTimeouts limits) => new(server.Name, endPoint, limits.Connect, limits.Whole)
    {
        AnswerTimeout = limits.Answer,
        Source = Place.Source,
        Preamble = PreambleOf(server),
        Socks4 = Place.Socks4,
        HostName = HostNameOf(server),
        Pool = server.Pool.Name,
        ServerId = server.Id,
        Connections = server.InFlight,
        MaxConnections = server.MaxConnections,
    };

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

    /// <summary>True when its checks may ask for no new balanced traffic.</summary>
    public bool MayStop => options.DisableOn404 || options.Checker is not null;

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
        && one.Retry == other.Retry
        && one.DelayBeforeRetry == other.DelayBeforeRetry
        && one.Port == other.Port
        && one.Path == other.Path
        && one.Method == other.Method
        && one.Host == other.Host
        && one.Expect == other.Expect
        && one.ExpectBody == other.ExpectBody
        && CheckValues.Of(one).SequenceEqual(CheckValues.Of(other));
}
