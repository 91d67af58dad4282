using System.Net.Sockets;

namespace Lb.Health;

/// <summary>What checks over a stream have in common: connect, talk within the answer's time-out, close. Any thread.</summary>
internal static class ProbeExchange
{
    private static readonly TimeSpan Leave = TimeSpan.FromSeconds(1);

    /// <summary>Connects, talks, closes. Time-outs and resets become results of the stage they were in.</summary>
    /// <param name="target">The server.</param>
    /// <param name="time">Clock of the stages' time-outs.</param>
    /// <param name="talk">The talk, on a connected socket that it need not close.</param>
    /// <param name="ct">The limit of the whole check.</param>
    public static async ValueTask<ProbeResult> RunAsync(
        ProbeTarget target, TimeProvider time, Func<ProbeStream, CancellationToken, ValueTask<ProbeResult>> talk, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        (Socket? socket, ProbeResult failure) = await ProbeSocket.ConnectAsync(target, time, ct).ConfigureAwait(false);
        if (socket is null) return failure;
        using (socket)
        using (FairTimeout? limit = target.AnswerTimeout is { } answer ? new FairTimeout(answer, time, ct) : null)
        {
            try
            {
                return await talk(new ProbeStream(socket), limit?.Token ?? ct).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return new ProbeResult(CheckStatus.Layer7Timeout, 0, "no whole answer in time");
            }
            catch (SocketException)
            {
                return new ProbeResult(CheckStatus.Layer7Response, 0, "connection reset before the whole answer");
            }
        }
    }

    /// <summary>Says good-bye and waits until the server has closed, a second and 64 KiB at most: servers log those who just go. Decides nothing.</summary>
    public static async ValueTask LeaveAsync(ProbeStream stream, ReadOnlyMemory<byte> words, TimeProvider time, CancellationToken ct)
    {
        try
        {
            using FairTimeout limit = new(Leave, time, ct);
            await stream.SendAsync(words, limit.Token).ConfigureAwait(false);
            await stream.DrainAsync(64 * 1024, limit.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
            // It has gone first, or is slow.
        }
    }

    /// <summary>An answer that can't be understood.</summary>
    public static ProbeResult Junk(string text) => new(CheckStatus.Layer7Response, 0, text);
}
