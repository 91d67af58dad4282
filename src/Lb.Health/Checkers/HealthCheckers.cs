namespace Lb.Health;

/// <summary>A kind of health check that configurations can name. Built-in ones are registered in the same way (<c>AddHealthChecker</c>).</summary>
/// <param name="Name">The word after <c>Type</c>; compared without regard to case.</param>
/// <param name="Create">Makes the checker for one check of one pool; it serves all servers of the pool.</param>
public sealed record HealthCheckerRegistration(string Name, Func<CheckOptions, IHealthChecker> Create);

/// <summary>The kinds of checks known by name. Immutable.</summary>
internal sealed class HealthCheckers
{
    private readonly Dictionary<string, HealthCheckerRegistration> _byName = new(StringComparer.OrdinalIgnoreCase);

    public HealthCheckers(IEnumerable<HealthCheckerRegistration> registrations)
    {
        // The last registration of a name wins: a host may replace a built-in one.
        foreach (HealthCheckerRegistration registration in registrations) _byName[registration.Name] = registration;
    }

    public static IReadOnlyList<HealthCheckerRegistration> BuiltInRegistrations(TimeProvider time) =>
    [
        new("tcp", _ => new TcpChecker(time)),
        new("http", options => new HttpChecker(options, time)),
        new("https", options => new HttpChecker(options, time)),
        new("tcp-script", options => new ScriptChecker(options, time)),
        new("tls", options => new TlsChecker(options, time)),
        new("icmp", _ => new IcmpChecker(time)),
        new("udp", options => new UdpChecker(options, time)),
        new("dns", options => new DnsChecker(options, time)),
        new("smtp", options => new SmtpChecker(options, time)),
        new("redis", options => new RedisChecker(options, time)),
        new("pgsql", options => new PostgresChecker(options, time)),
        new("mysql", options => new MySqlChecker(options, time)),
        new("grpc", options => new GrpcChecker(options, time)),
        new("command", options => new CommandChecker(options)),
        new("agent", options => new AgentChecker(options, time)),
    ];

    public IEnumerable<string> Names => _byName.Keys.Order(StringComparer.Ordinal);

    public bool Knows(string name) => _byName.ContainsKey(name);

    /// <summary>Looks for faults in a check of a built-in kind, in the files that it names too.</summary>
    public static void Validate(string path, CheckOptions check, PoolOptions pool, ICollection<ConfigurationError> errors)
    {
        CheckPlace.Validate(path, check, pool, errors);
        CheckRules.Validate(path, check, errors);
        CommandFaults.Validate(path, check, errors);
        if (check.Tls is { } tls) TlsClient.Validate($"{path}:Tls", tls, errors);
    }

    /// <summary>Makes the checker of a check.</summary>
    /// <param name="options">A valid check.</param>
    /// <param name="services">The host's services, for checkers given in code.</param>
    /// <exception cref="InvalidOperationException">The host's factory returned something else.</exception>
    public IHealthChecker Create(CheckOptions options, IServiceProvider services)
    {
        if (options.Checker is not { } factory) return _byName[options.Type].Create(options);
        object made = factory(services);
        return made as IHealthChecker
            ?? throw new InvalidOperationException($"Checker made {made?.GetType().FullName ?? "null"}, which is no {nameof(IHealthChecker)}.");
    }
}
