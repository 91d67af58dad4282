namespace Lb.Transport;

/// <content>From the pick to the relay: the queue, attempts to connect, and what a server must hear first.</content>
internal sealed partial class TcpSession
{
    private void Picked()
    {
        // The same server again, because there is no other: give it HAProxy's turn-around before the next try.
        if (_rare is not null && ReferenceEquals(_rare.Last, _lease.Server))
        {
            _stage = Stage.TurnAround;
            Loop.Schedule(this, _settings.Servers.TurnAround);
            return;
        }

        if (_rare?.Last is not null) _shard.Counters.Redispatches++;
        Connect();
    }

    private void Connect()
    {
        _stage = Stage.Connecting;
        if (_lease.Server.EndPoint is System.Net.DnsEndPoint)
        {
            // Only a pool without a host has names that nobody looked up.
            Failed(RelayEnd.ConnectLocalError, FailureKind.Connect);
            return;
        }

        Loop.Schedule(this, _settings.Servers.ConnectTimeout);
        _greeted = false;
        _server = ConnectTo(_lease.Server);
    }

    private Connection ConnectTo(Server server)
    {
        if (_settings.Connects?.For(server) is not { } options) return Loop.Connect(server.EndPoint, this);
        PeerAddress client = default;
        if (_rare?.Prelude is { } prelude) client = prelude.Source;
        else _client.GetPeer(out client);
        return Loop.Connect(server.EndPoint, this, options, client);
    }

    /// <summary>The queue is no place for a loop to wait: the pool calls back on a thread of its own, and the answer comes by the mailbox.</summary>
    private void Wait(in PickContext context)
    {
        _stage = Stage.Queued;
        _rare ??= new Rare();
        _rare.Queue = new CancellationTokenSource();
        PickContext waiting = _rare.Prelude is null ? context : context with { Request = new FirstBytesCopy(_rare.Prelude.Early) };
        _ = WaitAsync(waiting, _rare.Queue);
    }

    private async Task WaitAsync(PickContext context, CancellationTokenSource cancel)
    {
        ServerLease lease = default;
        RelayEnd end = RelayEnd.Completed;
        try
        {
            lease = await _settings.Pool.AcquireAsync(context, cancel.Token).ConfigureAwait(false);
        }
        catch (NoServerException error)
        {
            end = error.Failure switch
            {
                PickFailure.QueueFull => RelayEnd.QueueFull,
                PickFailure.QueueTimeout => RelayEnd.QueueTimeout,
                _ => RelayEnd.NoServer,
            };
        }
        catch (OperationCanceledException)
        {
            return;
        }
        catch (Exception error)
        {
            TransportLog.PickFailed(_shard.Logger, error, _shard.Name);
            end = RelayEnd.ConnectLocalError;
        }

        bool posted = Loop.Post(
            static state =>
            {
                (TcpSession session, ServerLease lease, RelayEnd end) = ((TcpSession, ServerLease, RelayEnd))state!;
                session.Waited(lease, end);
            },
            (this, lease, end));
        if (!posted && end == RelayEnd.Completed) lease.Complete(LeaseOutcome.Ignored);
    }

    private void Waited(ServerLease lease, RelayEnd end)
    {
        if (_stage == Stage.Ended)
        {
            // The client left between the grant and now.
            if (end == RelayEnd.Completed) lease.Complete(LeaseOutcome.Ignored);
            return;
        }

        if (end != RelayEnd.Completed)
        {
            End(end);
            return;
        }

        if (MarkedServers.IsLeft(lease.Server))
        {
            // Down since the grant, and its connections are closed already: this one would be forgotten.
            lease.Complete(LeaseOutcome.Ignored);
            Pick();
            return;
        }

        _lease = lease;
        Picked();
    }

