namespace Lb.Transport;

/// <content>The relay: bytes, ends and time-outs of an established pair.</content>
internal sealed partial class TcpSession
{
    /// <summary>While it drains, a session that has been quiet for so long is closed.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    public void OnData(Connection connection, ReadOnlySpan<byte> data)
    {
        Connection to = Heard(connection, data.Length);

        // A slow reader stops its source: what it has not taken is one buffer, the rest waits in the kernel and at the sender.
        SendResult result = to.Send(data);
        if (result == SendResult.Pending)
        {
            connection.PauseReading();
            return;
        }

        Took(to);
        if (result == SendResult.Sent) connection.TrySpliceTo(to);
    }

    public void OnSpliced(Connection connection, int bytes)
    {
        Connection to = Heard(connection, bytes);
        if (to.PendingBytes > 0) connection.PauseReading();
        else Took(to);
    }

    /// <summary>Counts what one side has said.</summary>
    /// <returns>The other one.</returns>
    private Connection Heard(Connection connection, int bytes)
    {
        long now = Loop.Now;
        if (ReferenceEquals(connection, _client))
        {
            _clientActive = now;
            _serverOwes = true;
            _shard.Counters.BytesIn += bytes;
            return _server!;
        }

        _serverActive = now;
        _serverOwes = false;
        _shard.Counters.BytesOut += bytes;
        return _client;
    }

    private void Took(Connection to)
    {
        if (ReferenceEquals(to, _client)) _clientActive = Loop.Now;
        else _serverActive = Loop.Now;
    }

    public void OnDrained(Connection connection)
    {
        // The other side, which was not read while this one was slow, has its whole time from now on.
        _clientActive = _serverActive = Loop.Now;
        if (_clientDone && _serverDone) EndIfFlushed();
        else Resume(ReferenceEquals(connection, _client) ? _server! : _client, connection);
    }

    // A reader slower than its source never takes a buffer whole: this is where its bulk begins to be spliced.
    private static void Resume(Connection from, Connection to)
    {
        from.TrySpliceTo(to);
        from.ResumeReading();
    }

    public void OnEndOfStream(Connection connection)
    {
        if (ReferenceEquals(connection, _client))
        {
            _clientDone = true;
            _server!.ShutdownSend();
        }
        else
        {
            _serverDone = true;
            _serverOwes = false;
            _client.ShutdownSend();
        }

        // The side that is left has its own time from now on, which may be shorter than the one the timer was set for.
        _clientActive = _serverActive = Loop.Now;
        if (_clientDone && _serverDone) EndIfFlushed();
        else CheckSilence();
    }

    public void OnClosed(Connection connection, CloseReason reason)
    {
        if (_stage == Stage.Ended) return;
        bool isClient = ReferenceEquals(connection, _client);
        if (_stage == Stage.Relaying)
        {
            RelayEnd end = reason == CloseReason.LocalError ? RelayEnd.LocalError : isClient ? RelayEnd.ClientReset : RelayEnd.ServerReset;
            End(end);
        }
        else if (isClient)
        {
            if (connection is TlsConnection { Fault: { } fault }) TransportLog.ClientTlsFailed(_shard.Logger, _shard.Name, fault);
            End(reason switch
            {
                CloseReason.HandshakeFailed => RelayEnd.TlsHandshakeFailed,
                CloseReason.HandshakeTimeout => RelayEnd.TlsHandshakeTimeout,
                CloseReason.LocalError => RelayEnd.ConnectLocalError,
                _ => RelayEnd.ConnectClientGone,
            });
        }
        else
        {
            Loop.Cancel(this);
            if (connection is TlsConnection { Fault: { } fault })
                TransportLog.ServerTlsFailed(_shard.Logger, _shard.Name, _lease.Server.Pool.Name, _lease.Server.Name, fault);
            RelayEnd end = reason switch
            {
                CloseReason.Refused or CloseReason.Reset => RelayEnd.ConnectRefused,
                CloseReason.Unreachable => RelayEnd.ConnectUnreachable,
                CloseReason.HandshakeFailed => RelayEnd.ConnectTlsFailed,
                CloseReason.NoPort => RelayEnd.ConnectNoPort,
                _ => RelayEnd.ConnectLocalError,
            };
            Failed(end, reason == CloseReason.HandshakeFailed ? FailureKind.Protocol : FailureKind.Connect);
        }
    }

    protected internal override void OnTimer()
    {
        switch (_stage)
        {
            case Stage.Connecting:
                _server!.Close();
                Failed(RelayEnd.ConnectTimeout, FailureKind.ConnectTimeout);
                break;
            case Stage.TurnAround:
                Connect();
                break;
            case Stage.Relaying:
                CheckSilence();
                break;
        }
    }

