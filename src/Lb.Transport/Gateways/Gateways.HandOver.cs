using System.Net;
using System.Net.Sockets;

namespace Lb.Transport;

/// <content>Listening sockets that come from another process and go to another one.</content>
public sealed partial class Gateways : IHandOverSource
{
    private HandOverServer? _handOver;
    private bool _isGiven;

    /// <summary>What systemd has given to this process.</summary>
    internal InheritedSockets Inherited { get; set; } = InheritedSockets.OfProcess;

    /// <summary>Another process has taken over: this host is to stop.</summary>
    internal Action? HandedOver { get; set; }

    /// <summary>What the gateways can have although it can't be bound now: what this process was given, and what the one that runs will give.</summary>
    private Func<ListenAddress, bool> WillBeOurs(LbOptions options)
    {
        if (_loops is not null || TransportValidation.HandOverAddress(options.Transport) is not { } address) return a => IsOurs(a) || Inherited.Has(a);
        HashSet<string> offered = new(HandOverClient.Offers(address), StringComparer.OrdinalIgnoreCase);
        return a => IsOurs(a) || Inherited.Has(a) || offered.Contains(a.OfferName);
    }

    /// <summary>At the start, before anything is bound.</summary>
    private HandOverClient? TakeOver(TransportOptions transport) =>
        TransportValidation.HandOverAddress(transport) is { } address ? HandOverClient.TryTake(address, Inherited) : null;

    /// <summary>Every gateway listens: the process before may stop, and the one after this may ask.</summary>
    private async Task TookAsync(HandOverClient? predecessor, TransportOptions transport, List<ConfigurationError> errors, string path)
    {
        foreach (EndPoint unused in Inherited.CloseRest()) TransportLog.NotInherited(_logger, unused);
        if (predecessor is not null)
        {
            if (predecessor.Ready()) TransportLog.TookOver(_logger, transport.HandOver!);
            predecessor.Dispose();
            foreach (Gateway gateway in _gateways.Values) await gateway.ShareAsync(false).ConfigureAwait(false);
        }

        if (TransportValidation.HandOverAddress(transport) is not { } address) return;
        try
        {
            _handOver = HandOverServer.Start(address, this, _time);
        }
        catch (SocketException error)
        {
            // The one before has stopped already: better no successor than nobody who serves.
            if (predecessor is not null) TransportLog.NoHandOver(_logger, transport.HandOver!, error.Message);
            else errors.Add(new($"{path}:Transport:HandOver", transport.HandOver, GatewayValidation.Explain(error)));
        }
    }

    async Task<IReadOnlyList<(string Address, int Descriptor)>> IHandOverSource.ListenersAsync(bool withSockets)
    {
        List<(string Address, int Descriptor)> all = [];
        try
        {
            foreach (Gateway gateway in _gateways.Values) await gateway.AddListenersAsync(withSockets, all).ConfigureAwait(false);
            return all;
        }
        catch
        {
            foreach ((_, int descriptor) in all.Where(static l => l.Descriptor >= 0)) _ = Libc.Close(descriptor);
            throw;
        }
    }

    async Task IHandOverSource.HandedOverAsync()
    {
        _isGiven = true;
        foreach (Gateway gateway in _gateways.Values)
        {
            await gateway.ShareAsync(true).ConfigureAwait(false);
            await gateway.BeginStopAsync().ConfigureAwait(false);
        }

        TransportLog.HandedOver(_logger);
        HandedOver?.Invoke();
    }

    void IHandOverSource.Failed(string why) => TransportLog.HandOverFailed(_logger, why);
}
