using System.Net.Sockets;
using System.Text;

namespace Lb.Transport;

/// <summary>What a host gives to the process that takes over from it.</summary>
internal interface IHandOverSource
{
    /// <summary>Where it listens, as its configuration writes it, and a copy of each socket, which the caller closes.</summary>
    /// <param name="withSockets">False: the addresses alone, each with -1.</param>
    Task<IReadOnlyList<(string Address, int Descriptor)>> ListenersAsync(bool withSockets);

    /// <summary>The other process listens: this one accepts no more, and ends when its clients have.</summary>
    Task HandedOverAsync();

    /// <summary>Something has gone wrong with a process that asked; this host goes on.</summary>
    void Failed(string why);
}

/// <summary>
/// Gives the listening sockets to a process that asks for them over a Unix socket and proves to be of the same user, or root's. The sockets stay open here
/// until the other one says that it listens; both accept in between, and no client is refused.
/// </summary>
internal sealed class HandOverServer : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long the other one may take for a line.</summary>
    private static readonly TimeSpan s_slowness = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly string? _path;
    private readonly IHandOverSource _source;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private volatile bool _isGiven;

    private HandOverServer(Socket socket, UnixDomainSocketEndPoint address, IHandOverSource source, TimeProvider time)
    {
        _socket = socket;
        _path = UnixSocketFile.PathOf(address);
        _source = source;
        _time = time;
        _ = ServeAsync();
    }

    /// <summary>Begins to listen; the file of a process that is gone, or that has just handed over, is replaced.</summary>
    /// <exception cref="SocketException">The address can't be bound.</exception>
    public static HandOverServer Start(UnixDomainSocketEndPoint address, IHandOverSource source, TimeProvider time)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        try
        {
            try
            {
                socket.Bind(address);
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse && UnixSocketFile.TryRemoveStale(address, SocketType.Seqpacket))
            {
                socket.Bind(address);
            }

            if (UnixSocketFile.PathOf(address) is { } path && !OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            socket.Listen(4);
            return new HandOverServer(socket, address, source, time);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (_stop.IsCancellationRequested) return;
        _stop.Cancel();

        // Once given, the path belongs to the other process.
        if (_path is not null && !_isGiven) UnixSocketFile.Remove(_path);
        _socket.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested && !_isGiven)
        {
            try
            {
                using Socket peer = await _socket.AcceptAsync(_stop.Token).ConfigureAwait(false);
                await ServeAsync(peer).ConfigureAwait(false);
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                if (_stop.IsCancellationRequested) return;
                _source.Failed("it does not say that it is ready");
            }
            catch (Exception error)
            {
                if (_stop.IsCancellationRequested) return;
                _source.Failed(error.Message);

                // No descriptor, perhaps: the next attempt fails at once as well.
                await Task.Delay(s_pause, _time, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    // One asks at a time: two processes that take over at once would both believe that they had.
    private async Task ServeAsync(Socket peer)
    {
        if (!SocketPassing.IsTrusted((int)peer.Handle))
        {
            _source.Failed("it belongs to another user");
            return;
        }

        using CancellationTokenSource late = new(s_patience, _time);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(late.Token, _stop.Token);
        string wish = await HearAsync(peer, limit.Token).ConfigureAwait(false);
        bool takes = wish == HandOverClient.Take;
        if (!takes && wish != HandOverClient.List) return;
        bool isHeard = true;
        foreach ((string address, int descriptor) in await _source.ListenersAsync(takes).ConfigureAwait(false))
        {
            isHeard = isHeard && Say(peer, address, descriptor);
            if (descriptor >= 0) _ = Libc.Close(descriptor);
        }

        // Without the end the other one takes none: a listener that it did not get would be closed here, with the clients that wait in its queue.
        if (!isHeard || !Say(peer, HandOverClient.End, -1))
        {
            _source.Failed("it does not take them");
            return;
        }

        if (!takes) return;
        if (await HearAsync(peer, limit.Token).ConfigureAwait(false) != HandOverClient.Started)
        {
            _source.Failed("it has ended before it was ready");
            return;
        }

        // From here on the other one is in charge.
        _isGiven = true;
        await _source.HandedOverAsync().ConfigureAwait(false);
        _socket.Dispose();
        _ = Say(peer, HandOverClient.Done, -1);
    }

    // The framework has made the socket one that does not wait; some hundred messages fill it.
    private static bool Say(Socket peer, string text, int descriptor)
    {
        byte[] message = Encoding.UTF8.GetBytes(text);
        while (!SocketPassing.Send((int)peer.Handle, message, descriptor))
        {
            if (Libc.Errno != Errno.Again || !peer.Poll(s_slowness, SelectMode.SelectWrite)) return false;
        }

        return true;
    }

    private static async Task<string> HearAsync(Socket peer, CancellationToken ct)
    {
        byte[] message = new byte[HandOverClient.LongestMessage];
        int length = await peer.ReceiveAsync(message, ct).ConfigureAwait(false);
        return Encoding.UTF8.GetString(message, 0, length);
    }
}
