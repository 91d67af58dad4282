using System.Text;

namespace Lb.Health;

/// <summary>
/// Passes when a mail server greets with 220 and answers EHLO with 250; one that does not know EHLO is asked with HELO (HAProxy <c>option smtpchk</c>,
/// keepalived <c>SMTP_CHECK</c>). Takes its leave with QUIT.
/// </summary>
/// <remarks>
/// <para>Results: L7OK 250; L7STS with the reply's code = another reply; L7RSP = no SMTP, or cut off; L7TOUT = no whole answer in time; L4CON, L4TOUT
/// and SOCKERR as in <see cref="TcpChecker"/>. Any thread.</para>
/// <para>At most 128 lines of 2 KiB are read of a reply. The answer to QUIT is awaited for a second at most and decides nothing.</para>
/// </remarks>
public sealed class SmtpChecker : IHealthChecker
{
    private static readonly byte[] Quit = "QUIT\r\n"u8.ToArray();

    private readonly TimeProvider _time;
    private readonly byte[] _extended;
    private readonly byte[] _plain;

    /// <summary>Makes a checker from the smtp key of <paramref name="options"/>, which is read once.</summary>
    /// <param name="options">Hello.</param>
    /// <param name="time">Clock of the stages' time-outs; default <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentException">The name can't be sent.</exception>
    public SmtpChecker(CheckOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ServiceCheckRules.Demand("smtp", options);
        _time = time ?? TimeProvider.System;
        _extended = Encoding.ASCII.GetBytes($"EHLO {options.Hello}\r\n");
        _plain = Encoding.ASCII.GetBytes($"HELO {options.Hello}\r\n");
    }

    /// <inheritdoc/>
    public ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct) => ProbeExchange.RunAsync(target, _time, TalkAsync, ct);

    private async ValueTask<ProbeResult> TalkAsync(ProbeStream stream, CancellationToken ct)
    {
        (SmtpReply reply, string? fault) = await ReadAsync(stream, ct).ConfigureAwait(false);
        if (fault is not null) return ProbeExchange.Junk(fault);
        ProbeResult result = Judge(reply, 220);
        if (result.Passed)
        {
            await stream.SendAsync(_extended, ct).ConfigureAwait(false);
            (reply, fault) = await ReadAsync(stream, ct).ConfigureAwait(false);
            if (fault is null && reply.IsUnknownCommand)
            {
                await stream.SendAsync(_plain, ct).ConfigureAwait(false);
                (reply, fault) = await ReadAsync(stream, ct).ConfigureAwait(false);
            }

            if (fault is not null) return ProbeExchange.Junk(fault);
            result = Judge(reply, 250);
        }

        await ProbeExchange.LeaveAsync(stream, Quit, _time, ct).ConfigureAwait(false);
        return result;
    }

    private static ProbeResult Judge(in SmtpReply reply, int expected) =>
        new(reply.Code == expected ? CheckStatus.Layer7Ok : CheckStatus.Layer7Status, reply.Code, reply.Text);

    private static async ValueTask<(SmtpReply Reply, string? Fault)> ReadAsync(ProbeStream stream, CancellationToken ct)
    {
        SmtpReply first = default;
        for (int i = 0; i < SmtpReply.MostLines; i++)
        {
            if (await stream.ReadLineAsync(SmtpReply.LongestLine, ct).ConfigureAwait(false) is not { } line) return (default, i == 0 ? "no whole reply" : "closed within a reply");
            if (!SmtpReply.TryParse(line.Span, out SmtpReply reply)) return (default, "not SMTP");
            if (i == 0) first = reply;
            else if (reply.Code != first.Code) return (default, "a reply of several codes");
            if (reply.IsLast) return (first, null);
        }

        return (default, "a reply of more than 128 lines");
    }
}
