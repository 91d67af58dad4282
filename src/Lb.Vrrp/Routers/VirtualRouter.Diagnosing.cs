using System.Globalization;

namespace Lb.Vrrp;

/// <content>Says by name what does not fit between nodes: seldom, once for each kind and peer.</content>
public sealed partial class VirtualRouter
{
    /// <summary>The same finding is told again only after this time.</summary>
    private static readonly TimeSpan TellAgain = TimeSpan.FromMinutes(1);

    private const int MostFindings = 256;

    // Our adverts that a node of lower priority does not heed: after as many as make a peer dead it is no accident.
    private const int OneWayAfter = 3;

    private readonly Dictionary<(MismatchKind Kind, PeerAddress Peer), TimeSpan> _found = [];
    private readonly Dictionary<PeerAddress, Rival> _rivals = [];

    private void Discard(ReceiveFault fault, ReadOnlySpan<byte> message, in VrrpDatagram datagram, TimeSpan now)
    {
        Statistics.CountDiscarded(fault);
        if (KindOf(fault, message) is not { } kind || !IsNews(kind, datagram.Source, now)) return;
        CultureInfo culture = CultureInfo.InvariantCulture;
        string text = fault switch
        {
            ReceiveFault.Version => string.Create(culture, $"it speaks version {message[0] >> 4}, this node version {_options.Version}"),
            ReceiveFault.IntervalMismatch => string.Create(culture, $"its interval is {message[5]} s, ours {_options.AdvertisementInterval.TotalSeconds} s; version 2 needs the same everywhere"),
            ReceiveFault.AddressList when kind == MismatchKind.RouterId =>
                string.Create(culture, $"it has none of our addresses: two virtual routers seem to have the number {RouterId} on one link; give one of them another"),
            ReceiveFault.AddressList => "its list of addresses is another; nodes of one virtual router need the same",
            ReceiveFault.TimeToLive => string.Create(culture, $"its TTL is {datagram.TimeToLive}: it came through a router, is forged, or the peer sends so (keepalived over unicast IPv6 with 64: lower Unicast:MinimumTtl)"),
            ReceiveFault.AuthenticationStale => "the time in its adverts is not ours: the clocks of the nodes differ, or it is a replay",
            _ => $"its adverts are discarded: {fault}",
        };
        Tell(kind, datagram.Source, text);
    }

    private MismatchKind? KindOf(ReceiveFault fault, ReadOnlySpan<byte> message) => fault switch
    {
        ReceiveFault.Version => MismatchKind.Version,
        ReceiveFault.IntervalMismatch or ReceiveFault.IntervalZero => MismatchKind.Interval,
        ReceiveFault.AuthenticationType or ReceiveFault.AuthenticationPassword or ReceiveFault.AuthenticationMissing or ReceiveFault.AuthenticationUnexpected
            or ReceiveFault.AuthenticationMalformed or ReceiveFault.AuthenticationUnknownKey or ReceiveFault.AuthenticationMismatch
            or ReceiveFault.AuthenticationStale or ReceiveFault.AuthenticationReplay => MismatchKind.Authentication,
        ReceiveFault.AddressList => _messages.SharesAddresses(_messages.AddressesOf(message)) ? MismatchKind.Addresses : MismatchKind.RouterId,
        ReceiveFault.Subnet => MismatchKind.Subnet,
        ReceiveFault.TimeToLive or ReceiveFault.Checksum or ReceiveFault.LengthShort or ReceiveFault.LengthLong or ReceiveFault.Type or ReceiveFault.Count => MismatchKind.Packet,
        _ => null,
    };

    private void Warn(ReceiveWarning warnings, ReadOnlySpan<byte> message, in VrrpDatagram datagram, TimeSpan now)
    {
        if ((warnings & ReceiveWarning.AddressList) != 0)
        {
            bool shares = _messages.SharesAddresses(_messages.AddressesOf(message));
            Mismatch(shares ? MismatchKind.Addresses : MismatchKind.RouterId, datagram.Source,
                shares ? "its list of addresses is another; nodes of one virtual router need the same" : "it has none of our addresses: two virtual routers seem to have one number on this link", now);
        }

        if ((warnings & ReceiveWarning.Subnet) != 0) Mismatch(MismatchKind.Subnet, datagram.Source, "its address is not in the interface's network", now);
        bool isSeconds = _options.Version == 3 && message[0] >> 4 == 2; // Version 2 can't say a fraction.
        if ((warnings & ReceiveWarning.Interval) != 0 && !isSeconds) Mismatch(MismatchKind.Interval, datagram.Source, "its interval is another; a Backup follows that of the Active node", now);
        if ((warnings & ReceiveWarning.Unauthenticated) != 0) Mismatch(MismatchKind.Authentication, datagram.Source, "its adverts have no trailer; taken, as the mode is permissive", now);
    }

