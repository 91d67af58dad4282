namespace Lb.Health;

/// <summary>
/// Passes when a server makes a TLS handshake and shows a valid certificate (HAProxy <c>check-ssl</c> over a TCP check, <c>ssl-hello-chk</c>); works
/// over Unix sockets too. Nothing is sent after the handshake.
/// </summary>
/// <remarks>
/// Results: L6OK; L6RSP = no TLS, a handshake that is refused, or a certificate that is not valid, with the reason; L6TOUT = no handshake in time;
/// L4CON, L4TOUT and SOCKERR as in <see cref="TcpChecker"/>. Any thread.
/// </remarks>
public sealed class TlsChecker : IHealthChecker
{
    private readonly TimeProvider _time;
    private readonly TlsClient _tls;

    /// <summary>Makes a checker from <see cref="CheckOptions.Tls"/>, which is read once, with its files.</summary>
    /// <param name="options">The check.</param>
    /// <param name="time">Clock of the stages' time-outs and of certificates; default <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentException">A file can't be used.</exception>
    public TlsChecker(CheckOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _time = time ?? TimeProvider.System;
        _tls = new TlsClient(options.Tls ?? new CheckTlsOptions(), null, _time);
    }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        (ProbeConnection? connection, ProbeResult failure) = await ProbeConnection.OpenAsync(target, _time, ct).ConfigureAwait(false);
        if (connection is null) return failure;
        using (connection)
        using (FairTimeout? limit = target.AnswerTimeout is { } answer ? new FairTimeout(answer, _time, ct) : null)
        {
            return await connection.EncryptAsync(_tls, target, limit?.Token ?? ct).ConfigureAwait(false) ?? new ProbeResult(CheckStatus.Layer6Ok);
        }
    }
}
