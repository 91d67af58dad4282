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
    internal async Task ListenAsync(IReadOnlyList<ListenAddress> wanted, ListenOptions options, InheritedSockets? inherited = null)
    {
        List<Bound> opened = [];
        try
        {
            foreach (ListenAddress address in wanted.Where(a => !Listens(a))) opened.Add(await OpenAsync(address, options, inherited).ConfigureAwait(false));
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

    private async Task<Bound> OpenAsync(ListenAddress address, ListenOptions options, InheritedSockets? inherited)
    {
        // One socket a loop, sharing the port, so that no lock and no hand-over is between the kernel's queue and the loop.
        IReadOnlyList<InheritedSockets.Entry> given = inherited?.Take(address) ?? [];
        bool canShare = given.Count == 0 ? address.EndPoint is IPEndPoint : given[0].EndPoint is IPEndPoint && InheritedSocket.SharesPort(given[0].Descriptor);
        bool shared = Shards.Count > 1 && canShare && EventLoops.SupportsReusePort;
        options = options with { ReusePort = shared, DualMode = address.DualMode };
        List<(GatewayShard Shard, IListening Listening)> listeners = [];
        EndPoint endPoint = given.Count > 0 ? given[0].EndPoint : address.EndPoint;
        int taken = 0;
        try
        {
            // Every socket that was given is listened on, also when there are more of them than loops: clients wait in its queue.
            while (taken < given.Count)
            {
                InheritedSockets.Entry entry = given[taken];
                await OpenAsync(Shards[taken++ % Shards.Count], entry.EndPoint, options with { Inherited = entry.Descriptor }).ConfigureAwait(false);
            }

            foreach (GatewayShard shard in shared ? Shards.Skip(given.Count) : Shards.Take(given.Count == 0 ? 1 : 0))
            {
                // With port 0 the first socket finds the port and the others follow it.
                await OpenAsync(shard, endPoint, options).ConfigureAwait(false);
            }
        }
        catch (System.Net.Sockets.SocketException) when (given.Count > 0 && taken == given.Count && listeners.Count >= given.Count)
        {
            // The port may be shared by one user's sockets only: those that were given do, and their loops relieve each other.
        }
        catch
        {
            foreach (InheritedSockets.Entry left in given.Skip(taken)) _ = Libc.Close(left.Descriptor);
            await CloseAsync(new Bound(address, endPoint, listeners)).ConfigureAwait(false);
            throw;
        }

        return new Bound(address, endPoint, listeners);

        async Task OpenAsync(GatewayShard shard, EndPoint where, ListenOptions how)
        {
            ListenAddress at = address with { EndPoint = where };
            IListening listening = await LoopGroup.RunAsync(shard.Loop, () => shard.Listen(at, in how)).ConfigureAwait(false);
            listeners.Add((shard, listening));
            endPoint = listening.LocalEndPoint;
        }
    }

    /// <summary>Its listening sockets, to be handed over to another process.</summary>
    /// <param name="withSockets">With a second descriptor of each, which is the caller's; else -1.</param>
    /// <param name="all">Takes them.</param>
    /// <exception cref="System.Net.Sockets.SocketException">No descriptor is left for one of them.</exception>
    internal async Task AddListenersAsync(bool withSockets, List<(string Address, int Descriptor)> all)
    {
        foreach (Bound bound in _bound.ToArray())
        {
            foreach ((GatewayShard shard, IListening listening) in bound.Listeners)
            {
                int copy = withSockets ? await LoopGroup.RunAsync(shard.Loop, () => InheritedSocket.Duplicate(listening.Handle)).ConfigureAwait(false) : -1;
                if (withSockets && copy < 0 && listening.Handle >= 0) throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.TooManyOpenSockets);
                if (!withSockets || copy >= 0) all.Add((bound.Address.OfferName, copy));
            }
        }
    }

    /// <summary>Whether another process listens on its sockets, too.</summary>
    internal async Task ShareAsync(bool isShared)
    {
        foreach ((GatewayShard shard, IListening listening) in _bound.SelectMany(static b => b.Listeners))
        {
            if (listening is Listener listener) await LoopGroup.RunAsync(shard.Loop, () => listener.IsShared = isShared).ConfigureAwait(false);

            // Two that receive would share the datagrams of a client; answers to those that are under way leave from here all the same.
            else if (isShared && listening is DatagramSocket socket) await LoopGroup.RunAsync(shard.Loop, () => Do(socket.StopReceiving)).ConfigureAwait(false);
        }
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

    /// <summary>The native socket, to be handed over to another process; -1: it can't be. Any thread.</summary>
    nint Handle { get; }
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
