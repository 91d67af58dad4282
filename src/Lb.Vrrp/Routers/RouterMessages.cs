using System.Globalization;
using System.Text;

namespace Lb.Vrrp;

/// <summary>The adverts of one router on its links: written, and judged when they come in. The driver's thread; allocates nothing once made.</summary>
internal sealed class RouterMessages
{
    private readonly TimeProvider _time;
    private readonly RouterLinks _links;
    private readonly ReceiveRules _rules;
    private readonly ReceiveRules? _heartbeatRules;
    private readonly VrrpWriter _writer;
    private readonly VrrpWriter? _version2;
    private readonly VrrpWriter? _heartbeat;
    private readonly VrrpAuthentication? _authentication;
    private readonly VrrpSequence _sequence;
    private readonly bool _followsPeer;

    /// <summary>Makes them for the links as they are now.</summary>
    /// <param name="options">Valid options.</param>
    /// <param name="links">The links; their source and destination are part of the sums.</param>
    /// <param name="time">Wall clock, of which the time in trailers is made.</param>
    /// <param name="before">Those that these replace: what they know of peers stays known, and the numbers of their trailers go on.</param>
    public RouterMessages(RouterOptions options, RouterLinks links, TimeProvider time, RouterMessages? before = null)
    {
        _time = time;
        _links = links;
        _authentication = Authentication(options);
        _followsPeer = options.Checksum == RouterChecksum.Auto && !options.Strict;
        (byte[] addresses, bool isV6) = Bytes(options);
        ReplayGuard replays = before?._rules.Replays ?? new ReplayGuard(Senders(options));
        _sequence = before?._sequence ?? new VrrpSequence();
        _rules = Rules(links.Transport);
        _writer = Writer(options.Version, links.Transport);
        if (options.AlsoVersion2) _version2 = Writer(2, links.Transport);
        if (links.Heartbeat is { } second)
        {
            _heartbeatRules = Rules(second);
            _heartbeat = Writer(options.Version, second);
        }

        ReceiveRules Rules(IVrrpTransport transport) => new()
        {
            Version = options.Version,
            AlsoVersion2 = options.AlsoVersion2,
            RouterId = options.RouterId,
            IsV6 = isV6,
            Interval = options.AdvertisementInterval,
            Addresses = addresses,
            CheckAddresses = options.CheckAddresses,
            Strict = options.Strict,
            Group = IsUnicast(transport) ? default : transport.Destination,
            Peers = IsUnicast(transport) ? [.. options.Unicast!.Peers.Select(Peer)] : null,
            MinimumTtl = IsUnicast(transport) ? options.Unicast!.UdpPort is null ? options.Unicast.MinimumTtl : 0 : 255,
            MaximumTtl = IsUnicast(transport) && options.Unicast!.UdpPort is null ? options.Unicast.MaximumTtl : 255,
            CheckSubnet = options.CheckSubnet,
            Authentication = _authentication,
            Replays = replays,
            Source = transport.Source,
            Subnets = links.Network.Address.IsEmpty || options.Unicast is not null || !ReferenceEquals(transport, links.Transport) ? [] : [links.Network],
        };

        // The peers are those of the router's own link.
        bool IsUnicast(IVrrpTransport transport) => options.Unicast is not null && ReferenceEquals(transport, links.Transport);

        VrrpWriter Writer(int version, IVrrpTransport transport)
        {
            VrrpWriter writer = new(version, options.RouterId, options.AdvertisementInterval, addresses, isV6, _authentication, _sequence)
            {
                Form = options.Strict || options.Checksum == RouterChecksum.Message ? VrrpChecksumForm.Message
                    : _followsPeer && before is not null ? before._writer.Form : VrrpChecksumForm.PseudoHeader,
            };
            writer.Use(transport.Source, transport.Destination);
            return writer;
        }
    }

    /// <summary>Judges a message.</summary>
    public ReceiveFault Read(ReadOnlySpan<byte> message, in VrrpDatagram datagram, out VrrpAdvertisement advert)
    {
        ReceiveRules rules = datagram.Link == 0 ? _rules : _heartbeatRules ?? _rules;
        ReceiveFault fault = VrrpReader.Read(message, in datagram, rules, Utc, out advert);
        if (fault == ReceiveFault.None && _followsPeer && advert is { Version: 3, Checksum: not VrrpChecksumForm.Unknown }) Follow(advert.Checksum);
        return fault;
    }

    /// <summary>An advert for the router's own link; good until the next call.</summary>
    public ReadOnlySpan<byte> Write(byte priority) => _writer.Write(priority, Utc);

    /// <summary>The same in version 2; empty when only version 3 is spoken.</summary>
    public ReadOnlySpan<byte> WriteVersion2(byte priority) => _version2 is null ? default : _version2.Write(priority, Utc);

