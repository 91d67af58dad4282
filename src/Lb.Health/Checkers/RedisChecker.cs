namespace Lb.Health;

/// <summary>
/// Passes when a Redis server answers PING with PONG (HAProxy <c>option redis-check</c>), after AUTH if there is a password. One that still loads its
/// data (LOADING), wants a password (NOAUTH) or can't save (MISCONF) accepts connections, and fails.
/// </summary>
/// <remarks>
/// Results: L7OK; L7STS = an error, with the server's words; L7RSP = no Redis, or cut off; L7TOUT = no whole answer in time; SOCKERR = the password can't
/// be read, which says nothing of the server; L4CON and L4TOUT as in <see cref="TcpChecker"/>. At most 1 KiB is read of a reply. Any thread.
/// </remarks>
public sealed class RedisChecker : IHealthChecker
{
    private static readonly byte[] Ping = RedisWire.Request("PING");

    private readonly CheckOptions _options;
    private readonly TimeProvider _time;

    /// <summary>Makes a checker from the redis keys of <paramref name="options"/>, which must not change any more.</summary>
    /// <param name="options">User, and PasswordFile or PasswordVariable.</param>
    /// <param name="time">Clock of the stages' time-outs; default <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentException">The keys contradict each other.</exception>
    public RedisChecker(CheckOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ServiceCheckRules.Demand("redis", options);
        _options = options;
        _time = time ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        if (!Secret.TryRead(_options, out string? password, out string? error)) return new(new ProbeResult(CheckStatus.SocketError, 0, error));
        byte[]? login = password is null ? null : _options.User is { } user ? RedisWire.Request("AUTH", user, password) : RedisWire.Request("AUTH", password);
        return ProbeExchange.RunAsync(target, _time, (stream, token) => TalkAsync(stream, login, token), ct);
    }

    private static async ValueTask<ProbeResult> TalkAsync(ProbeStream stream, byte[]? login, CancellationToken ct)
    {
        if (login is not null)
        {
            ProbeResult result = await AskAsync(stream, login, "OK", ct).ConfigureAwait(false);
            if (!result.Passed) return result;
        }

        return await AskAsync(stream, Ping, "PONG", ct).ConfigureAwait(false);
    }

    private static async ValueTask<ProbeResult> AskAsync(ProbeStream stream, byte[] request, string wanted, CancellationToken ct)
    {
        await stream.SendAsync(request, ct).ConfigureAwait(false);
        return await stream.ReadLineAsync(RedisWire.LongestLine, ct).ConfigureAwait(false) is { } line
            ? RedisWire.Judge(line.Span, wanted)
            : ProbeExchange.Junk("no whole reply");
    }
}
