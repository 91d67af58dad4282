using System.Net;
using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>
/// Where clients come in (HAProxy <c>frontend</c>): one kind for each <see cref="GatewayOptions.Mode"/>. Hosts make it by a verb or by configuration.
/// Properties may be read by any thread.
/// </summary>
public abstract partial class Gateway
{
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile GatewaySettings _settings;
    private int _open;
    private int _full;
    private int _stopping;
    private int _draining;

    private protected Gateway(string name, GatewaySettings settings, ILogger logger)
    {
        Name = name;
        _settings = settings;
        Logger = logger;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>What it speaks: <see cref="GatewayOptions.Mode"/>.</summary>
    public abstract string Mode { get; }

    /// <summary>The pool that serves it, or null for one that needs none.</summary>
    public virtual ServerPool? Pool => null;

    /// <summary>Where it listens, with the real ports.</summary>
    public IReadOnlyList<EndPoint> EndPoints => _endPoints;

    /// <summary>Clients that it serves now: connections, or sessions of a UDP gateway.</summary>
    public int OpenConnections => Volatile.Read(ref _open);

    /// <summary>Clients that it has ever taken in.</summary>
    public abstract long TotalConnections { get; }

    /// <summary>Bytes received from clients.</summary>
    public abstract long BytesIn { get; }

    /// <summary>Bytes received from servers.</summary>
    public abstract long BytesOut { get; }

    internal bool IsFull => Volatile.Read(ref _full) != 0;

    private protected ILogger Logger { get; }

    /// <summary>Its part on each loop.</summary>
    private protected abstract IReadOnlyList<GatewayShard> Shards { get; }

    /// <summary>Goes by new options from now on; clients that are served keep theirs.</summary>
    /// <param name="context">What a reload has brought.</param>
    internal abstract void Update(in GatewayContext context);

    /// <summary>It listens no more and nobody is served: lets go of what it still follows.</summary>
    private protected virtual void Released()
    {
    }

    /// <summary>Takes new limits over.</summary>
    private protected void UpdateLimits(GatewaySettings settings)
    {
        _settings = settings;
        AdjustAccepting();
    }

    /// <summary>Accepts no more and has those that are served end when they are quiet. Idempotent.</summary>
    internal async Task BeginStopAsync()
    {
        if (Interlocked.Exchange(ref _stopping, 1) != 0) return;
        _endPoints = [];
        GatewaySettings settings = _settings;
        foreach (GatewayShard shard in Shards) await LoopGroup.RunAsync(shard.Loop, () => Do(() => shard.BeginDrain(settings.CloseSpreadTime))).ConfigureAwait(false);

        // What one loop has given to another before it stopped has arrived by then.
        foreach (GatewayShard shard in Shards) await LoopGroup.RunAsync(shard.Loop, static () => true).ConfigureAwait(false);

        // Only now: as long as one loop accepts, none open does not mean that it stays so.
        Interlocked.Exchange(ref _draining, 1);
        if (OpenConnections == 0) _empty.TrySetResult();
        else TransportLog.Draining(Logger, Name, OpenConnections, settings.DrainTimeout.TotalSeconds);
    }

    /// <summary>Stops: accepts no more, lets clients end, closes quiet ones, and at the deadline all.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="ct">Cancelled when there is no more time.</param>
    internal async Task StopAsync(TimeProvider time, CancellationToken ct)
    {
        GatewaySettings settings = _settings;
        await BeginStopAsync().ConfigureAwait(false);
        try
        {
            await _empty.Task.WaitAsync(settings.DrainTimeout, time, ct).ConfigureAwait(false);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            TransportLog.Killing(Logger, Name, OpenConnections);
            foreach (GatewayShard shard in Shards) await LoopGroup.RunAsync(shard.Loop, () => Do(shard.KillAll)).ConfigureAwait(false);
        }

        LetGo();
        TransportLog.Stopped(Logger, Name);
    }

    /// <summary>A client is taken in.</summary>
    /// <param name="loop">The loop that has accepted it, when the gateway may rest after it; null = it can't.</param>
    internal void OnOpened(EventLoop? loop = null)
    {
        int open = Interlocked.Increment(ref _open);
        _process?.Opened(HasSessions);
        if (loop is not null) _pace?.Accepted(loop);
        int limit = _settings.MaxConnections;
        if (limit != 0 && open >= limit) AdjustAccepting();
    }

    /// <summary>A client is served no more.</summary>
    internal void OnClosed()
    {
        int open = Interlocked.Decrement(ref _open);
        _process?.Closed(HasSessions);
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
        foreach (GatewayShard shard in Shards)
        {
            if (shard.Loop.IsCurrent) shard.FollowGateway();
            else shard.Loop.Post(static state => ((GatewayShard)state!).FollowGateway(), shard);
        }
    }

    private int WantFull()
    {
        int limit = _settings.MaxConnections;
        return IsHeldUp || (limit != 0 && OpenConnections >= limit) ? 1 : 0;
    }

    private static bool Do(Action action)
    {
        action();
        return true;
    }
}

/// <summary>What every kind of gateway goes by; replaced whole by a reload.</summary>
/// <param name="MaxConnections">Most clients at a time; 0 = no limit.</param>
/// <param name="DrainTimeout">Time that they have to end when the gateway stops.</param>
/// <param name="CloseSpreadTime">While it stops, quiet ones are closed spread over this time.</param>
internal record GatewaySettings(int MaxConnections, TimeSpan DrainTimeout, TimeSpan CloseSpreadTime)
{
    /// <param name="options">The gateway's options.</param>
    /// <param name="most">Most connections that the limit of open files allows; 0 = not known.</param>
    public static GatewaySettings From(GatewayOptions options, int most)
    {
        // 0 is "no limit" on both sides: the smaller of what there is.
        int limit = options.MaxConnections == 0 || (most != 0 && most < options.MaxConnections) ? most : options.MaxConnections;
        return new GatewaySettings(limit, options.DrainTimeout, options.CloseSpreadTime);
    }
}

/// <summary>What a gateway is made and changed from.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Options">Its options.</param>
/// <param name="All">The options of everything.</param>
/// <param name="Pools">The host's pools.</param>
/// <param name="Loops">The host's event loops.</param>
/// <param name="Logger">Where it logs.</param>
internal readonly record struct GatewayContext(string Name, GatewayOptions Options, LbOptions All, ServerPools Pools, LoopGroup Loops, ILogger Logger)
{
    /// <summary>The pool that the options name.</summary>
    public ServerPool Pool => Pools[Options.Pool];

    /// <summary>How to connect to servers; null: as the system does it.</summary>
    public ServerConnects? Connects { get; init; }
}
