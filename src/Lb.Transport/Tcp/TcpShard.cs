using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>A gateway's part on one loop: its listeners, its open sessions, its counters. Members are for the loop's thread.</summary>
internal sealed class TcpShard(TcpGateway gateway, EventLoop loop, LoopShare share, ILogger logger) : GatewayShard(loop), IAcceptHandler
{
    private const int MostEnded = 1024;

    private readonly List<Listener> _listeners = [];

    // Ended sessions for the clients to come: a connection makes no garbage. What an ended one still holds is let go when it is used again, because its
    // last callback may not have returned yet.
    private readonly Stack<TcpSession> _ended = new();

    // Beside the sessions, because few have an address other than that of their connection, and it matters only where sources have limits.
    private readonly Dictionary<TcpSession, PeerAddress> _announced = [];
    private AdmissionDoor? _door;
    private TcpSession? _first;
    private bool _paused;
    private TimeSpan? _drain;

    public string Name => gateway.Name;

    public ILogger Logger => logger;

    public ConnectionAdmission Admission => gateway.Admission;

    public TcpCounters Counters { get; } = new();

    public ServerLink.Table Links { get; } = new();

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

    public EventLoop Home => Loop;

    public IAcceptHandler? Relief()
    {
        // Near the limit every loop counts its own: what is on its way to another is in no count yet.
        int open = gateway.OpenConnections, limit = gateway.Settings.MaxConnections;
        if (limit != 0 && open >= limit - (limit >> 2) - 8) return null;
        int other = share.Relief(open);
        return other < 0 ? null : gateway.ShardOf(other);
    }

    public void OnAccepted(Listener listener, Connection connection)
    {
        if (!ReferenceEquals(listener.Handler, this)) share.Came();
        if (gateway.Admission.IsOpen || gateway.Settings.AdmitsLater) Enter(connection);
        else (_door ??= new AdmissionDoor(Loop, gateway.Admission, gateway.Limits, Enter)).Knock(connection);
    }

    public void OnLost(Listener listener)
    {
        if (!ReferenceEquals(listener.Handler, this)) share.Came();
    }

    private void Enter(Connection connection)
    {
        share.Opened();
        if (_ended.TryPop(out TcpSession? session)) session.Reuse(connection, gateway.Settings);
        else session = new TcpSession(this, connection, gateway.Settings);
        connection.Handler = session;
        session.NextSession = _first;
        if (_first is not null) _first.PreviousSession = session;
        _first = session;
        Counters.Total++;
        gateway.OnOpened(Loop);

        // Not by the message that is on its way: until it came this loop would go on accepting what waits.
        if (gateway.IsFull) SetPaused(true);
        session.Begin();

        // Given by a loop that drains later than this one.
        if (_drain is { } spread) session.Drain(spread * Random.Shared.NextDouble());
    }

    public void Ended(TcpSession session, RelayEnd end)
    {
        if (session.PreviousSession is null) _first = session.NextSession;
        else session.PreviousSession.NextSession = session.NextSession;
        if (session.NextSession is not null) session.NextSession.PreviousSession = session.PreviousSession;
        session.NextSession = session.PreviousSession = null;
        Counters.Ends[(int)end]++;
        if (end != RelayEnd.Completed) TransportLog.SessionEnded(logger, gateway.Name, end);
        if (_ended.Count < MostEnded && session.IsReusable) _ended.Push(session);
        share.Closed();
        if (gateway.Admission.Sources is not null || _announced.Count > 0) Leave(session);
        gateway.OnClosed();
    }

    /// <summary>This client counts for an address that its PROXY header names.</summary>
    public void Admitted(TcpSession session, in PeerAddress source)
    {
        if (gateway.Admission.Sources is not null) _announced[session] = source;
    }

    // By the address that was let in; one whose PROXY header never came was not.
    private void Leave(TcpSession session)
    {
        if (!_announced.Remove(session, out PeerAddress source))
        {
            if (gateway.Settings.AdmitsLater) return;
            session.Client.GetPeer(out source);
        }

        gateway.Admission.Release(in source);
    }

    /// <summary>Stops or starts accepting, when the gateway is full or has room again.</summary>
    public void SetPaused(bool paused)
    {
        if (_paused == paused) return;
        _paused = paused;
        foreach (Listener listener in _listeners)
        {
            if (paused) listener.Pause();
            else listener.Resume();
        }
    }

    public override void FollowGateway() => SetPaused(gateway.IsFull);

    public override void BeginDrain(TimeSpan spread)
    {
        foreach (Listener listener in _listeners) listener.Close();
        _listeners.Clear();
        _door?.Clear();
        _drain = spread;
        ForEach(session => session.Drain(spread * Random.Shared.NextDouble()));
    }

    /// <summary>Takes this server's connections from their sessions.</summary>
    public void Shutdown(Server server, RelayEnd end) => Shutdown(s => ReferenceEquals(s, server), end);

    /// <summary>The same for all backup servers of a pool.</summary>
    public void ShutdownBackups(ServerPool pool) => Shutdown(s => s.Backup && ReferenceEquals(s.Pool, pool), RelayEnd.MainMarkedUp);

    // All sessions are looked at: it is rare, and lists by server would cost every session two references for good.
    private void Shutdown(Func<Server, bool> isMeant, RelayEnd end)
    {
        // The first ones only: a session that is connected elsewhere instead may come back to this very server.
        List<TcpSession> sessions = [];
        for (TcpSession? session = _first; session is not null; session = session.NextSession)
        {
            if (session.Server is { } server && isMeant(server)) sessions.Add(session);
        }

        foreach (TcpSession session in sessions) session.Shutdown(end);
    }

    public override void KillAll() => ForEach(static session => session.Kill());

    private void ForEach(Action<TcpSession> action)
    {
        for (TcpSession? session = _first, next; session is not null; session = next)
        {
            next = session.NextSession;
            action(session);
        }
    }
}
