using Lb.Health;
using Microsoft.Extensions.DependencyInjection;

namespace Lb;

/// <summary>Health checks of a pool in code. A server is up when all of its pool's checks say so.</summary>
public static partial class HealthPoolBuilderExtensions
{
    /// <summary>Checks that every server accepts connections (HAProxy <c>check</c>): every 2 s, out after 3 failed, in after 2 passed.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddTcpCheck(this IServerPoolBuilder builder, Action<CheckOptions>? configure = null) =>
        builder.Add("tcp", null, configure);

    /// <summary>Checks that every server answers an HTTP request as expected (HAProxy <c>option httpchk</c>): <c>GET /</c>, any 2xx or 3xx.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddHttpCheck(this IServerPoolBuilder builder, Action<CheckOptions>? configure = null) =>
        builder.Add("http", null, configure);

    /// <summary>As <see cref="AddHttpCheck"/>, over TLS with a certificate that must be valid (HAProxy <c>check-ssl</c>, keepalived <c>SSL_GET</c>).</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddHttpsCheck(this IServerPoolBuilder builder, Action<CheckOptions>? configure = null) =>
        builder.Add("https", null, configure);

    /// <summary>Checks that every server makes a TLS handshake and shows a valid certificate.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddTlsCheck(this IServerPoolBuilder builder, Action<CheckOptions>? configure = null) =>
        builder.Add("tls", null, configure);

    /// <summary>Checks every server with a script of sends and expectations (HAProxy <c>tcp-check</c>); needs <see cref="CheckOptions.Script"/>.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddScriptCheck(this IServerPoolBuilder builder, Action<CheckOptions>? configure = null) =>
        builder.Add("tcp-script", null, configure);

    /// <summary>Checks that every server answers a ping (keepalived <c>PING_CHECK</c>).</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddIcmpCheck(this IServerPoolBuilder builder, Action<CheckOptions>? configure = null) =>
        builder.Add("icmp", null, configure);

    /// <summary>Checks that every server takes a datagram, or answers it as <see cref="CheckOptions.Udp"/> says (keepalived <c>UDP_CHECK</c>).</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddUdpCheck(this IServerPoolBuilder builder, Action<CheckOptions>? configure = null) =>
        builder.Add("udp", null, configure);

    /// <summary>Checks that every server answers a DNS question, by default for the SOA of the root (keepalived <c>DNS_CHECK</c>).</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddDnsCheck(this IServerPoolBuilder builder, Action<CheckOptions>? configure = null) =>
        builder.Add("dns", null, configure);

    /// <summary>Checks every server with a checker of your own.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="checker">The checker; it serves all servers of the pool at once.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddCheck(this IServerPoolBuilder builder, IHealthChecker checker, Action<CheckOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(checker);
        return builder.Add(checker.GetType().Name, checker, configure);
    }

    /// <summary>Checks every server with a method of your own.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="name">What the check is called in logs.</param>
    /// <param name="check">Checks one server once, under the rules of <see cref="IHealthChecker.CheckAsync"/>.</param>
    /// <param name="configure">Changes the options; may run often, once for each reload.</param>
    public static IServerPoolBuilder AddCheck(
        this IServerPoolBuilder builder,
        string name,
        Func<ProbeTarget, CancellationToken, ValueTask<ProbeResult>> check,
        Action<CheckOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(check);
        return builder.Add(name, new DelegateChecker(check), configure);
    }

    private static IServerPoolBuilder Add(this IServerPoolBuilder builder, string type, IHealthChecker? checker, Action<CheckOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddLb().AddHealth();

        // One and the same delegate on every reload: it is how an unchanged check is known.
        Func<IServiceProvider, object>? make = checker is null ? null : _ => checker;
        return builder.Configure(pool =>
        {
            CheckOptions options = new() { Type = type, Checker = make };
            configure?.Invoke(options);
            pool.Checks.Add(options);
        });
    }
}
