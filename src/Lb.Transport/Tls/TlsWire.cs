using System.Threading.Tasks.Sources;

namespace Lb.Transport;

/// <summary>
/// The encrypted side of a TLS connection as the stream that <see cref="System.Net.Security.SslStream"/> wants: reads are answered from the bytes that the
/// driver lends, inline and on the loop's thread, and writes never wait. Loop's thread only.
/// </summary>
/// <param name="connection">The driver's connection.</param>
internal sealed unsafe class TlsWire(Connection connection) : Stream, IValueTaskSource<int>
{
    private ManualResetValueTaskSourceCore<int> _reading;
    private Memory<byte> _destination;
    private SendBuffer _kept;
    private byte* _lent;
    private int _lentLength;
    private int _gathered;
    private bool _gathers;
    private bool _isEnded;
    private SendResult _result;

    /// <summary>True while a read waits for bytes.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>True when a read was answered with the end: whatever follows in the records is cut off.</summary>
    public bool EndWasRead { get; private set; }

    /// <summary>True when nothing is left of what has arrived.</summary>
    public bool IsEmpty => _lentLength == 0 && _kept.Length == 0;

    /// <summary>The next byte to be read, or null.</summary>
    public byte? First => IsEmpty ? null : _kept.Length > 0 ? *_kept.Start : *_lent;

    /// <summary>True once something has gone out.</summary>
    public bool HasSpoken { get; private set; }

    /// <summary>True when nothing may go out any more.</summary>
    public bool IsMuted { get; set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Bytes have arrived: answers the read that waits. They are lent until <see cref="EndLoan"/>.</summary>
    public void Lend(byte* data, int length)
    {
        _lent = data;
        _lentLength = length;
        Answer();
    }

    /// <summary>The loan ends: what nobody has read is copied.</summary>
    public void EndLoan()
    {
        if (_lentLength > 0) _kept.Append(new ReadOnlySpan<byte>(_lent, _lentLength));
        _lentLength = 0;
    }

    /// <summary>Puts bytes by for later.</summary>
    public void Keep(ReadOnlySpan<byte> data) => _kept.Append(data);

    /// <summary>Nothing more will arrive.</summary>
    public void End()
    {
        _isEnded = true;
        Answer();
    }

    /// <summary>Answers a read that waits from what was kept.</summary>
    public void Answer()
    {
        if (!IsWaiting || (IsEmpty && !_isEnded)) return;
        IsWaiting = false;
        Memory<byte> destination = _destination;
        _destination = default;
        _reading.SetResult(Take(destination));
    }

    /// <summary>The connection is gone: nothing goes out any more, reads end, and the memory is given back.</summary>
    public void Abandon()
    {
        IsMuted = true;
        _kept.Free();
        _lentLength = 0;
        End();
    }

    /// <summary>From here to <see cref="EndWrite"/> the results of sends are noted, and with <paramref name="gathers"/> records go out together.</summary>
    public void BeginWrite(bool gathers)
    {
        _gathers = gathers;
        _result = SendResult.Sent;
    }

    /// <summary>Sends what was gathered and says what became of it all.</summary>
    public SendResult EndWrite()
    {
        _gathers = false;
        Flush();
        return _result;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!IsEmpty || _isEnded) return new ValueTask<int>(Take(buffer));
        IsWaiting = true;
        _destination = buffer;
        _reading.Reset();
        return new ValueTask<int>(this, _reading.Version);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return default;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (IsMuted) return;
        HasSpoken = true;
        byte[] wire = TlsScratch.Current.Wire;
        if (!_gathers || buffer.Length > wire.Length)
        {
            Flush();
            Note(connection.Send(buffer));
            return;
        }

        if (buffer.Length > wire.Length - _gathered) Flush();
        buffer.CopyTo(wire.AsSpan(_gathered));
        _gathered += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A loop can't wait.");

    public override void Flush()
    {
        if (_gathered == 0) return;
        int length = _gathered;
        _gathered = 0;
        Note(connection.Send(TlsScratch.Current.Wire.AsSpan(0, length)));
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    int IValueTaskSource<int>.GetResult(short token) => _reading.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _reading.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _reading.OnCompleted(continuation, state, token, flags);

    // The worst of several counts.
    private void Note(SendResult result)
    {
        if (result > _result) _result = result;
    }

    private int Take(Memory<byte> destination)
    {
        if (destination.IsEmpty) return 0;
        if (IsEmpty)
        {
            EndWasRead = true;
            return 0;
        }

        bool isKept = _kept.Length > 0;
        int count = Math.Min(destination.Length, isKept ? _kept.Length : _lentLength);
        new ReadOnlySpan<byte>(isKept ? _kept.Start : _lent, count).CopyTo(destination.Span);
        if (isKept)
        {
            _kept.Consume(count);
        }
        else
        {
            _lent += count;
            _lentLength -= count;
        }

        return count;
    }
}
