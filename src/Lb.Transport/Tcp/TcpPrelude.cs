using System.Buffers;

namespace Lb.Transport;

/// <summary>
/// The time between accept and pick of a client whose first bytes matter: it hears the client in the session's place, runs the gateway's steps one after
/// the other, and hands the client over with what they found. What they did not use goes to the server first. Loop's thread.
/// </summary>
internal sealed class TcpPrelude : LoopTimer, IConnectionHandler, IPickRequest
{
    private readonly TcpSession _session;
    private readonly Connection _client;
    private readonly IPreludeStep[] _steps;
    private byte[] _bytes = [];
    private int _length;
    private int _step = -1;
    private bool _over;

    public TcpPrelude(TcpSession session, Connection client, TcpSettings settings)
    {
        _session = session;
        _client = client;
        _steps = settings.Steps!;
        Settings = settings;
        client.GetPeer(out PeerAddress peer);
        Peer = Source = peer;
    }

    /// <summary>What the session goes by from now on: a step that chooses a pool sets the settings of its route.</summary>
    public TcpSettings Settings { get; set; }

    /// <summary>Who is connected to us.</summary>
    public PeerAddress Peer { get; }

    /// <summary>Who the client is: <see cref="Peer"/>, or whom a PROXY header names.</summary>
    public PeerAddress Source { get; set; }

    /// <summary>The address the client connected to, when a PROXY header names it; empty: ours.</summary>
    public PeerAddress Destination { get; set; }

    /// <summary>The PROXY header that the connection began with, when it says more than addresses; null = none.</summary>
    public byte[]? Announced { get; set; }

    /// <summary>The server that persistence names in the client's first bytes (an RDP cookie); null = none.</summary>
    public Server? Prefer { get; set; }

    /// <summary>While it waits to be let in; else null.</summary>
    public AdmissionHold? Hold { get; private set; }

    /// <summary>It is the step's own time that makes it look, and no byte or end.</summary>
    public bool IsDue { get; private set; }

    /// <summary>Its <see cref="Source"/> counts as having one more connection until it ends.</summary>
    /// <param name="countedBy">Where; null = nowhere.</param>
    public void Admitted(SourceLimiter? countedBy) => _session.Admitted(Source, countedBy);

    /// <summary>Has it wait, unless as many wait as may.</summary>
    public bool TryHold(AdmissionHold hold)
    {
        if (!Admission.TryHold()) return false;
        Hold = hold;
        return true;
    }

    /// <summary>It waits no more. Idempotent.</summary>
    public void LetGo()
    {
        if (Hold is null) return;
        Hold = null;
        Admission.LetGo();
    }

    /// <summary>The step that wants more looks again then, instead of at its time-out.</summary>
    public void LookAgain(TimeSpan after) => _session.Loop.Schedule(this, after);

    /// <summary>Who is let in by the gateway.</summary>
    public ConnectionAdmission Admission => _session.Admission;

    /// <summary>The timestamp of this turn of the loop.</summary>
    public long Now => _session.Loop.Now;

    /// <summary>Time since a timestamp of the loop.</summary>
    public TimeSpan Since(long timestamp) => _session.Loop.Time.GetElapsedTime(timestamp, Now);

    /// <summary>What the client has sent and no step has used.</summary>
    public ReadOnlySpan<byte> Early => _bytes.AsSpan(0, _length);

    public ReadOnlySpan<byte> FirstBytes => Early;

    public ReadOnlySpan<byte> Target => [];

    public ReadOnlySpan<byte> Body => [];

    /// <summary>The client has finished sending already.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>The local address of the client's connection.</summary>
    public void GetLocal(out PeerAddress address) => _client.GetLocal(out address);

    public bool TryGetHeader(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = [];
        return false;
    }

    /// <summary>The client's connection is gone without a word; the step refuses the client then.</summary>
    public void Vanish() => _client.Vanish();

    /// <summary>Runs the steps; <see cref="TcpSession.Ready"/> or an end of the session follows, possibly from within this call.</summary>
    public void Begin()
    {
        _client.Handler = this;
        _client.DropOnReset();
        Advance([]);
    }

    /// <summary>The session is over. Idempotent.</summary>
    public void Cancel()
    {
        _over = true;
        _session.Loop.Cancel(this);
        LetGo();
        FreeEarly();
    }

    /// <summary>The early bytes are on their way. Idempotent.</summary>
    public void FreeEarly()
    {
        LoopMemory.Add(-_bytes.Length);
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        _length = 0;
    }

    public void OnData(Connection connection, ReadOnlySpan<byte> data)
    {
        if (_length == 0)
        {
            Look(data, isEnd: false);
            return;
        }

        Keep(data);
        Look(Early, isEnd: false);
    }

    public void OnEndOfStream(Connection connection)
    {
        HasEnded = true;
        Look(Early, isEnd: true);
    }

    public void OnClosed(Connection connection, CloseReason reason) => _session.OnClosed(connection, reason);

    public void OnConnected(Connection connection)
    {
    }

    public void OnDrained(Connection connection)
    {
    }

    protected internal override void OnTimer()
    {
        if (_steps[_step].TimedOut is { } end)
        {
            _session.Refuse(end);
            return;
        }

        IsDue = true;
        Look(Early, isEnd: true);
        IsDue = false;
    }

    /// <summary>Begins the next step that has something to do for this client.</summary>
    private void Advance(ReadOnlySpan<byte> bytes)
    {
        while (++_step < _steps.Length)
        {
            PreludeResult result = _steps[_step].Begin(this, out RelayEnd end);
            if (result == PreludeResult.Done) continue;
            if (result == PreludeResult.Refused)
            {
                _session.Refuse(end);
                return;
            }

            _session.Loop.Schedule(this, Hold?.Wait ?? _steps[_step].Timeout);
            if (bytes.IsEmpty) SetEarly(bytes);
            if (!bytes.IsEmpty || HasEnded) Look(bytes, HasEnded);
            return;
        }

        SetEarly(bytes);
        _over = true;
        _session.Loop.Cancel(this);
        _session.Ready(this);
    }

    private void Look(ReadOnlySpan<byte> bytes, bool isEnd)
    {
        if (_over) return;
        switch (_steps[_step].Look(this, bytes, isEnd, out int consumed, out RelayEnd end))
        {
            case PreludeResult.Done:
                Advance(bytes[consumed..]);
                break;
            case PreludeResult.Refused:
                _session.Refuse(end);
                break;
            default:
                SetEarly(bytes);
                break;
        }
    }

    // The bytes may be lent, or be the end of what is kept already.
    private void SetEarly(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == _length) return;
        if (_length > 0)
        {
            bytes.CopyTo(_bytes);
            _length = bytes.Length;
            return;
        }

        Keep(bytes);
    }

    private void Keep(ReadOnlySpan<byte> data)
    {
        if (_length + data.Length > _bytes.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(_length + data.Length);
            LoopMemory.Add(larger.Length - _bytes.Length);
            Early.CopyTo(larger);
            if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        data.CopyTo(_bytes.AsSpan(_length));
        _length += data.Length;
    }
}
