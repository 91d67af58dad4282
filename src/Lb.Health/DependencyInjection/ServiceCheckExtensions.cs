namespace Lb;

/// <content>Checks that speak a service's own protocol, run a program or ask an agent.</content>
public static partial class HealthPoolBuilderExtensions
{
    /// <summary>Checks that every server greets as a mail server and answers EHLO (HAProxy <c>option smtpchk</c>, keepalived <c>SMTP_CHECK</c>).</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddSmtpCheck(this IServerPoolBuilder builder, Action<CheckOptions>? configure = null) =>
        builder.Add("smtp", null, configure);

    /// <summary>Checks that every server answers PING as Redis does (HAProxy <c>option redis-check</c>).</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddRedisCheck(this IServerPoolBuilder builder, Action<CheckOptions>? configure = null) =>
        builder.Add("redis", null, configure);

    /// <summary>Checks that every server would let somebody log in to PostgreSQL (HAProxy <c>option pgsql-check user</c>).</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="user">Who asks.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddPostgresCheck(this IServerPoolBuilder builder, string user, Action<CheckOptions>? configure = null) =>
        builder.Add("pgsql", null, check => Set(check, c => c.User = user, configure));

    /// <summary>Checks that every server greets as MySQL does, and lets a user in who has no password (HAProxy <c>option mysql-check</c>).</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="user">Who logs in; null: nobody does.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddMySqlCheck(this IServerPoolBuilder builder, string? user = null, Action<CheckOptions>? configure = null) =>
        builder.Add("mysql", null, check => Set(check, c => c.User = user, configure));

    /// <summary>Checks that every server says SERVING to gRPC's health check.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="service">The service asked for; empty: the server as a whole.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddGrpcCheck(this IServerPoolBuilder builder, string service = "", Action<CheckOptions>? configure = null) =>
        builder.Add("grpc", null, check => Set(check, c => c.Service = service, configure));

    /// <summary>Checks every server with a program (HAProxy <c>external-check</c>, keepalived <c>MISC_CHECK</c>). Linux.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="command">The program, as an absolute path, and its arguments; no shell reads them.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddCommandCheck(this IServerPoolBuilder builder, IReadOnlyList<string> command, Action<CheckOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(command);
        return builder.Add("command", null, check => Set(check, c => AddAll(c.Command, command), configure));
    }

    /// <summary>Asks an agent on every server for its weight, its limit and its state (HAProxy <c>agent-check</c>).</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="port">The agent's port.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddAgentCheck(this IServerPoolBuilder builder, int port, Action<CheckOptions>? configure = null) =>
        builder.Add("agent", null, check => Set(check, c => c.Port = port, configure));

    private static void AddAll(IList<string> target, IReadOnlyList<string> words)
    {
        foreach (string word in words) target.Add(word);
    }

    private static void Set(CheckOptions check, Action<CheckOptions> first, Action<CheckOptions>? then)
    {
        first(check);
        then?.Invoke(check);
    }
}
