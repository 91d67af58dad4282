using System.Net;

namespace Lb.Transport;

/// <summary>
/// One client of a UDP gateway: its server, the socket towards it, and what was sent and answered. Everything runs on the loop that the client's datagrams
/// arrive at.
/// </summary>
internal sealed class UdpSession : IDatagramHandler
{
    private readonly UdpShard _shard;
    private readonly UdpSettings _settings;
    private ServerLease _lease;
    private DatagramSocket? _server;
    private Failures? _failures;
    private long _requests;
    private long _responses;
    private long _owedSince;
    private bool _isAssured;
    private bool _leaseAnswered;
    private bool _ended;

    /// <summary>Neighbours in the list of sessions by age.</summary>
    internal UdpSession? Older;
    internal UdpSession? Newer;

    /// <summary>What the batch at hand has brought for it: first and last slot, -1 = nothing; and the next session that got something.</summary>
    internal int Head = -1;
    internal int Tail;
    internal UdpSession? NextTouched;

    public UdpSession(UdpShard shard, DatagramSocket listener, in Datagram first, uint hash, UdpSettings settings, ServerLease lease)
    {
        _shard = shard;
        _settings = settings;
        _lease = lease;
        Listener = listener;
        Client = first.From;
        Local = first.Local;
        Hash = hash;
        LastActive = shard.Loop.Now;
    }

    /// <summary>Servers that could not be reached since the last answer.</summary>
    private sealed class Failures
    {
        public int Count;
        public ServerSet Tried;
        public Server Last = null!;
    }

    public DatagramSocket Listener { get; }

    /// <summary>Where its client counts until it ends; null = nowhere.</summary>
    public SourceLimiter? CountedBy { get; set; }

    public DatagramAddress Client { get; }

    /// <summary>The address that the client sends to, or empty when the listener has only one.</summary>
    public DatagramAddress Local { get; }

    public uint Hash { get; }

    /// <summary>Timestamp of the last datagram of either side.</summary>
    public long LastActive { get; private set; }

    /// <summary>The client has been answered and has sent again: it is no invention of somebody's who forges addresses.</summary>
    public bool IsAssured => _isAssured;

    /// <summary>Further datagrams of this client begin a new session.</summary>
    public bool IsUnbound { get; private set; }

    /// <summary>The server that it has a lease on, or null.</summary>
    internal Server? Server => _lease.Server;

    private bool HasLease => _lease.Server is not null;

    /// <summary>A message of the client is in the batch.</summary>
    public void Take(DatagramBatch batch, int index, long now)
    {
        ref Datagram item = ref batch[index];
        item.Next = -1;
        if (Head < 0) Head = index;
        else batch[Tail].Next = index;
        Tail = index;
        _requests += item.Count;
        bool assured = _responses > 0;
        if (LastActive != now || assured != _isAssured)
        {
            _shard.List(_isAssured).Remove(this);
            _isAssured = assured;
            _shard.List(assured).Add(this);
            LastActive = now;
        }

        if (_settings.Requests == 0 || _requests < _settings.Requests) return;
        _shard.Unbind(this);
        IsUnbound = true;
    }

    /// <summary>Sends on what <see cref="Take"/> has collected.</summary>
    public void Forward(DatagramBatch batch, long now)
    {
        int head = Head;
        Head = -1;
        CheckServer(now);
        while (true)
        {
            if (_server is null && !Attach(batch, head)) break;
            DatagramSend sent = _server!.Send(batch, head);
            if (!sent.Unreachable) break;

            // The error answers an earlier datagram; this one has not left and need not be lost.
            head = sent.Unsent;
            Fail(FailureKind.Connect);
            if (_failures!.Count <= _settings.Servers.Retries) continue;
            _shard.Drop(UdpDrop.ServerUnreachable, batch, head);
            break;
        }

        if (_settings.Responses > 0 && _owedSince == 0) _owedSince = now;
        if (_server is null && IsUnbound) End(UdpEnd.ServerUnreachable);
        else if (IsDone) End(UdpEnd.Completed);
    }

    public void OnReceived(DatagramSocket socket, DatagramBatch batch, int first, int count)
    {
        long now = _shard.Loop.Now;
        int head = _shard.Accept(batch, first, count, isAnswer: true, out int datagrams);
        if (head < 0) return;
        if (!_leaseAnswered) _lease.Responded(now);
        _leaseAnswered = true;
        _responses += datagrams;
        _owedSince = 0;
        _failures = null;
        if (LastActive != now)
        {
            LastActive = now;
            _shard.List(_isAssured).MoveToNewest(this);
        }

        Listener.Reply(batch, head, Client, Local);
        if (IsDone) End(UdpEnd.Completed);
    }

