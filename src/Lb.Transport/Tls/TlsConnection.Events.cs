using System.Net.Security;
using System.Security.Authentication;

namespace Lb.Transport;

/// <content>What the driver's connection tells: the handshake, records, ends.</content>
internal sealed partial class TlsConnection
{
    private const int Nothing = -1;
    private const int Failed = -2;
    private const byte DecodeError = 50;

    void IConnectionHandler.OnConnected(Connection connection)
    {
        // It was established before.
    }

    unsafe void IConnectionHandler.OnData(Connection connection, ReadOnlySpan<byte> data)
    {
        // After the peer's close_notify nothing counts any more.
        if ((_state & (State.Closed | State.Broken | State.PeerDone)) != 0) return;
        fixed (byte* start = data)
        {
            _wire.Lend(start, data.Length);
            Advance();
            _wire.EndLoan();
        }
    }

    void IConnectionHandler.OnDrained(Connection connection) => DrainedIfOwed();

    private void DrainedIfOwed()
    {
        if ((_state & (State.Established | State.OwesDrained | State.Closed)) != (State.Established | State.OwesDrained)) return;
        _state &= ~State.OwesDrained;
        Handler.OnDrained(this);
    }

    void IConnectionHandler.OnEndOfStream(Connection connection)
    {
        if ((_state & (State.Closed | State.PeerDone)) != 0) return;
        _wire.End();
        Advance();
    }

    void IConnectionHandler.OnClosed(Connection connection, CloseReason reason)
    {
        if ((_state & State.Closed) != 0) return;
        bool isEarly = (_state & State.Established) == 0;
        if (isEarly) Explain("the connection was reset");
        Release();
        Handler.OnClosed(this, isEarly && reason == CloseReason.Reset ? CloseReason.HandshakeFailed : reason);
    }

    private void OnTurn()
    {
        _state &= ~State.TurnPosted;
        if ((_state & State.Closed) != 0) return;
        try
        {
            if ((_state & State.Broken) != 0) End(CloseReason.Reset);
            else Advance();
            if ((_state & (State.Closed | State.Paused)) == 0) _inner.ResumeReading();
        }
        catch
        {
            // As a driver does when its handler throws: in no known state.
            if ((_state & State.Closed) == 0) End(CloseReason.LocalError);
            throw;
        }
    }

    private void OnHandshakeTimeout() => Fail("no handshake in time", CloseReason.HandshakeTimeout);

    /// <summary>Goes as far as what has arrived allows.</summary>
    private void Advance()
    {
        if ((_state & State.Established) == 0 && !Shake()) return;
        if ((_state & (State.Paused | State.Closed | State.PeerDone)) == 0) Pump();
    }

    /// <returns>True when the handshake is done and the connection still open.</returns>
    private bool Shake()
    {
        if (_handshake is null)
        {
            if (_role.IsServer && !LooksRight()) return false;
            _stream = new SslStream(_wire, leaveInnerStreamOpen: true);
            _handshake = _role.AuthenticateAsync(_stream, this);
        }
        else
        {
            _wire.Answer();
        }

        if (!_handshake.IsCompleted) return false;
        if (_handshake.IsFaulted)
        {
            // What is no ClientHello at all the framework leaves without a word.
            if (_role.IsServer && !_wire.HasSpoken && !_wire.EndWasRead) Refuse(DecodeError, "no ClientHello");
            Fail(Words(_handshake.Exception.InnerException!));
            return false;
        }

        _handshake = null;
        if (_timer is not null) Loop.Cancel(_timer);
        _timer = null;
        _state |= State.Established;
        if ((_state & State.Paused) != 0) _inner.PauseReading();
        SendEarly();
        Handler.OnConnected(this);
        if (PendingBytes == 0) DrainedIfOwed();
        return (_state & State.Closed) == 0;
    }

    // A scanner or a client that speaks plain text: told apart by the first byte, without the price of a handshake.
    private bool LooksRight()
    {
        const byte Handshake = 22;
        if (_wire.First is not { } first)
        {
            Fail("closed before a word was said");
            return false;
        }

        if (first == Handshake) return true;
        Fail("not TLS");
        return false;
    }

    private unsafe void SendEarly()
    {
        if (_early.Length > 0)
        {
            Encrypt(new ReadOnlySpan<byte>(_early.Start, _early.Length));
            _early.Free();
        }

        if ((_state & State.ShutdownAsked) == 0) return;
        SayGoodbye();
        _inner.ShutdownSend();
    }

    /// <summary>Hands on what can be decrypted, in pieces of up to <see cref="TlsScratch.PlainSize"/>.</summary>
    private void Pump()
    {
        const int Room = 16 * 1024;
        byte[] plain = TlsScratch.Current.Plain;
        int filled = 0;
        while (true)
        {
            int count = Decrypt(plain.AsMemory(filled));
            if (count > 0) filled += count;
            if (count > 0 && plain.Length - filled >= Room) continue;
            if (filled > 0) Handler.OnData(this, plain.AsSpan(0, filled));
            filled = 0;
            if ((_state & (State.Closed | State.Paused)) != 0 || count == Nothing) return;
            if (count > 0) continue;
            if (count == 0) OnPeerDone();
            else End(CloseReason.Reset);
            return;
        }
    }

    /// <returns>Bytes; 0 at the end of the stream, <see cref="Nothing"/> when no whole record is there, <see cref="Failed"/> after a fault.</returns>
    private int Decrypt(Memory<byte> destination)
    {
        try
        {
            // With a whole record there, this never waits.
            return HasRecord() ? _stream!.ReadAsync(destination).GetAwaiter().GetResult() : Nothing;
        }
        catch (Exception error) when (error is IOException or AuthenticationException)
        {
            Explain(error.Message);
            _state |= State.Broken;
            return Failed;
        }
    }

    /// <summary>A read of zero bytes ends when a record was decrypted, and while it waits it holds no buffer.</summary>
    private bool HasRecord()
    {
        if ((_state & State.ReadPending) == 0)
        {
            _read = _stream!.ReadAsync(Memory<byte>.Empty);
            _state |= State.ReadPending;
        }
        else
        {
            _wire.Answer();
        }

        if (!_read.IsCompleted) return false;
        _state &= ~State.ReadPending;
        _read.GetAwaiter().GetResult();
        return true;
    }

    private void OnPeerDone()
    {
        // Without close_notify nobody knows whether it was all (RFC 8446, 6.1). A client that was told of the end before may simply leave; what a server still
        // says after the client's end is the answer.
        if (_wire.EndWasRead && (!_role.IsServer || (_state & State.ShutdownAsked) == 0))
        {
            Explain("cut off without close_notify");
            End(CloseReason.Reset);
            return;
        }

        _state |= State.PeerDone;
        Handler.OnEndOfStream(this);
    }

    private void Fail(string fault, CloseReason reason = CloseReason.HandshakeFailed)
    {
        Explain(fault);

        // Not a reset: that would take the alert back.
        _inner.Close();
        Release();
        Handler.OnClosed(this, reason);
    }

    private void End(CloseReason reason)
    {
        _inner.Abort();
        Release();
        Handler.OnClosed(this, reason);
    }

    // The innermost reason is the one that says something.
    private static string Words(Exception error)
    {
        while (error.InnerException is { } inner) error = inner;
        return error.Message;
    }
}
