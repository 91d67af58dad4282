using System.Buffers;
using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>
/// The unsent remainder of one managed connection: one block is with the kernel, the next collects. Both are rented and given back as
/// soon as they are empty. Loop's thread.
/// </summary>
/// <param name="operation">The send operation, used for one block after the other.</param>
internal sealed class ManagedSender(SocketOperation operation)
{
    private byte[] _flying = [];
    private byte[] _collecting = [];
    private int _flyingLength;
    private int _collectingLength;

    /// <summary>Bytes that wait, in both blocks.</summary>
    public int Length => _flyingLength + _collectingLength;

    /// <summary>True while the kernel has a block.</summary>
    public bool IsBusy => _flyingLength > 0;

    /// <summary>How the last block ended.</summary>
    public SocketError Error => operation.SocketError;

    /// <summary>Copies bytes to the end.</summary>
    /// <exception cref="InvalidOperationException">More than 1 GiB would wait: the handler ignores back-pressure.</exception>
    public void Append(ReadOnlySpan<byte> data)
    {
        const int Largest = 1 << 30;
        if (data.Length > Largest - Length) throw new InvalidOperationException("More than 1 GiB waits on one connection.");
        int needed = _collectingLength + data.Length;
        if (needed > _collecting.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(needed);
            LoopMemory.Add(larger.Length);
            _collecting.AsSpan(0, _collectingLength).CopyTo(larger);
            GiveBack(ref _collecting);
            _collecting = larger;
        }

        data.CopyTo(_collecting.AsSpan(_collectingLength));
        _collectingLength = needed;
    }

    /// <summary>Gives what has been collected to the kernel; nothing when it is busy or there is nothing.</summary>
    public void Start(Socket socket)
    {
        if (IsBusy || _collectingLength == 0) return;
        (_flying, _collecting) = (_collecting, _flying);
        (_flyingLength, _collectingLength) = (_collectingLength, 0);
        operation.SetBuffer(_flying, 0, _flyingLength);
        if (!socket.SendAsync(operation)) operation.CompleteLater();
    }

    /// <summary>The kernel has taken, or refused, its block.</summary>
    public void Landed()
    {
        _flyingLength = 0;
        GiveBack(ref _flying);
    }

    /// <summary>Drops everything. A block that is still with the kernel is given back by <see cref="Landed"/>.</summary>
    public void Drop()
    {
        _collectingLength = 0;
        GiveBack(ref _collecting);
        operation.Dispose(); // waits for its end by itself
    }

    private static void GiveBack(ref byte[] block)
    {
        LoopMemory.Add(-block.Length);
        if (block.Length > 0) ArrayPool<byte>.Shared.Return(block);
        block = [];
    }
}
