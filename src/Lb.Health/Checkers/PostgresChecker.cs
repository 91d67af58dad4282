namespace Lb.Health;

/// <summary>
/// Passes when a PostgreSQL server answers a start-up message with a request to log in, of any kind (HAProxy <c>option pgsql-check</c>). Nobody logs in,
/// unless the server wants no password. One that is starting up, shutting down or out of connections answers with an error, and fails.
/// </summary>
/// <remarks>
/// Results: L7OK with the way to log in; L7STS = an error, with SQLSTATE and message; L7RSP = no PostgreSQL, or cut off; L7TOUT = no whole answer in
/// time; L4CON, L4TOUT and SOCKERR as in <see cref="TcpChecker"/>. At most 30 kB are read of an error. Any thread.
/// </remarks>
public sealed class PostgresChecker : IHealthChecker
{
    private static readonly byte[] Terminate = [(byte)'X', 0, 0, 0, 4];

    private readonly byte[] _startUp;
    private readonly TimeProvider _time;

    /// <summary>Makes a checker from the pgsql key of <paramref name="options"/>, which is read once.</summary>
    /// <param name="options">User.</param>
    /// <param name="time">Clock of the stages' time-outs; default <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentException">There is no user, or one that can't be sent.</exception>
    public PostgresChecker(CheckOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ServiceCheckRules.Demand("pgsql", options);
        _startUp = PostgresWire.StartUp(options.User!);
        _time = time ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct) => ProbeExchange.RunAsync(target, _time, TalkAsync, ct);

    private async ValueTask<ProbeResult> TalkAsync(ProbeStream stream, CancellationToken ct)
    {
        await stream.SendAsync(_startUp, ct).ConfigureAwait(false);
        if (await stream.ReadAsync(PostgresWire.HeaderLength, ct).ConfigureAwait(false) is not { } header) return ProbeExchange.Junk("closed without an answer");
        if (!PostgresWire.TryParseHeader(header.Span, out char type, out int length)) return ProbeExchange.Junk("not PostgreSQL");
        if (await stream.ReadAsync(length, ct).ConfigureAwait(false) is not { } body) return ProbeExchange.Junk("closed within the answer");
        if (type == 'E') return PostgresWire.JudgeError(body.Span);

        ProbeResult result = PostgresWire.JudgeLogin(body.Span);
        if (PostgresWire.IsLoggedIn(body.Span)) await ProbeExchange.LeaveAsync(stream, Terminate, _time, ct).ConfigureAwait(false);
        return result;
    }
}
