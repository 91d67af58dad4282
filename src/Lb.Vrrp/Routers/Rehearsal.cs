using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>
/// Plays a whole change of hands with a router that touches nothing, so that its code is compiled before it is needed: the first real one would otherwise
/// take 10 to 30 ms longer. On the loop's thread, at its start.
/// </summary>
internal static class Rehearsal
{
    public static void Play(bool isV6, ILogger log)
    {
        RouterOptions options = new() { Interface = "none", RouterId = 255, Priority = 100 };
        options.Addresses.Add(new VirtualAddressOptions { Address = isV6 ? "fe80::1/64" : "192.0.2.1/24" });
        PeerAddress own = RouterMessages.Peer(isV6 ? "fe80::2" : "192.0.2.2"), other = RouterMessages.Peer(isV6 ? "fe80::3" : "192.0.2.3");
        PeerAddress group = RouterMessages.Peer(isV6 ? "ff02::12" : "224.0.0.18");
        Silence silence = new() { Source = own, Destination = group };
        using VirtualRouter router = new("rehearsal", options, new RouterLinks { Transport = silence, Owner = silence, Announcer = silence }, log: new Quiet(log));
        (byte[] addresses, _) = RouterMessages.Bytes(options);
        VrrpWriter peer = new(3, 255, options.AdvertisementInterval, addresses, isV6, authentication: null);
        peer.Use(other, group);
        TimeSpan now = TimeSpan.FromHours(1);
        router.Start(now);
        Hear(200);
        Hear(0);
        router.Advance(now = router.Deadline);
        Hear(50);
        router.Advance(now = router.Deadline);
        Hear(200);
        Hear(0);
        router.Advance(now = router.Deadline);
        router.Stop(now);
        Hear(50);

        void Hear(byte priority) =>
            router.Receive(peer.Write(priority, default), new VrrpDatagram { Source = other, Destination = group, TimeToLive = 255, ArrivedAt = now }, now);
    }

    private sealed class Silence : IVrrpTransport, IAddressOwner, INeighborAnnouncer
    {
        public PeerAddress Source { get; init; }

        public PeerAddress Destination { get; init; }

        public TimeSpan RenewEvery => TimeSpan.FromSeconds(1);

        public int Count => 1;

        public VrrpSendResult Send(ReadOnlySpan<byte> message) => VrrpSendResult.Sent;

        public ValueTask AcquireAsync(CancellationToken ct) => default;

        public ValueTask ReleaseAsync(CancellationToken ct) => default;

        public bool Renew() => false;

        public bool Announce(int index) => true;

        public void Dispose()
        {
        }
    }

    // Takes the words as the real log does, and writes nothing.
    private sealed class Quiet(ILogger log) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _ = formatter(state, exception);
    }
}
