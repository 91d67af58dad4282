using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Lb.Transport;

/// <summary>
/// TLS over a driver's connection, as server or as client: to its handler it is a connection that is established when the handshake is done, and whose
/// ends are the peer's close_notify. This file is what handlers call; <c>TlsConnection.Events.cs</c> is what the driver's connection tells.
/// </summary>
/// <remarks>
/// <see cref="SslStream"/> runs inline on the loop's thread: its reads are answered from the driver's buffer and looked at when the answer returns, so no
/// continuation, no other thread and no lock is between a record and the handler. An idle connection holds no buffer: a read of zero bytes waits.
/// After <see cref="IConnectionHandler.OnConnected"/> (which comes for accepted connections too) or <see cref="IConnectionHandler.OnClosed"/> the rules
/// are those of <see cref="Connection"/>.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "A connection ends with Close, Abort or OnClosed, which dispose of the stream.")]
[SuppressMessage("Reliability", "CA2012", Justification = "A read that waits is looked at when bytes have come, and its result is taken once.")]
internal sealed partial class TlsConnection : Connection, IConnectionHandler
{
    private readonly Connection _inner;
    private readonly TlsWire _wire;
    private readonly TlsRole _role;
    private SslStream? _stream;
    private Task? _handshake;
    private ValueTask<int> _read;
    private HandshakeTimer? _timer;
    private SendBuffer _early;
    private State _state;

    [Flags]
    private enum State : ushort
    {
        None = 0,
        Established = 1,
        Closed = 2,
        Paused = 4,
        ReadPending = 8,
        ShutdownAsked = 16,
        PeerDone = 32,
        OwesDrained = 64,
        TurnPosted = 128,
        Broken = 256,
    }

    [SetsRequiredMembers]
    private TlsConnection(Connection inner, IConnectionHandler handler, TlsRole role)
    {
        _inner = inner;
        _role = role;
        _wire = new TlsWire(inner);
        Handler = handler;
    }

    public override EventLoop Loop => _inner.Loop;

    public override bool IsOpen => (_state & (State.Established | State.Closed)) == State.Established && _inner.IsOpen;

    public override int PendingBytes => (_state & State.Closed) != 0 ? 0 : _inner.PendingBytes + _early.Length;

    /// <summary>Why the handshake failed, in words for a log; null while it has not.</summary>
    public string? Fault { get; private set; }

    /// <summary>The name that the client asked for; empty when it named none or before the handshake.</summary>
    public string ServerName { get; private set; } = "";

    /// <summary>The protocol chosen by ALPN; default when none was.</summary>
    public SslApplicationProtocol Alpn => IsUsable ? _stream!.NegotiatedApplicationProtocol : default;

    /// <summary>The version spoken; <see cref="SslProtocols.None"/> before the handshake and after the end.</summary>
    public SslProtocols Protocol => IsUsable ? _stream!.SslProtocol : SslProtocols.None;

    /// <summary>The cipher suite spoken; meaningful while <see cref="Connection.IsOpen"/>.</summary>
    public TlsCipherSuite CipherSuite => IsUsable ? _stream!.NegotiatedCipherSuite : default;

    /// <summary>The peer's certificate, if it showed one.</summary>
    public X509Certificate2? PeerCertificate => IsUsable ? _stream!.RemoteCertificate as X509Certificate2 : null;

    private bool IsUsable => (_state & (State.Established | State.Closed)) == State.Established;

    /// <summary>
    /// Puts TLS over an established connection and begins the handshake. Reading must not be paused. The handler hears
    /// <see cref="IConnectionHandler.OnConnected"/> or <see cref="IConnectionHandler.OnClosed"/> later, never from within this call.
    /// </summary>
    /// <param name="inner">The driver's connection; from now on it is this object's alone.</param>
    /// <param name="handler">Hears of the new connection.</param>
    /// <param name="role">Which side, by which settings.</param>
    /// <param name="first">Bytes of the peer that were read already.</param>
    public static TlsConnection Begin(Connection inner, IConnectionHandler handler, TlsRole role, ReadOnlySpan<byte> first = default)
    {
        TlsConnection connection = new(inner, handler, role);
        inner.Handler = connection;
        if (role.HandshakeTimeout > TimeSpan.Zero)
        {
            connection._timer = new HandshakeTimer(connection);
            inner.Loop.Schedule(connection._timer, role.HandshakeTimeout);
        }

        if (!first.IsEmpty) connection._wire.Keep(first);
        if (!role.IsServer || !first.IsEmpty) connection.PostTurn();
        return connection;
    }

    public override SendResult Send(ReadOnlySpan<byte> data)
    {
        if ((_state & (State.Closed | State.Broken)) != 0) return SendResult.Closed;
        if ((_state & State.ShutdownAsked) != 0) throw new InvalidOperationException("Send after ShutdownSend.");
        if ((_state & State.Established) == 0)
        {
            _early.Append(data);
            return Pending();
        }

        if (data.IsEmpty) return PendingBytes == 0 ? SendResult.Sent : SendResult.Pending;
        SendResult result = Encrypt(data);
        return result == SendResult.Pending ? Pending() : result;
    }