    // What an advert that counts says of the other node, beside what the machine makes of it.
    private void Diagnose(in VrrpAdvertisement advert, in VrrpDatagram datagram, VrrpActions actions, RouterState before, TimeSpan now)
    {
        if ((actions & VrrpActions.OwnerConflict) != 0)
            Mismatch(MismatchKind.Owner, datagram.Source, "two nodes claim to own the addresses (priority 255); only one may", now);
        if ((actions & VrrpActions.IntervalRefused) != 0)
            Mismatch(MismatchKind.Interval, datagram.Source, "its interval is far longer than ours and was not adopted: a forged advert must not mute us", now);
        if (before != RouterState.Active || State != RouterState.Active || advert.Priority == 0) return;
        Statistics.CountLower();

        // Over the second link the same node is heard again.
        if (datagram.Link == 0 || _rivals.Count == 0) Watch(in advert, datagram.Source, (actions & VrrpActions.DualActiveSeen) != 0, now);
    }

    // Two Active nodes are told of once for each time that they meet, and again after a while if it lasts.
    private void Watch(in VrrpAdvertisement advert, in PeerAddress peer, bool isDual, TimeSpan now)
    {
        TimeSpan interval = advert.Interval > _options.AdvertisementInterval ? advert.Interval : _options.AdvertisementInterval;
        bool isKnown = _rivals.TryGetValue(peer, out Rival rival);
        if (!isKnown && _rivals.Count >= MostFindings) ForgetRivals(now);
        if (!isKnown && _rivals.Count >= MostFindings) return;
        if (!isKnown || now - rival.Last > interval * (OneWayAfter + 1)) rival = new Rival(now, now, TimeSpan.MinValue / 2);
        if (isDual && now - rival.Told >= TellAgain)
        {
            rival = rival with { Told = now };
            string from = Text(peer);
            Statistics.CountDualActive();
            RouterLog.DualActive(_log, Name, from, advert.Priority);
            Publish(new DualActiveDetected(_time.GetUtcNow(), Name, from, advert.Priority));
        }

        if (now - rival.Since >= interval * OneWayAfter)
            Mismatch(MismatchKind.OneWayLink, peer, "it stays Active although ours is better: it does not hear us; look for a firewall on protocol 112 or a broken direction of the link", now);
        _rivals[peer] = rival with { Last = now };
    }

    private void ForgetRivals(TimeSpan now)
    {
        foreach ((PeerAddress peer, Rival rival) in _rivals)
        {
            if (now - rival.Last >= TellAgain) _rivals.Remove(peer);
        }
    }

    private static string CauseOf(in VrrpAdvertisement advert, in VrrpDatagram datagram, VrrpActions actions) => (actions & AnyChange) == 0 ? ""
        : string.Create(CultureInfo.InvariantCulture, $"advert of priority {advert.Priority} from {Text(datagram.Source)}");

    private void Mismatch(MismatchKind kind, PeerAddress peer, string text, TimeSpan now)
    {
        if (IsNews(kind, peer, now)) Tell(kind, peer, text);
    }

    private void Tell(MismatchKind kind, PeerAddress peer, string text)
    {
        string from = Text(peer);
        RouterLog.Mismatch(_log, Name, kind, from, text);
        Publish(new RouterMismatch(_time.GetUtcNow(), Name, kind, from, text));
    }

    private bool IsNews(MismatchKind kind, PeerAddress peer, TimeSpan now)
    {
        if (_found.TryGetValue((kind, peer), out TimeSpan told) && now - told < TellAgain) return false;

        // Forged sources must not fill the memory; while it is full, nothing new is told.
        if (_found.Count >= MostFindings)
        {
            foreach ((var key, TimeSpan at) in _found)
            {
                if (now - at >= TellAgain) _found.Remove(key);
            }

            if (_found.Count >= MostFindings) return false;
        }

        _found[(kind, peer)] = now;
        return true;
    }

    private static string Text(PeerAddress peer) => peer.IsEmpty ? "" : peer.ToIPEndPoint().Address.ToString();

    /// <summary>Another Active node: since when it has been heard without a break, when last, when that was told.</summary>
    private readonly record struct Rival(TimeSpan Since, TimeSpan Last, TimeSpan Told);
}
