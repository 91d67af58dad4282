namespace Lb.Transport;

/// <summary>
/// One client's connection: picks a server, connects (again, if it must), relays, and ends in exactly one <see cref="RelayEnd"/>. Everything runs on the
/// loop that accepted the client. It hears both connections and is its own timer, so an idle session is three objects and no buffer.
/// </summary>
internal sealed partial class TcpSession : LoopTimer, IConnectionHandler
{
    private readonly TcpShard _shard;
    private TcpSettings _settings;
    private Connection _client;
    private Connection? _server;
    private ServerLease _lease;
    private long _clientActive;
    private long _serverActive;
    private Stage _stage;
    private bool _clientDone;
    private bool _serverDone;
    private bool _serverOwes;
    private bool _greeted;
    private Rare? _rare;

    /// <summary>Where the client counts until it ends; null = nowhere.</summary>
    internal SourceLimiter? CountedBy;

    /// <summary>Neighbours in the shard's list of open sessions.</summary>
    internal TcpSession? NextSession;
    internal TcpSession? PreviousSession;

    public TcpSession(TcpShard shard, Connection client, TcpSettings settings)
    {
        _shard = shard;
        _client = client;
        _settings = settings;
    }

    /// <summary>True for one that has ended and that nobody can reach any more: it may serve another client.</summary>
    public bool IsReusable => _stage == Stage.Ended && _rare is null;

    /// <summary>Serves another client, as if it were new.</summary>
    public void Reuse(Connection client, TcpSettings settings)
    {
        _client = client;
        _settings = settings;
        _server = null;
        _clientActive = _serverActive = 0;
        _stage = default;
        _clientDone = _serverDone = _serverOwes = _greeted = false;
    }

    private enum Stage : byte
    {
        Prelude,
        Queued,
        Connecting,
        TurnAround,
        Relaying,
        Ended,
    }

    /// <summary>What most sessions never need: steps before the pick, attempts after the first, the gateway's stop.</summary>
    private sealed class Rare
    {
        public TcpPrelude? Prelude;
        public long? DrainFrom;
        public int Retries;
        public ServerSet Tried;
        public Server? Last;
        public CancellationTokenSource? Queue;
        public RetryBudget? Claimed;
    }

    /// <summary>What came before the pick, for gateways that look at first bytes; else null.</summary>
    internal TcpPrelude? Prelude => _rare?.Prelude;

    /// <summary>Who is let in by its gateway.</summary>
    internal ConnectionAdmission Admission => _shard.Admission;

    /// <summary>The client's connection.</summary>
    internal Connection Client => _client;

    /// <summary>The server that it has a lease on, or null.</summary>
    internal Server? Server => _lease.Server;

    internal EventLoop Loop => _client.Loop;

    /// <summary>
    /// Nothing is read from the client before there is a server for it: what it sends waits in the kernel. Unless its first bytes are to be looked at.
    /// </summary>
    public void Begin()
    {
        if (_settings.Steps is not null)
        {
            _stage = Stage.Prelude;
            _rare = new Rare { Prelude = new TcpPrelude(this, _client, _settings) };
            _rare.Prelude.Begin();
            return;
        }

        if (_settings.Tls is { } tls)
        {
            _stage = Stage.Prelude;
            _client = TlsConnection.Begin(_client, this, tls.Current);
            return;
        }

        _client.PauseReading();
        _client.DropOnReset();
        Pick();
    }

    /// <summary>The client's first bytes have been looked at.</summary>
    public void Ready(TcpPrelude prelude)
    {
        _client.Handler = this;
        _settings = prelude.Settings;
        if (_settings.Tls is { } tls)
        {
            BeginTls(tls.Current, prelude);
            return;
        }

        _client.PauseReading();
        _clientDone = prelude.HasEnded;
        Pick();
    }

    // What was read and not used is the beginning of the handshake, and nothing for the server.
    private void BeginTls(TlsServer role, TcpPrelude prelude)
    {
        if (prelude.HasEnded)
        {
            End(RelayEnd.TlsHandshakeFailed);
            return;
        }

        _client = TlsConnection.Begin(_client, this, role, prelude.Early);
        prelude.FreeEarly();
    }

    /// <summary>The client was let in by an address that is not its connection's.</summary>
    public void Admitted(in PeerAddress source, SourceLimiter? countedBy) => _shard.Admitted(this, in source, countedBy);

    /// <summary>The client is not served.</summary>
    public void Refuse(RelayEnd end) => End(end);

    private PickContext Context()
    {
        if (_rare?.Prelude is { } prelude)
        {
            return new PickContext
            {
                Source = prelude.Source,
                Destination = prelude.Destination,
                Request = prelude,
                Prefer = prelude.Prefer,
                Priority = _settings.Priority,
                Now = Loop.Now,
                Excluded = _rare.Tried,
            };
        }

        _client.GetPeer(out PeerAddress source);
        return new PickContext { Source = source, Priority = _settings.Priority, Now = Loop.Now, Excluded = _rare?.Tried ?? default };
    }

    private void Pick()
    {
        PickContext context = Context();
        Pick(in context);
    }

    private void Pick(in PickContext context)
    {
        PickFailure failure;
        try
        {
            if (_settings.Pool.TryPick(in context, out _lease, out failure)) failure = PickFailure.None;
        }
        catch (Exception error)
        {
            // A policy of the host's own. Nobody else would end this session.
            TransportLog.PickFailed(_shard.Logger, error, _shard.Name);
            End(RelayEnd.ConnectLocalError);
            return;
        }

        if (failure == PickFailure.None) Picked();
        else if (failure == PickFailure.AllFull) Wait(in context);
        else End(RelayEnd.NoServer);
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
