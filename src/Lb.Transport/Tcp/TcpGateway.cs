using System.Net;
using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>
/// A TCP gateway: takes clients in on its listeners and relays each to a server of its pool (HAProxy <c>mode tcp</c>). Hosts make it by
/// <c>AddTcpGateway</c> or configuration. Properties may be read by any thread.
/// </summary>
public sealed class TcpGateway
{
    private readonly LoopGroup _loops;
    private readonly TcpShard[] _shards;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Bound> _bound = [];
    private readonly MarkedServers _marked;
    private volatile IReadOnlyList<EndPoint> _endPoints = [];
    private volatile TcpSettings _settings;
    private int _open;
    private int _full;
    private int _stopping;
    private int _draining;

    internal TcpGateway(string name, LoopGroup loops, TcpSettings settings, ILogger logger)
    {
        Name = name;
        _loops = loops;
        _settings = settings;
        _logger = logger;
        _marked = new MarkedServers(this);
        _shards = [.. loops.Loops.Select(loop => new TcpShard(this, loop, logger))];
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The pool that serves it.</summary>
    public ServerPool Pool => _settings.Pool;

    /// <summary>Where it listens, with the real ports.</summary>
    public IReadOnlyList<EndPoint> EndPoints => _endPoints;

    /// <summary>Client connections open now.</summary>
    public int OpenConnections => Volatile.Read(ref _open);

    /// <summary>Client connections ever accepted.</summary>
    public long TotalConnections => Sum(static c => Volatile.Read(ref c.Total));

    /// <summary>Bytes received from clients.</summary>
    public long BytesIn => Sum(static c => Volatile.Read(ref c.BytesIn));

    /// <summary>Bytes received from servers.</summary>
    public long BytesOut => Sum(static c => Volatile.Read(ref c.BytesOut));

    /// <summary>Connection attempts after a failed one (HAProxy <c>wretr</c>).</summary>
    public long Retries => Sum(static c => Volatile.Read(ref c.Retries));

    /// <summary>Attempts that went to another server than the failed one (HAProxy <c>wredis</c>).</summary>
    public long Redispatches => Sum(static c => Volatile.Read(ref c.Redispatches));

    internal TcpSettings Settings => _settings;

    /// <summary>Client connections that ended in this way.</summary>
    /// <param name="end">The way.</param>
    public long Count(RelayEnd end) => Sum(c => Volatile.Read(ref c.Ends[(int)end]));

    private long Sum(Func<TcpCounters, long> value)
    {
        long sum = 0;
        foreach (TcpShard shard in _shards) sum += value(shard.Counters);
        return sum;
    }

    /// <summary>New connections go by the new settings; open ones keep theirs.</summary>
    internal void Update(TcpSettings settings)
    {
        _settings = settings;
        _marked.Watch(settings.Pool);
        AdjustAccepting();
    }

    internal bool Listens(ListenAddress address) => _bound.Exists(b => b.Address.Equals(address));

    /// <summary>Opens the listeners that are new and closes those that are not wanted any more. On a fault nothing has changed.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">An address can't be bound.</exception>
    internal async Task ListenAsync(IReadOnlyList<ListenAddress> wanted, int backlog)
    {
        List<Bound> opened = [];
        _marked.Watch(Pool);
        try
        {
            foreach (ListenAddress address in wanted.Where(a => !Listens(a))) opened.Add(await OpenAsync(address, backlog).ConfigureAwait(false));
        }
        catch
        {
            foreach (Bound bound in opened) await CloseAsync(bound).ConfigureAwait(false);
            if (_bound.Count == 0) _marked.Stop();
            throw;
        }

        await CloseAsync([.. _bound.Select(static b => b.Address).Where(a => !wanted.Contains(a))]).ConfigureAwait(false);
        _bound.AddRange(opened);
        _endPoints = [.. _bound.Select(static b => b.EndPoint)];
        foreach (Bound bound in opened) TransportLog.Listening(_logger, Name, bound.EndPoint, Pool.Name);
    }

    /// <summary>Closes the listeners of these addresses; connections stay.</summary>
    internal async Task CloseAsync(IReadOnlyList<ListenAddress> addresses)
    {
        foreach (Bound bound in _bound.Where(b => addresses.Contains(b.Address)).ToArray())
        {
            await CloseAsync(bound).ConfigureAwait(false);
            _bound.Remove(bound);
        }

        _endPoints = [.. _bound.Select(static b => b.EndPoint)];
    }

    private async Task<Bound> OpenAsync(ListenAddress address, int backlog)
    {
        // One socket a loop, sharing the port, so that no lock and no hand-over is between the kernel's queue and the loop.
        bool shared = _shards.Length > 1 && address.EndPoint is IPEndPoint && EventLoops.SupportsReusePort;
        ListenOptions options = new(backlog, shared, address.DualMode);
        List<(TcpShard Shard, Listener Listener)> listeners = [];
        EndPoint endPoint = address.EndPoint;
        try
        {
            foreach (TcpShard shard in shared ? _shards : _shards[..1])
            {
                // With port 0 the first socket finds the port and the others follow it.
                ListenAddress at = address with { EndPoint = endPoint };
                Listener listener = await LoopGroup.RunAsync(shard.Loop, () => shard.Listen(at, in options)).ConfigureAwait(false);
                listeners.Add((shard, listener));
                endPoint = listener.LocalEndPoint;
            }
        }
        catch
        {
            await CloseAsync(new Bound(address, endPoint, listeners)).ConfigureAwait(false);
            throw;
        }

        return new Bound(address, endPoint, listeners);
    }

    private static async Task CloseAsync(Bound bound)
    {
        foreach ((TcpShard shard, Listener listener) in bound.Listeners)
        {
            await LoopGroup.RunAsync(shard.Loop, () =>
            {
                shard.Close(listener);
                return true;
            }).ConfigureAwait(false);
        }
    }

    /// <summary>Accepts no more and has open sessions end when they are quiet. Idempotent.</summary>
    internal async Task BeginStopAsync()
    {
        if (Interlocked.Exchange(ref _stopping, 1) != 0) return;
        _endPoints = [];
        TcpSettings settings = _settings;
        foreach (TcpShard shard in _shards) await LoopGroup.RunAsync(shard.Loop, () => Do(() => shard.BeginDrain(settings.CloseSpreadTime))).ConfigureAwait(false);

        // Only now: as long as one loop accepts, none open does not mean that it stays so.
        Interlocked.Exchange(ref _draining, 1);
        if (OpenConnections == 0) _empty.TrySetResult();
        else TransportLog.Draining(_logger, Name, OpenConnections, settings.DrainTimeout.TotalSeconds);
    }

    /// <summary>Stops: accepts no more, lets connections end, closes quiet ones, and at the deadline all.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="ct">Cancelled when there is no more time.</param>
    internal async Task StopAsync(TimeProvider time, CancellationToken ct)
    {
        TcpSettings settings = _settings;
        await BeginStopAsync().ConfigureAwait(false);
        try
        {
            await _empty.Task.WaitAsync(settings.DrainTimeout, time, ct).ConfigureAwait(false);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            TransportLog.Killing(_logger, Name, OpenConnections);
            foreach (TcpShard shard in _shards) await LoopGroup.RunAsync(shard.Loop, () => Do(shard.KillAll)).ConfigureAwait(false);
        }

        _marked.Stop();
        TransportLog.Stopped(_logger, Name);
    }

    private static bool Do(Action action)
    {
        action();
        return true;
    }

    /// <summary>Does something on every loop, later. Any thread; does not block.</summary>
    internal void Post(Action<TcpShard> action)
    {
        foreach (TcpShard shard in _shards)
        {
            shard.Loop.Post(
                static state =>
                {
                    (TcpShard shard, Action<TcpShard> action) = ((TcpShard, Action<TcpShard>))state!;
                    action(shard);
                },
                (shard, action));
        }
    }

    internal void OnOpened()
    {
        int open = Interlocked.Increment(ref _open);
        int limit = _settings.MaxConnections;
        if (limit != 0 && open >= limit) AdjustAccepting();
    }

    internal void OnClosed()
    {
        int open = Interlocked.Decrement(ref _open);
        if (_full != 0) AdjustAccepting();
        if (open == 0 && Volatile.Read(ref _draining) != 0) _empty.TrySetResult();
    }

    // Each loop stops its own listeners, so a limit may be passed by what was accepted at the same moment: at most one connection a loop.
    private void AdjustAccepting()
    {
        int full = WantFull();
        if (Interlocked.Exchange(ref _full, full) == full) return;

        // One that closed before it could see the new word would leave the gateway stopped for ever: look again, now that it can be seen.
        while (WantFull() != full) Interlocked.Exchange(ref _full, full = 1 - full);
        foreach (TcpShard shard in _shards)
        {
            if (shard.Loop.IsCurrent) shard.FollowGateway();
            else shard.Loop.Post(static state => ((TcpShard)state!).FollowGateway(), shard);
        }
    }

    private int WantFull()
    {
        int limit = _settings.MaxConnections;
        return limit != 0 && OpenConnections >= limit ? 1 : 0;
    }

    internal bool IsFull => Volatile.Read(ref _full) != 0;

    private sealed record Bound(ListenAddress Address, EndPoint EndPoint, IReadOnlyList<(TcpShard Shard, Listener Listener)> Listeners);
}