    /// <summary>The same for the second heartbeat; empty when there is none.</summary>
    public ReadOnlySpan<byte> WriteHeartbeat(byte priority) => _heartbeat is null ? default : _heartbeat.Write(priority, Utc);

    /// <summary>Addresses of a message that has just been read, in its own order; for people.</summary>
    public ReadOnlySpan<byte> AddressesOf(ReadOnlySpan<byte> message) =>
        message.Length < VrrpReader.HeaderLength ? default : message.Slice(VrrpReader.HeaderLength, Math.Min(message[3] * _rules.AddressLength, message.Length - VrrpReader.HeaderLength));

    /// <summary>True when some of these addresses are ours.</summary>
    public bool SharesAddresses(ReadOnlySpan<byte> theirs)
    {
        ReadOnlySpan<byte> ours = _rules.Addresses.Span;
        int size = _rules.AddressLength;
        for (int i = 0; i + size <= theirs.Length; i += size)
        {
            for (int j = 0; j < ours.Length; j += size)
            {
                if (theirs.Slice(i, size).SequenceEqual(ours.Slice(j, size))) return true;
            }
        }

        return false;
    }

    // A peer has another address on each link; on the second one it is multicast.
    private static int Senders(RouterOptions options) =>
        options.Unicast is not { } unicast ? ReplayGuard.OnALink : unicast.Peers.Count + (options.HeartbeatInterface is null ? 0 : ReplayGuard.OnALink);

    private DateTimeOffset Utc => _authentication?.Mode is null ? default : _time.GetUtcNow();

    private void Follow(VrrpChecksumForm form)
    {
        if (_writer.Form != form) _writer.Form = form;
        if (_heartbeat is not null && _heartbeat.Form != form) _heartbeat.Form = form;
    }

    /// <summary>The addresses of the adverts, one after the other; and their family.</summary>
    internal static (byte[] Bytes, bool IsV6) Bytes(RouterOptions options)
    {
        List<byte> bytes = [];
        bool isV6 = false;
        Span<byte> one = stackalloc byte[16];
        foreach (VirtualAddressOptions address in options.Addresses)
        {
            if (!AddressPrefix.TryParse(address.Address, out AddressPrefix prefix, out string? error)) throw new ArgumentException($"{address.Address}: {error}", nameof(options));
            isV6 = prefix.Address.IsV6;
            bytes.AddRange(one[..prefix.Address.WriteBytes(one)]);
        }

        return ([.. bytes], isV6);
    }

    /// <summary>What the election needs of the options.</summary>
    internal static VrrpSettings Settings(RouterOptions options) => new()
    {
        Version = options.Version,
        AlsoVersion2 = options.AlsoVersion2,
        Priority = (byte)options.Priority,
        Interval = options.AdvertisementInterval,
        DownTimerAdverts = options.DownTimerAdverts,
        Preempt = options.Preempt,
        PreemptDelay = options.PreemptDelay,
        StartupDelay = options.StartupDelay,
        Start = options.Start,
        Handover = options.Handover,
    };

    /// <summary>An address of valid options.</summary>
    internal static PeerAddress Peer(string text) =>
        PeerAddress.TryParse(text, out PeerAddress peer) ? peer : throw new ArgumentException($"'{text}' is no IP address.", nameof(text));

    private static VrrpAuthentication? Authentication(RouterOptions options)
    {
        RouterAuthenticationOptions authentication = options.Authentication;
        if (Is(authentication.Type, "pass")) return VrrpAuthentication.Pass(Encoding.ASCII.GetBytes(authentication.Password ?? ""));
        if (!Is(authentication.Type, "hmac")) return null;
        Dictionary<int, byte[]> keys = authentication.Keys.ToDictionary(
            static k => int.Parse(k.Key, NumberStyles.None, CultureInfo.InvariantCulture),
            static k => k.Value.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? Convert.FromHexString(k.Value.AsSpan(2)) : Encoding.UTF8.GetBytes(k.Value));
        VrrpHmacMode mode = Is(authentication.Mode, "permissive") ? VrrpHmacMode.Permissive : Is(authentication.Mode, "receive-only") ? VrrpHmacMode.ReceiveOnly : VrrpHmacMode.Enforce;
        VrrpReplay replay = Is(authentication.Replay, "monotonic") ? VrrpReplay.Monotonic : Is(authentication.Replay, "none") ? VrrpReplay.None : VrrpReplay.Time;
        return VrrpAuthentication.Hmac(keys, mode, replay, options.AdvertisementInterval);
    }

    private static bool Is(string value, string word) => string.Equals(value, word, StringComparison.OrdinalIgnoreCase);
}
