using System.Net;
using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>A UDP gateway's part on one loop: its sockets, its sessions, its counters. Members are for the loop's thread.</summary>
internal sealed class UdpShard : GatewayShard, IDatagramHandler
{
    /// <summary>While the gateway stops, a session that is silent for so long has got its answer.</summary>
    internal static readonly TimeSpan DrainQuiet = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan FullLogInterval = TimeSpan.FromMinutes(1);

    private readonly UdpGateway _gateway;
    private readonly List<DatagramSocket> _listeners = [];
    private readonly UdpTable _table = new();
    private readonly UdpSessionList _young = new();
    private readonly UdpSessionList _assured = new();
    private readonly IdleTimer _idle;
    private long? _fullLogged;
    private bool _draining;

    public UdpShard(UdpGateway gateway, EventLoop loop, ILogger logger)
        : base(loop)
    {
        _gateway = gateway;
        _idle = new IdleTimer(this);
        Logger = logger;
    }

    public string Name => _gateway.Name;

    public ILogger Logger { get; }

    public UdpCounters Counters { get; } = new();

    private TimeSpan Idle => _draining && DrainQuiet < _gateway.Settings.Idle ? DrainQuiet : _gateway.Settings.Idle;

    public override IListening Listen(ListenAddress address, in ListenOptions options)
    {
        DatagramSocket socket = DatagramSocket.Bind((ReactorLoop)Loop, (IPEndPoint)address.EndPoint, in options, this, Counters.Drops);
        _listeners.Add(socket);
        return socket;
    }

    // Answers leave from this very address, so its sessions end with it.
    public override void Close(IListening listening)
    {
        DatagramSocket socket = (DatagramSocket)listening;
        if (!_listeners.Remove(socket)) return;
        ForEach(session =>
        {
            if (session.Listener == socket) session.End(UdpEnd.Drained);
        });
        socket.Close();
    }

    public override void BeginDrain(TimeSpan spread)
    {
        _draining = true;
        FollowSettings();
        CloseIfDrained();
    }

    public override void KillAll() => ForEach(static session => session.End(UdpEnd.Drained));

    // A full gateway goes on listening: new clients take the place of the oldest.
    public override void FollowGateway()
    {
    }

    /// <summary>The idle time may be another now.</summary>
    public void FollowSettings()
    {
        if (_young.Oldest is not null || _assured.Oldest is not null) Loop.Schedule(_idle, TimeSpan.Zero);
    }

    public void OnReceived(DatagramSocket socket, DatagramBatch batch, int first, int count)
    {
        long now = Loop.Now;
        UdpSession? touched = null, last = null;
        for (int i = Accept(batch, first, count, isAnswer: false, out _), next; i >= 0; i = next)
        {
            ref Datagram item = ref batch[i];
            next = item.Next;
            uint hash = _table.Hash(in item);
            UdpSession? session = _table.Find(hash, socket, in item) ?? Open(socket, in item, hash);
            if (session is null) continue;
            if (session.Head < 0)
            {
                if (last is null) touched = session;
                else last.NextTouched = session;
                last = session;
            }

            session.Take(batch, i, now);
        }

        for (UdpSession? session = touched, next; session is not null; session = next)
        {
            next = session.NextTouched;
            session.NextTouched = null;
            session.Forward(batch, now);
        }
    }

    // Bound sockets hear of no single client that is gone.
    public void OnUnreachable(DatagramSocket socket)
    {
    }

    /// <summary>Counts what has arrived, and leaves out what was cut off.</summary>
    /// <returns>The first message that is whole, or -1.</returns>
    public int Accept(DatagramBatch batch, int first, int count, bool isAnswer, out int datagrams)
    {
        int head = -1, tail = -1;
        long bytes = 0;
        datagrams = 0;
        for (int i = first; i < first + count; i++)
        {
            ref Datagram item = ref batch[i];
            if (item.Length < 0)
            {
                Counters.Drops[(int)UdpDrop.Truncated]++;
                continue;
            }

            datagrams += item.Count;
            bytes += item.Length;
            item.Next = -1;
            if (tail < 0) head = i;
            else batch[tail].Next = i;
            tail = i;
        }

        if (isAnswer)
        {
            Counters.DatagramsOut += datagrams;
            Counters.BytesOut += bytes;
        }
        else
        {
            Counters.DatagramsIn += datagrams;
            Counters.BytesIn += bytes;
        }

        return head;
    }

    public void Drop(UdpDrop reason, DatagramBatch batch, int head)
    {
        for (int i = head; i >= 0; i = batch[i].Next) Counters.Drops[(int)reason] += batch[i].Count;
    }

    public UdpSessionList List(bool assured) => assured ? _assured : _young;

    public PickContext Context(DatagramSocket listener, in DatagramAddress client, in DatagramAddress local)
    {
        PeerAddress own = PeerAddress.From((IPEndPoint)listener.LocalEndPoint);
        return new PickContext { Source = client.ToPeer(), Destination = local.IsEmpty ? own : local.ToPeer(own.Port), Now = Loop.Now };
    }

    public bool TryPick(ServerPool pool, in PickContext context, out ServerLease lease, out PickFailure failure)
    {
        try
        {
            return pool.TryPick(in context, out lease, out failure);
        }
        catch (Exception error)
        {
            // A policy of the host's own.
            TransportLog.PickFailed(Logger, error, Name);
            lease = default;
            failure = PickFailure.NoServer;
            return false;
        }
    }