    /// <summary>
    /// The gateway stops. From <paramref name="after"/> on, the session ends as soon as it is quiet; before a server is connected it goes on as usual.
    /// </summary>
    public void Drain(TimeSpan after)
    {
        _rare ??= new Rare();
        _rare.DrainFrom = Loop.Now + (long)(after.TotalSeconds * Loop.Time.TimestampFrequency);
        if (_stage == Stage.Relaying) CheckSilence();
    }

    /// <summary>The gateway has no more time.</summary>
    public void Kill() => End(RelayEnd.Drained, isBroken: true);

    // One timer a session, looked at when it fires and not moved by every byte: an hour of traffic costs a few list operations.
    private void CheckSilence()
    {
        long now = Loop.Now;
        TimeSpan client = IsAwaited(_client, _clientDone, _server!) ? Loop.Time.GetElapsedTime(_clientActive, now) : TimeSpan.Zero;
        TimeSpan server = IsAwaited(_server!, _serverDone, _client) ? Loop.Time.GetElapsedTime(_serverActive, now) : TimeSpan.Zero;
        TimeSpan clientLimit = _serverDone ? _settings.ClientFinTimeout : _settings.ClientTimeout;
        TimeSpan serverLimit = _clientDone ? _settings.Servers.ServerFinTimeout : _settings.Servers.ServerTimeout;

        // A server that owes an answer is to blame before a client that waits for it.
        if (server >= serverLimit && (_serverOwes || client < clientLimit)) End(RelayEnd.ServerTimeout);
        else if (client >= clientLimit) End(RelayEnd.ClientTimeout);
        else if (_rare?.DrainFrom is { } from) CheckDrain(from, now, Shorter(clientLimit - client, serverLimit - server));
        else Loop.Schedule(this, Shorter(clientLimit - client, serverLimit - server));
    }

    // Silence is the fault of one who could speak or doesn't take what is for him: not of one who has finished sending, nor of one who is not read
    // because the other is slow. His time then begins when he is read again.
    private static bool IsAwaited(Connection side, bool isDone, Connection other) => side.PendingBytes > 0 || (!isDone && other.PendingBytes == 0);

    private void CheckDrain(long from, long now, TimeSpan due)
    {
        if (now < from)
        {
            Loop.Schedule(this, Shorter(due, Loop.Time.GetElapsedTime(now, from)));
            return;
        }

        // Bytes that wait for a slow reader are not quiet.
        bool isBusy = _client.PendingBytes > 0 || _server!.PendingBytes > 0;
        TimeSpan quiet = isBusy ? TimeSpan.Zero : Loop.Time.GetElapsedTime(Math.Max(_clientActive, _serverActive), now);
        if (quiet >= Quiet) End(RelayEnd.Drained);
        else Loop.Schedule(this, Shorter(due, Quiet - quiet));
    }

    private void EndIfFlushed()
    {
        if (_client.PendingBytes == 0 && _server!.PendingBytes == 0) End(RelayEnd.Completed);
    }

    private void End(RelayEnd end, bool isBroken = false)
    {
        if (_stage == Stage.Ended) return;
        _stage = Stage.Ended;
        Loop.Cancel(this);
        _rare?.Queue?.Cancel();
        _rare?.Prelude?.Cancel();
        GiveRetryBack();

        // A broken stream is told as one: RST in, RST out. Who is denied is reset at the door, and so here. Everything else closes cleanly.
        bool broken = isBroken || end is RelayEnd.ClientReset or RelayEnd.ServerReset or RelayEnd.LocalError or RelayEnd.Denied;
        Close(_client, broken);
        if (_server is not null) Close(_server, broken);
        if (_lease.Server is not null) CompleteLease(Outcome(end));
        _shard.Ended(this, end);
    }

    // With bytes missing, a clean end would tell the reader that it has everything.
    private static void Close(Connection connection, bool broken)
    {
        if (broken || connection.PendingBytes > 0) connection.Abort();
        else connection.Close();
    }

    // Only the server's own doing counts against it: a client that hangs up, or says nothing, tells nothing of the server.
    private LeaseOutcome Outcome(RelayEnd end) => end switch
    {
        RelayEnd.Completed => LeaseOutcome.Success,
        RelayEnd.ServerReset => LeaseOutcome.Failure(FailureKind.Reset),
        RelayEnd.ServerTimeout when _serverOwes => LeaseOutcome.Failure(FailureKind.Timeout),
        _ => LeaseOutcome.Ignored,
    };
}