    public void OnUnreachable(DatagramSocket socket)
    {
        Fail(FailureKind.Connect);

        // Nothing more comes that could go to another server.
        if (IsUnbound) End(UdpEnd.ServerUnreachable);
    }

    /// <summary>It has been silent for the idle time.</summary>
    public void Expire()
    {
        if (_server is null) End(UdpEnd.ServerUnreachable);
        else End(_settings.Responses > 0 && _responses < _settings.Responses * _requests ? UdpEnd.ServerTimeout : UdpEnd.Idle);
    }

    public void End(UdpEnd end)
    {
        if (_ended) return;
        _ended = true;
        _shard.Ended(this, end);
        Detach(end == UdpEnd.ServerTimeout && _responses == 0 ? LeaseOutcome.Failure(FailureKind.Timeout) : Outcome);
    }

    // A server that has never answered may be one that never does (syslog): that is no success, and no failure either.
    private LeaseOutcome Outcome => _leaseAnswered ? LeaseOutcome.Success : LeaseOutcome.Ignored;

    // As nginx: the number of answers counts only once all datagrams that belong together have been sent.
    private bool IsDone => _settings.Responses >= 0 && (_settings.Requests == 0 || IsUnbound) && _responses >= _settings.Responses * _requests;

    private void Detach(LeaseOutcome outcome)
    {
        _server?.Close();
        _server = null;
        _leaseAnswered = false;
        if (!HasLease) return;
        _lease.Complete(outcome);
        _lease = default;
    }

    /// <summary>The server can't be reached, or owes an answer for too long: the next datagram goes to another one.</summary>
    private void Fail(FailureKind kind)
    {
        Server server = _lease.Server;
        _failures ??= new Failures();
        _failures.Count++;
        _failures.Last = server;
        _owedSince = 0;
        TransportLog.UdpServerFailed(_shard.Logger, _shard.Name, server.Pool.Name, server.Name, kind);
        Detach(LeaseOutcome.Failure(kind));
        if (_settings.Servers.ShouldRedispatch(Math.Min(_failures.Count, _settings.Servers.Retries))) _failures.Tried = _failures.Tried.With(server);
    }

    // A flow of datagrams never ends by itself as connections do: it would keep a dead server for as long as the client speaks.
    private void CheckServer(long now)
    {
        if (_server is null) return;
        if (_owedSince != 0 && _shard.Loop.Time.GetElapsedTime(_owedSince, now) >= _settings.Servers.ServerTimeout)
        {
            Fail(FailureKind.Timeout);
            return;
        }

        if (_lease.Server.Status is not (ServerStatus.Down or ServerStatus.Maintenance)) return;
        PickContext context = _shard.Context(Listener, Client, Local) with { Avoid = _lease.Server };
        if (!_shard.TryPick(_settings.Pool, in context, out ServerLease other, out _)) return;
        if (other.Server == _lease.Server)
        {
            // All are down, and the pool gives what there is.
            other.Complete(LeaseOutcome.Ignored);
            return;
        }

        Detach(Outcome);
        _lease = other;
        _shard.Counters.Redispatches++;
    }

    /// <summary>Sees to a server and a socket towards it.</summary>
    private bool Attach(DatagramBatch batch, int head)
    {
        if (!HasLease && !Pick(batch, head)) return false;
        if (_lease.Server.EndPoint is IPEndPoint address)
            _server = DatagramSocket.Connect((ReactorLoop)_shard.Loop, address, _settings.Connects?.For(_lease.Server), Client.ToPeer(), this, _shard.Counters.Drops);
        if (_server is not null) return true;
        _shard.Drop(UdpDrop.NoSocket, batch, head);
        End(UdpEnd.LocalError);
        return false;
    }

    private bool Pick(DatagramBatch batch, int head)
    {
        PickContext context = _shard.Context(Listener, Client, Local);
        if (_failures is { } failed) context = failed.Tried.IsEmpty ? context with { Prefer = failed.Last } : context with { Excluded = failed.Tried };
        if (!_shard.TryPick(_settings.Pool, in context, out _lease, out PickFailure failure))
        {
            _lease = default;
            _shard.Drop(failure == PickFailure.AllFull ? UdpDrop.ServersFull : UdpDrop.NoServer, batch, head);
            return false;
        }

        if (_failures?.Last != _lease.Server) _shard.Counters.Redispatches++;
        return true;
    }
}
