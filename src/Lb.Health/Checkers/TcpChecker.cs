using System.Net;
using System.Net.Sockets;

namespace Lb.Health;

/// <summary>
/// Passes when the server accepts a connection (HAProxy <c>check</c>, keepalived <c>TCP_CHECK</c>); works for Unix sockets too. The connection is
/// closed at once with a reset, so that neither side keeps anything of it. On Linux the server's program mostly sees nothing of it either: the reset is
/// sent instead of the last packet of the handshake, as HAProxy does.
/// </summary>
/// <remarks>
/// <para>Results: L4OK; L4CON = refused or unreachable; L4TOUT = no answer in time; SOCKERR = a local fault. Any thread.</para>
/// <para>On Linux a check is six system calls and leaves no garbage; other systems, host names that nobody has looked up, and checks
/// with a source address, a PROXY header or a SOCKS4 proxy take the runtime's sockets.</para>
/// </remarks>
/// <param name="time">Clock of the connect time-out; default <see cref="TimeProvider.System"/>.</param>
public sealed class TcpChecker(TimeProvider? time = null) : IHealthChecker
{
    private static readonly LingerOption Reset = new(enable: true, seconds: 0);

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <inheritdoc/>
    public ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (!ConnectWatcher.IsSupported || !IsPlain(target)) return CheckManagedAsync(target, ct);
        if (ct.IsCancellationRequested) return new(new ProbeResult(CheckStatus.Layer4Timeout, 0, "no connection in time"));
        int error = ConnectLibc.Begin(target.EndPoint, out int descriptor);
        if (error == ConnectLibc.InProgress)
        {
            if (ConnectWatcher.Shared is { } watcher) return watcher.Rent().WaitAsync(descriptor, target, _time, ct);
            _ = ConnectLibc.Close(descriptor);
            return CheckManagedAsync(target, ct);
        }

        if (error == 0)
        {
            ConnectLibc.Reset(descriptor);
            return new(new ProbeResult(CheckStatus.Layer4Ok));
        }

        if (descriptor >= 0) _ = ConnectLibc.Close(descriptor);
        return new(ProbeSocket.Explain(ConnectLibc.ErrorOf(error), target.EndPoint));
    }

    // One connect and nothing else.
    private static bool IsPlain(ProbeTarget target) =>
        target is { EndPoint: IPEndPoint or UnixDomainSocketEndPoint, Source: null, Socks4: null, Preamble.IsEmpty: true };

    /// <summary>The same with the runtime's sockets.</summary>
    internal async ValueTask<ProbeResult> CheckManagedAsync(ProbeTarget target, CancellationToken ct)
    {
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
