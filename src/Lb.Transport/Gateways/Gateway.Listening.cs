using System.Net;

namespace Lb.Transport;

/// <content>Listeners: one for each address and loop.</content>
public abstract partial class Gateway
{
    private readonly List<Bound> _bound = [];
    private volatile IReadOnlyList<EndPoint> _endPoints = [];

    internal bool Listens(ListenAddress address) => _bound.Exists(b => b.Address.Equals(address));

    /// <summary>Opens the listeners that are new and closes those that are not wanted any more. On a fault nothing has changed.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">An address can't be bound.</exception>
    internal async Task ListenAsync(IReadOnlyList<ListenAddress> wanted, ListenOptions options)
    {
        List<Bound> opened = [];
        try
        {
            foreach (ListenAddress address in wanted.Where(a => !Listens(a))) opened.Add(await OpenAsync(address, options).ConfigureAwait(false));
        }
        catch
        {
            foreach (Bound bound in opened) await CloseAsync(bound).ConfigureAwait(false);
            if (_bound.Count == 0) LetGo();
            throw;
        }

        await CloseAsync([.. _bound.Select(static b => b.Address).Where(a => !wanted.Contains(a))]).ConfigureAwait(false);
        _bound.AddRange(opened);
        _endPoints = [.. _bound.Select(static b => b.EndPoint)];
        foreach (Bound bound in opened) TransportLog.Listening(Logger, Name, bound.EndPoint, Pool?.Name ?? "-");
    }

    /// <summary>Closes the listeners of these addresses; clients stay.</summary>
    internal async Task CloseAsync(IReadOnlyList<ListenAddress> addresses)
    {
        foreach (Bound bound in _bound.Where(b => addresses.Contains(b.Address)).ToArray())
        {
            await CloseAsync(bound).ConfigureAwait(false);
            _bound.Remove(bound);
        }

        _endPoints = [.. _bound.Select(static b => b.EndPoint)];
    }

    private async Task<Bound> OpenAsync(ListenAddress address, ListenOptions options)
    {
        // One socket a loop, sharing the port, so that no lock and no hand-over is between the kernel's queue and the loop.
        bool shared = Shards.Count > 1 && address.EndPoint is IPEndPoint && EventLoops.SupportsReusePort;
        options = options with { ReusePort = shared, DualMode = address.DualMode };
        List<(GatewayShard Shard, IListening Listening)> listeners = [];
        EndPoint endPoint = address.EndPoint;
        try
        {
            foreach (GatewayShard shard in shared ? Shards : Shards.Take(1))
            {
                // With port 0 the first socket finds the port and the others follow it.
                ListenAddress at = address with { EndPoint = endPoint };
                IListening listening = await LoopGroup.RunAsync(shard.Loop, () => shard.Listen(at, in options)).ConfigureAwait(false);
                listeners.Add((shard, listening));
                endPoint = listening.LocalEndPoint;
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
        foreach ((GatewayShard shard, IListening listening) in bound.Listeners)
            await LoopGroup.RunAsync(shard.Loop, () => Do(() => shard.Close(listening))).ConfigureAwait(false);
    }

    private sealed record Bound(ListenAddress Address, EndPoint EndPoint, IReadOnlyList<(GatewayShard Shard, IListening Listening)> Listeners);
}

/// <summary>A socket that a gateway listens on, on one loop.</summary>
internal interface IListening
{
    /// <summary>Where it listens; the port is the real one when 0 was asked for.</summary>
    EndPoint LocalEndPoint { get; }
}

/// <summary>A gateway's part on one loop. Members are for the loop's thread.</summary>
internal abstract class GatewayShard(EventLoop loop)
{
    public EventLoop Loop => loop;

    /// <summary>Opens a socket. Any thread before the loop runs.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address can't be bound.</exception>
    public abstract IListening Listen(ListenAddress address, in ListenOptions options);

    /// <summary>Closes what <see cref="Listen"/> has opened; clients stay.</summary>
    public abstract void Close(IListening listening);

    /// <summary>Listens no more; clients end when they are quiet, each from a moment within this time on.</summary>
    public abstract void BeginDrain(TimeSpan spread);

    /// <summary>Ends all clients now.</summary>
    public abstract void KillAll();

    /// <summary>Takes over whether the gateway is full now, which may have changed since the message was sent.</summary>
    public abstract void FollowGateway();
}