    public override void PauseReading()
    {
        _state |= State.Paused;

        // The handshake needs what comes, whoever wants to wait.
        if (IsUsable) _inner.PauseReading();
    }

    public override void DropOnReset()
    {
        if ((_state & State.Closed) == 0) _inner.DropOnReset();
    }

    public override void ResumeReading()
    {
        if ((_state & State.Paused) == 0) return;
        _state &= ~State.Paused;
        if (!IsUsable) return;

        // With a read that waits, everything that came has been handed on; else some of it may be in the records read before.
        if ((_state & State.ReadPending) != 0 && _wire.IsEmpty) _inner.ResumeReading();
        else PostTurn();
    }

    public override void ShutdownSend()
    {
        if ((_state & (State.Closed | State.ShutdownAsked)) != 0) return;
        _state |= State.ShutdownAsked;
        if (!IsUsable) return;
        SayGoodbye();
        _inner.ShutdownSend();
    }

    public override void Close()
    {
        if ((_state & State.Closed) != 0) return;
        if ((_state & (State.Established | State.ShutdownAsked | State.Broken)) == State.Established) SayGoodbye();
        _inner.Close();
        Release();
    }

    public override void Abort()
    {
        if ((_state & State.Closed) != 0) return;
        _inner.Abort();
        Release();
    }

    public override void GetPeer(out PeerAddress address) => _inner.GetPeer(out address);

    public override void GetLocal(out PeerAddress address) => _inner.GetLocal(out address);

    /// <summary>Ends the handshake with a fatal alert in plain text, which is right as long as no key was agreed on. For selections of a certificate.</summary>
    internal void Refuse(byte alert, string fault)
    {
        const byte AlertRecord = 21, Fatal = 2;
        Fault = fault;
        _wire.Write([AlertRecord, 3, 3, 0, 2, Fatal, alert]);
        _wire.IsMuted = true;
    }

    /// <summary>Notes what the handshake was about.</summary>
    internal void Asked(string name) => ServerName = name;

    /// <summary>Notes in words why the handshake will fail.</summary>
    internal void Explain(string fault) => Fault ??= fault;

    private unsafe SendResult Encrypt(ReadOnlySpan<byte> data)
    {
        const int OneRecord = 16 * 1024;
        bool gathers = data.Length > OneRecord;
        _wire.BeginWrite(gathers);
        try
        {
            fixed (byte* start = data)
            {
                ValueTask write = _stream!.WriteAsync(TlsScratch.Current.Lend(start, data.Length));
                Debug.Assert(write.IsCompleted, "The wire never waits.");
                write.GetAwaiter().GetResult();
            }

            return _wire.EndWrite();
        }
        catch (Exception error) when (error is IOException or AuthenticationException or InvalidOperationException)
        {
            _wire.EndWrite();
            Break(error);
            return SendResult.Closed;
        }
    }

    private SendResult Pending()
    {
        _state |= State.OwesDrained;
        return SendResult.Pending;
    }

    /// <summary>Sends close_notify: what came before is all there was.</summary>
    private void SayGoodbye()
    {
        try
        {
            // Completes inline, as every write here does.
            _stream!.ShutdownAsync().GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is IOException or AuthenticationException or InvalidOperationException)
        {
            // A stream that failed before has nothing to say any more.
            Explain(error.Message);
        }
    }

    /// <summary>The stream can't be used any more; the handler hears it later in the loop.</summary>
    private void Break(Exception error)
    {
        Explain(error.Message);
        _state |= State.Broken;
        PostTurn();
    }

    private void PostTurn()
    {
        if ((_state & State.TurnPosted) != 0) return;
        _state |= State.TurnPosted;
        Loop.Post(static state => ((TlsConnection)state!).OnTurn(), this);
    }

    /// <summary>Gives everything back. What still waits inside the stream is ended first, so that it lets go of its buffers.</summary>
    private void Release()
    {
        _state |= State.Closed;
        if (_timer is not null) Loop.Cancel(_timer);
        _timer = null;
        _early.Free();
        _wire.Abandon();
        if ((_state & State.ReadPending) != 0) Finish(_read);
        _state &= ~State.ReadPending;
        _ = _handshake?.Exception;
        _stream?.Dispose();
    }

    private static void Finish(ValueTask<int> read)
    {
        try
        {
            if (read.IsCompleted) _ = read.GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // It was cut off: just so.
        }
    }

    private sealed class HandshakeTimer(TlsConnection owner) : LoopTimer
    {
        protected internal override void OnTimer() => owner.OnHandshakeTimeout();
    }
}
