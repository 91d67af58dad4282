namespace Lb.Transport;

/// <summary>What a UDP gateway goes by; replaced whole by a reload. A session keeps those that it began with, except the idle time.</summary>
/// <param name="Common">What every gateway has.</param>
/// <param name="Pool">Who serves.</param>
/// <param name="Servers">The pool's own.</param>
/// <param name="Idle">Longest silence of a session.</param>
/// <param name="Responses">Answers expected to each datagram; -1 = any number.</param>
/// <param name="Requests">Datagrams of a client before the next one begins a new session; 0 = any number.</param>
/// <param name="MaxSessions">Most sessions at a time.</param>
internal sealed record UdpSettings(GatewaySettings Common, ServerPool Pool, PoolSettings Servers, TimeSpan Idle, int Responses, int Requests, int MaxSessions)
    : GatewaySettings(Common)
{
    /// <summary>How to reach servers that say so; null: as the system does it.</summary>
    public ServerConnects? Connects { get; init; }

    /// <summary>Without <see cref="GatewayOptions.MaxConnections"/>.</summary>
    public const int DefaultMaxSessions = 65_536;

    /// <summary>Without <see cref="GatewayOptions.IdleTimeout"/>.</summary>
    public static readonly TimeSpan DefaultIdle = TimeSpan.FromMinutes(1);

    public static UdpSettings From(in GatewayContext context)
    {
        GatewayOptions options = context.Options;
        ServerPool pool = context.Pool;

        // One descriptor a session, where TCP has two for a connection: the other half stays with the other gateways.
        GatewaySettings common = GatewaySettings.From(options, context.Loops.MaxConnections);
        int most = options.MaxConnections == 0 ? DefaultMaxSessions : int.MaxValue;
        int sessions = common.MaxConnections == 0 ? most : Math.Min(most, common.MaxConnections);

        // No limit for the base: it would stop listening, and here the oldest makes room instead.
        return new UdpSettings(
            common with { MaxConnections = 0 }, pool, pool.Settings, options.IdleTimeout ?? DefaultIdle, options.Responses ?? -1, options.Requests, sessions)
        {
            Connects = context.Connects,
        };
    }
}
