using Lb.Vrrp;

namespace Lb.Benchmarks;

/// <summary>A virtual router on links in memory, and adverts for it.</summary>
internal sealed class RouterRig
{
    private static readonly PeerAddress Own = Address("192.0.2.1"), Other = Address("192.0.2.2"), Group = Address("224.0.0.18");

    public RouterRig(int priority)
    {
        RouterOptions options = new() { Interface = "eth0", RouterId = 51, Priority = priority };
        options.Addresses.Add(new VirtualAddressOptions { Address = "192.0.2.100/24" });
        options.Announce.Refresh = TimeSpan.Zero;
        Router = new VirtualRouter("bench", options, new RouterLinks { Transport = new Link() });
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
        Router.Receive(message, new VrrpDatagram { Source = Other, Destination = Group, TimeToLive = timeToLive, ArrivedAt = now }, now);

    private static PeerAddress Address(string text) => PeerAddress.TryParse(text, out PeerAddress address) ? address : default;

    private sealed class Link : IVrrpTransport
    {
        public PeerAddress Source => Own;

        public PeerAddress Destination => Group;

        public VrrpSendResult Send(ReadOnlySpan<byte> message) => VrrpSendResult.Sent;

        public void Dispose()
        {
        }
    }
}
