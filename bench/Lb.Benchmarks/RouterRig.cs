using Lb.Vrrp;
using Microsoft.Extensions.Logging;

namespace Lb.Benchmarks;

/// <summary>A virtual router on links in memory, and adverts for it.</summary>
internal sealed class RouterRig
{
    private readonly PeerAddress _other, _group;

    public RouterRig(int priority, int version = 3, bool isV6 = false, ILogger? log = null)
    {
        RouterOptions options = new() { Interface = "eth0", RouterId = 51, Priority = priority, Version = version };
        options.Addresses.Add(new VirtualAddressOptions { Address = isV6 ? "fe80::100/64" : "192.0.2.100/24" });
        options.Announce.Refresh = TimeSpan.Zero;
        PeerAddress own = Address(isV6 ? "fe80::1" : "192.0.2.1");
        (_other, _group) = (Address(isV6 ? "fe80::2" : "192.0.2.2"), Address(isV6 ? "ff02::12" : "224.0.0.18"));
        Router = new VirtualRouter("bench", options, new RouterLinks { Transport = new Link(own, _group) }, log: log);
        Router.Start(TimeSpan.Zero);
    }

    public VirtualRouter Router { get; }

    /// <summary>A good advert of version 3 for router 51, from the other node.</summary>
    public static byte[] Advert(byte priority)
    {
        byte[] message = [0x31, 51, priority, 1, 0, 100, 0, 0, 192, 0, 2, 100];
        uint sum = 0;
        for (int i = 0; i < message.Length; i += 2) sum += (uint)((message[i] << 8) | message[i + 1]);
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        (message[6], message[7]) = ((byte)(~sum >> 8), (byte)~sum);
        return message;
    }

    public void Receive(ReadOnlySpan<byte> message, TimeSpan now, int timeToLive = 255) =>
        Router.Receive(message, new VrrpDatagram { Source = _other, Destination = _group, TimeToLive = timeToLive, ArrivedAt = now }, now);

    private static PeerAddress Address(string text) => PeerAddress.TryParse(text, out PeerAddress address) ? address : default;

    private sealed class Link(PeerAddress own, PeerAddress group) : IVrrpTransport
    {
        public PeerAddress Source => own;

        public PeerAddress Destination => group;

        public VrrpSendResult Send(ReadOnlySpan<byte> message) => VrrpSendResult.Sent;

        public void Dispose()
        {
        }
    }
}
