using System.Net.Sockets;

namespace Lb.Health;

/// <summary>
/// Passes when the server accepts a connection (HAProxy <c>check</c>, keepalived <c>TCP_CHECK</c>); works for Unix sockets too. The connection is
/// closed at once with a reset, so that neither side keeps anything of it.
/// </summary>
/// <remarks>Results: L4OK; L4CON = refused or unreachable; L4TOUT = no answer in time; SOCKERR = a local fault. Any thread.</remarks>
/// <param name="time">Clock of the connect time-out; default <see cref="TimeProvider.System"/>.</param>
public sealed class TcpChecker(TimeProvider? time = null) : IHealthChecker
{
    private static readonly LingerOption Reset = new(enable: true, seconds: 0);

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        (Socket? socket, ProbeResult failure) = await ProbeSocket.ConnectAsync(target, _time, ct).ConfigureAwait(false);
        if (socket is null) return failure;
        using (socket)
        {
            try
            {
                // A reset would overtake the header, which the server then never sees.
                if (target.Preamble.IsEmpty) socket.LingerState = Reset;
            }
            catch (SocketException)
            {
                // The server has closed already. It did accept.
            }
        }

        return new ProbeResult(CheckStatus.Layer4Ok);
    }
}