    /// <summary>An attempt failed: try again as the pool's settings say, or give up.</summary>
    private void Failed(RelayEnd end, FailureKind kind)
    {
        Server server = _lease.Server;
        CompleteLease(LeaseOutcome.Failure(kind));
        _server = null;
        _rare ??= new Rare();
        TransportLog.AttemptFailed(_shard.Logger, _shard.Name, server.Pool.Name, server.Name, end);
        if (_rare.Retries >= _settings.Servers.Retries || !ClaimRetry(_rare))
        {
            End(end);
            return;
        }

        _rare.Retries++;
        _rare.Last = server;
        _shard.Counters.Retries++;
        if (_settings.Servers.ShouldRedispatch(_rare.Retries))
        {
            _rare.Tried = _rare.Tried.With(server);
            Pick();
            return;
        }

        // Not this time another one: the same server, after the turn-around, if the pool still has it.
        PickContext context = Context() with { Excluded = default, Prefer = server };
        Pick(in context);
    }

    // Only a pool with a budget of its own limits attempts to connect: they send nothing twice.
    private bool ClaimRetry(Rare attempts)
    {
        GiveRetryBack();
        if (!_settings.Pool.LimitsAttempts) return true;
        RetryBudget budget = _settings.Pool.RetryBudget;
        if (!budget.TryBegin()) return false;
        attempts.Claimed = budget;
        return true;
    }

    // To the budget that it was taken from: a reload may have brought another.
    private void GiveRetryBack()
    {
        _rare?.Claimed?.End();
        if (_rare is not null) _rare.Claimed = null;
    }

    private void CompleteLease(LeaseOutcome outcome)
    {
        _lease.Complete(outcome);
        _lease = default;
    }

    /// <summary>The server's connections are to be closed. A client that is not connected yet loses nothing: it gets another server.</summary>
    public void Shutdown(RelayEnd end)
    {
        if (_stage == Stage.Relaying)
        {
            End(end, isBroken: true);
        }
        else if (_stage is Stage.Connecting or Stage.TurnAround)
        {
            Loop.Cancel(this);
            _server?.Close();
            _server = null;
            CompleteLease(LeaseOutcome.Ignored);
            Pick();
        }
    }

    public void OnConnected(Connection connection)
    {
        if (ReferenceEquals(connection, _client))
        {
            // TLS with the client is established: from here on it is as if it had just come.
            _client.PauseReading();
            _client.DropOnReset();
            Pick();
            return;
        }

        if (!_greeted)
        {
            // In the clear and before anything else. A link may then put a connection of its own before the raw one; that one's OnConnected is the second.
            _greeted = true;
            ProxySending sending = _lease.Server.SendProxy;
            if (sending != ProxySending.None) ProxySender.Send(connection, sending, _client, _rare?.Prelude);
            if (_shard.Links.Of(_lease.Server) is { } link) _server = link.Greet(connection, this);
            if (!ReferenceEquals(_server, connection)) return;
        }

        long now = Loop.Now;

        // After a turn-around the lease is older than the connect, and its age would count as the server's latency.
        if (!ReferenceEquals(_rare?.Last, _lease.Server)) _lease.Responded(now);
        GiveRetryBack();
        _stage = Stage.Relaying;
        _clientActive = _serverActive = now;
        TcpPrelude? prelude = _rare?.Prelude;
        if (prelude is null || SendEarly(prelude)) _client.ResumeReading();
        prelude?.FreeEarly();
        if (_rare is not null) _rare.Prelude = null;
        if (_rare is { DrainFrom: null }) _rare = null;
        CheckSilence();
    }

    /// <summary>What the client has sent before it had a server.</summary>
    /// <returns>False when the server has not taken all of it: the client is read again after that.</returns>
    private bool SendEarly(TcpPrelude prelude)
    {
        SendResult result = SendResult.Sent;
        if (!prelude.Early.IsEmpty)
        {
            _serverOwes = true;
            _shard.Counters.BytesIn += prelude.Early.Length;
            result = _server!.Send(prelude.Early);
        }

        if (_clientDone && result != SendResult.Closed) _server!.ShutdownSend();
        return result != SendResult.Pending;
    }
}
