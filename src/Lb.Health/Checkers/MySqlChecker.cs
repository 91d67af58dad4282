namespace Lb.Health;

/// <summary>
/// Passes when a MySQL or MariaDB server greets, and with a user when that user may log in without a password (HAProxy <c>option mysql-check</c>). A
/// server that is full, or has blocked this host, answers with an error, and fails.
/// </summary>
/// <remarks>
/// <para>Results: L7OK with the server's version; L7STS = an error, with its number and text; L7RSP = no MySQL, or cut off; L7TOUT = no whole answer in
/// time; L4CON, L4TOUT and SOCKERR as in <see cref="TcpChecker"/>. At most 16 KiB are read of a packet, and four packets. Any thread.</para>
/// <para>Without a user the server counts a broken connection each time and may block this host after <c>max_connect_errors</c> of them.</para>
/// </remarks>
public sealed class MySqlChecker : IHealthChecker
{
    private const int MostPackets = 4;
    private static readonly byte[] Quit = MySqlWire.Quit();

    private readonly string? _user;
    private readonly TimeProvider _time;

    /// <summary>Makes a checker from the mysql key of <paramref name="options"/>, which is read once.</summary>
    /// <param name="options">User.</param>
    /// <param name="time">Clock of the stages' time-outs; default <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentException">The user can't be sent.</exception>
    public MySqlChecker(CheckOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ServiceCheckRules.Demand("mysql", options);
        _user = options.User;
        _time = time ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct) => ProbeExchange.RunAsync(target, _time, TalkAsync, ct);

    private async ValueTask<ProbeResult> TalkAsync(ProbeStream stream, CancellationToken ct)
    {
        (ReadOnlyMemory<byte> body, _, string? fault) = await ReadAsync(stream, ct).ConfigureAwait(false);
        if (fault is not null) return ProbeExchange.Junk(fault);
        if (body.Span[0] == MySqlWire.Error) return MySqlWire.JudgeError(body.Span);
        if (!MySqlWire.TryParseGreeting(body.Span, out string version, out uint capabilities)) return ProbeExchange.Junk("not MySQL");
        if (_user is null) return new ProbeResult(CheckStatus.Layer7Ok, 0, version);
        if (!MySqlWire.CanLogIn(capabilities)) return ProbeExchange.Junk("older than MySQL 4.1");

        await stream.SendAsync(MySqlWire.Login(_user, capabilities), ct).ConfigureAwait(false);
        for (int i = 0; i < MostPackets; i++)
        {
            (body, byte number, fault) = await ReadAsync(stream, ct).ConfigureAwait(false);
            if (fault is not null) return ProbeExchange.Junk(fault);
            switch (body.Span[0])
            {
                case MySqlWire.Ok:
                    await ProbeExchange.LeaveAsync(stream, Quit, _time, ct).ConfigureAwait(false);
                    return new ProbeResult(CheckStatus.Layer7Ok, 0, version);
                case MySqlWire.Error:
                    return MySqlWire.JudgeError(body.Span);
                case MySqlWire.SwitchPlugin:
                    await stream.SendAsync(MySqlWire.EmptyPassword(body.Span, (byte)(number + 1)), ct).ConfigureAwait(false);
                    break;
                case MySqlWire.MoreData when body.Length > 1 && body.Span[1] == MySqlWire.FastLogin:
                    break;
                case MySqlWire.MoreData:
                    return new ProbeResult(CheckStatus.Layer7Status, 0, "the user needs a password");
                default:
                    return ProbeExchange.Junk("not MySQL");
            }
        }

        return ProbeExchange.Junk("a login without an end");
    }

    private static async ValueTask<(ReadOnlyMemory<byte> Body, byte Number, string? Fault)> ReadAsync(ProbeStream stream, CancellationToken ct)
    {
        if (await stream.ReadAsync(MySqlWire.HeaderLength, ct).ConfigureAwait(false) is not { } header) return (default, 0, "closed without an answer");
        int length = MySqlWire.LengthOf(header.Span);
        byte number = header.Span[3];
        if (length is 0 or > MySqlWire.LongestPacket) return (default, 0, "not MySQL");
        return await stream.ReadAsync(length, ct).ConfigureAwait(false) is { } body ? (body, number, null) : (default, 0, "closed within the answer");
    }
}
