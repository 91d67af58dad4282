using System.Text;

namespace Lb.Health;

/// <summary>
/// Asks an agent on the server how it is, and passes its words on: weight, limit, ready, drain, maint, up, down (HAProxy <c>agent-check</c>). Connects,
/// sends <see cref="CheckOptions.AgentSend"/> if there is one, reads one line.
/// </summary>
/// <remarks>
/// Results: L7OK; L7STS = down, fail, failed or stopped; L7RSP = a word that is not known, or no whole line; L7TOUT, L4CON, L4TOUT and SOCKERR as in
/// <see cref="HttpChecker"/>. What brings no word changes nothing. At most 1 KiB is read. Any thread.
/// </remarks>
public sealed class AgentChecker : IHealthChecker
{
    private readonly byte[] _words;
    private readonly TimeProvider _time;

    /// <summary>Makes a checker from the agent key of <paramref name="options"/>, which is read once.</summary>
    /// <param name="options">AgentSend, and a Port.</param>
    /// <param name="time">Clock of the stages' time-outs; default <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentException">There is no port, or a text that can't be understood.</exception>
    public AgentChecker(CheckOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ServiceCheckRules.Demand("agent", options);
        _ = AgentWords.TryUnescape(options.AgentSend ?? "", out string words);
        _words = Encoding.UTF8.GetBytes(words);
        _time = time ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public bool OnlyAdvises => true;

    /// <inheritdoc/>
    public ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct) => ProbeExchange.RunAsync(target, _time, TalkAsync, ct);

    private async ValueTask<ProbeResult> TalkAsync(ProbeStream stream, CancellationToken ct)
    {
        if (_words.Length > 0) await stream.SendAsync(_words, ct).ConfigureAwait(false);
        return await stream.ReadLineAsync(AgentWords.LongestLine, ct).ConfigureAwait(false) is { } line
            ? AgentWords.Read(line.Span)
            : ProbeExchange.Junk("no whole line");
    }
}