    /// <summary>The next datagram of this client begins a new session.</summary>
    public void Unbind(UdpSession session) => _table.Remove(session);

    public void Ended(UdpSession session, UdpEnd end)
    {
        if (!session.IsUnbound) _table.Remove(session);
        List(session.IsAssured).Remove(session);
        Counters.Ends[(int)end]++;
        if (end is not (UdpEnd.Completed or UdpEnd.Idle)) TransportLog.UdpSessionEnded(Logger, Name, end);
        if (_gateway.Admission.Sources is not null) _gateway.Admission.Release(session.Client.ToPeer());
        _gateway.OnClosed();
        if (_draining) CloseIfDrained();
    }

    /// <summary>Ends this server's sessions.</summary>
    public void Shutdown(Server server, UdpEnd end) => Shutdown(s => ReferenceEquals(s, server), end);

    /// <summary>The same for all backup servers of a pool.</summary>
    public void ShutdownBackups(ServerPool pool) => Shutdown(s => s.Backup && ReferenceEquals(s.Pool, pool), UdpEnd.MainMarkedUp);

    private void Shutdown(Func<Server, bool> isMeant, UdpEnd end) => ForEach(session =>
    {
        if (session.Server is { } server && isMeant(server)) session.End(end);
    });

    private UdpSession? Open(DatagramSocket listener, in Datagram item, uint hash)
    {
        if (_draining) return Refuse(UdpDrop.Draining, in item);

        // A datagram can't be held or reset: whoever is not let in is not heard.
        PeerAddress client = item.From.ToPeer();
        if (!_gateway.Admission.IsOpen && _gateway.Admission.Decide(in client, Loop.Now).Action != AccessAction.Allow) return Refuse(UdpDrop.Denied, in item);
        UdpSession? session = OpenAdmitted(listener, in item, hash);
        if (session is null) _gateway.Admission.Release(in client);
        return session;
    }

    private UdpSession? OpenAdmitted(DatagramSocket listener, in Datagram item, uint hash)
    {
        UdpSettings settings = _gateway.Settings;
        PickContext context = Context(listener, item.From, item.Local);
        if (!TryPick(settings.Pool, in context, out ServerLease lease, out PickFailure failure))
            return Refuse(failure == PickFailure.AllFull ? UdpDrop.ServersFull : UdpDrop.NoServer, in item);
        if ((_gateway.OpenConnections >= settings.MaxSessions || _gateway.Limits.IsFullForSessions(_gateway.OpenConnections)) && !Evict(_gateway.OpenConnections))
        {
            lease.Complete(LeaseOutcome.Ignored);
            return Refuse(UdpDrop.SessionLimit, in item);
        }

        UdpSession session = new(this, listener, in item, hash, settings, lease);
        _table.Add(session);
        _young.Add(session);
        Counters.Sessions++;
        _gateway.OnOpened();
        if (!_idle.IsScheduled) Loop.Schedule(_idle, Idle);
        return session;
    }

    private UdpSession? Refuse(UdpDrop reason, in Datagram item)
    {
        Counters.Drops[(int)reason] += item.Count;
        return null;
    }

    /// <summary>
    /// Makes room: of the clients that have not spoken after an answer the one silent for longest, and only then of the others. Forged senders never come that
    /// far, so a flood of them does not drive out those who are served.
    /// </summary>
    private bool Evict(int limit)
    {
        if (_fullLogged is not { } logged || Loop.Time.GetElapsedTime(logged, Loop.Now) >= FullLogInterval)
        {
            _fullLogged = Loop.Now;
            TransportLog.UdpTableFull(Logger, Name, limit);
        }

        // One with datagrams in the batch at hand is not idle.
        UdpSession? oldest = _young.Oldest is { Head: < 0 } young ? young : _assured.Oldest;
        if (oldest is null || oldest.Head >= 0) return false;
        oldest.End(UdpEnd.Evicted);
        return true;
    }

    private void ExpireIdle()
    {
        TimeSpan idle = Idle, rest = Shorter(Expire(_young, idle), Expire(_assured, idle));
        if (rest != TimeSpan.MaxValue) Loop.Schedule(_idle, rest);
    }

    private TimeSpan Expire(UdpSessionList list, TimeSpan idle)
    {
        while (list.Oldest is { } oldest)
        {
            TimeSpan rest = idle - Loop.Time.GetElapsedTime(oldest.LastActive, Loop.Now);
            if (rest > TimeSpan.Zero) return rest;
            if (_draining) oldest.End(UdpEnd.Drained);
            else oldest.Expire();
        }

        return TimeSpan.MaxValue;
    }

    private void CloseIfDrained()
    {
        if (_young.Oldest is not null || _assured.Oldest is not null) return;
        foreach (DatagramSocket listener in _listeners) listener.Close();
        _listeners.Clear();
    }

    private void ForEach(Action<UdpSession> action)
    {
        foreach (UdpSessionList list in (UdpSessionList[])[_young, _assured])
        {
            for (UdpSession? session = list.Oldest, next; session is not null; session = next)
            {
                next = session.Newer;
                action(session);
            }
        }
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private sealed class IdleTimer(UdpShard shard) : LoopTimer
    {
        protected internal override void OnTimer() => shard.ExpireIdle();
    }
}
