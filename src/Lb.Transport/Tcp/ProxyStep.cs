using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>Takes a proxy's word for who its client is: reads the PROXY header that the connection begins with.</summary>
internal sealed class ProxyStep : IPreludeStep
{
    private readonly AddressPrefix[] _from;
    private readonly bool _unix;
    private readonly string _gateway;
    private readonly ILogger _logger;

    public ProxyStep(AcceptProxyOptions options, string gateway, ILogger logger)
    {
        _from = [.. options.From.Select(static text => AddressPrefix.TryParse(text, out AddressPrefix prefix, out _) ? prefix : default).Where(static p => !p.Address.IsEmpty)];
        _unix = options.From.Count == 0 || options.From.Contains("unix", StringComparer.OrdinalIgnoreCase);
        Everybody = options.From.Count == 0;
        Timeout = options.Timeout;
        (_gateway, _logger) = (gateway, logger);
    }

    public TimeSpan Timeout { get; }

    public RelayEnd? TimedOut => RelayEnd.ProxyHeaderTimeout;

    private bool Everybody { get; }

    public PreludeResult Begin(TcpPrelude prelude, out RelayEnd end)
    {
        end = default;
        return Expects(prelude.Peer) ? PreludeResult.NeedMore : PreludeResult.Done;
    }

    public PreludeResult Look(TcpPrelude prelude, ReadOnlySpan<byte> bytes, bool isEnd, out int consumed, out RelayEnd end)
    {
        consumed = 0;
        end = default;
        ProxyHeaderResult result = ProxyHeader.Read(bytes, out ProxyHeader header);
        switch (result)
        {
            case ProxyHeaderResult.Done:
                consumed = header.Length;
                Take(prelude, in header, bytes);
                return PreludeResult.Done;
            case ProxyHeaderResult.NeedMore when !isEnd:
                return PreludeResult.NeedMore;
            case ProxyHeaderResult.NeedMore when bytes.IsEmpty:
                // A port scan, or a check that only connects.
                end = RelayEnd.ConnectClientGone;
                return PreludeResult.Refused;
            default:
                end = RelayEnd.ProxyHeaderInvalid;
                if (_logger.IsEnabled(LogLevel.Debug)) TransportLog.ProxyHeaderRefused(_logger, _gateway, prelude.Peer, result);
                return PreludeResult.Refused;
        }
    }

    private static void Take(TcpPrelude prelude, in ProxyHeader header, ReadOnlySpan<byte> bytes)
    {
        if (header.Source.IsEmpty) return;
        prelude.Source = header.Source;
        prelude.Destination = header.Destination;

        // Only what the server may be told in turn is worth keeping.
        if (header.Tlvs.TryGet(ProxyTlvType.UniqueId, out _) || header.Tlvs.TryGet(ProxyTlvType.Authority, out _) || header.Tlvs.TryGet(ProxyTlvType.Alpn, out _) || header.Tlvs.TryGet(ProxyTlvType.Tls, out _))
            prelude.Announced = bytes[..header.Length].ToArray();
    }

    private bool Expects(in PeerAddress peer)
    {
        if (Everybody) return true;
        if (peer.IsEmpty) return _unix;
        foreach (AddressPrefix prefix in _from)
        {
            if (prefix.Contains(peer)) return true;
        }

        return false;
    }
}
