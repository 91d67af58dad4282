namespace Lb.Transport;

/// <summary>A health gateway's part on one loop. Members are for the loop's thread.</summary>
internal sealed class HealthShard(HealthGateway gateway, EventLoop loop) : GatewayShard(loop), IAcceptHandler
{
    // A probe that does not go away by itself: nobody needs it longer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly List<Listener> _listeners = [];
    private readonly HashSet<Probe> _probes = [];
    private AdmissionDoor? _door;
    private bool _paused;

    /// <summary>Written by the loop, read by any thread.</summary>
    public long Total;
    public long Failures;
    public long BytesIn;
    public long BytesOut;

    public override IListening Listen(ListenAddress address, in ListenOptions options)
    {
        Listener listener = Loop.Listen(address.EndPoint, in options, this);
        listener.State = address;
        _listeners.Add(listener);
        if (_paused) listener.Pause();
        return listener;
    }

    public override void Close(IListening listening)
    {
        Listener listener = (Listener)listening;
        listener.Close();
        _listeners.Remove(listener);
    }

    public void OnAccepted(Listener listener, Connection connection)
    {
        if (gateway.Admission.IsOpen) Enter(connection, countedBy: null);
        else (_door ??= new AdmissionDoor(Loop, gateway.Admission, gateway.Limits, Enter)).Knock(connection);
    }

    private void Enter(Connection connection, SourceLimiter? countedBy)
    {
        Total++;
        gateway.OnOpened(Loop);
        if (gateway.IsFull) FollowGateway();
        Probe probe = new(this, connection, gateway.Settings, countedBy);
        _probes.Add(probe);
        connection.Handler = probe;
        Loop.Schedule(probe, Patience);
        probe.Begin();
    }

    public override void BeginDrain(TimeSpan spread)
    {
        foreach (Listener listener in _listeners) listener.Close();
        _listeners.Clear();
        _door?.Clear();
    }

    public override void KillAll()
    {
        foreach (Probe probe in _probes.ToArray()) probe.End(isAbort: true);
    }

    public override void FollowGateway()
    {
        if (_paused == gateway.IsFull) return;
        _paused = gateway.IsFull;
        foreach (Listener listener in _listeners)
        {
            if (_paused) listener.Pause();
            else listener.Resume();
        }
    }

    private void Closed(Connection connection, SourceLimiter? countedBy)
    {
        connection.GetPeer(out PeerAddress prober);
        countedBy?.Leave(in prober);
        gateway.OnClosed();
    }

    /// <summary>One connection of a prober: gets its answer, and is then read to its end, because unread data would turn the end into a reset.</summary>
    private sealed class Probe(HealthShard shard, Connection connection, HealthSettings settings, SourceLimiter? countedBy) : LoopTimer, IConnectionHandler
    {
        // More than a request: no prober.
        private const int MostBytes = 16 * 1024;

        private int _received;
        private bool _answered;
        private bool _ended;

        private static ReadOnlySpan<byte> Ok => "OK\n"u8;

        private static ReadOnlySpan<byte> HttpOk => "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n"u8;

        private static ReadOnlySpan<byte> HttpFailed =>
            "HTTP/1.0 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nFAIL\n"u8;

        /// <summary>TCP probers get their answer at once; HTTP ones ask first.</summary>
        public void Begin()
        {
            if (!settings.IsHttp) Answer();
        }

        public void OnData(Connection source, ReadOnlySpan<byte> data)
        {
            _received += data.Length;
            shard.BytesIn += data.Length;
            if (_received > MostBytes) End(isAbort: true);
            else if (!_answered) Answer();
        }

        public void OnEndOfStream(Connection source)
        {
            // A prober that asks nothing learns from the answer, or from the reset, as well.
            if (!_answered) Answer();
            if (connection.PendingBytes == 0) End(isAbort: false);
        }

        public void OnDrained(Connection source) => End(isAbort: false);

        public void OnConnected(Connection source)
        {
        }

        public void OnClosed(Connection source, CloseReason reason) => Ended();

        protected internal override void OnTimer() => End(isAbort: true);

        public void End(bool isAbort)
        {
            if (_ended) return;
            if (isAbort) connection.Abort();
            else connection.Close();
            Ended();
        }

        private void Answer()
        {
            _answered = true;
            bool isWell = settings.IsWell;
            if (!isWell) shard.Failures++;
            if (!isWell && !settings.IsHttp)
            {
                End(isAbort: true);
                return;
            }

            ReadOnlySpan<byte> answer = !settings.IsHttp ? Ok : isWell ? HttpOk : HttpFailed;
            if (connection.Send(answer) == SendResult.Closed) return;
            shard.BytesOut += answer.Length;
            connection.ShutdownSend();
        }

        private void Ended()
        {
            if (_ended) return;
            _ended = true;
            shard.Loop.Cancel(this);
            shard._probes.Remove(this);
            shard.Closed(connection, countedBy);
        }
    }
}
