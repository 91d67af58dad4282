using Lb.Testing;

namespace Lb.Vrrp.Tests;

/// <summary>One router on in-memory parts, what it has told, and a pen that writes the adverts of others.</summary>
internal sealed class RouterBench : INotifier
{
    public const string Own = "192.0.2.1", Peer = "192.0.2.2";

    private readonly EventHub _hub = new();
    private readonly List<LbEvent> _events = [];

    public RouterBench(Action<RouterOptions>? configure = null, bool start = true)
    {
        Options = Make(configure);
        Owner.Called = call => Order.Add(call);
        Announcer.Announced = _ => Order.Add("announce");
        Transport.Sent = message => Order.Add($"send {message[2]}");
        RouterLinks links = new() { Transport = Transport, Owner = Owner, Announcer = Announcer };
        if (AddressPrefix.TryParse("192.0.2.0/24", out AddressPrefix network, out _)) links.Network = network;
        Router = new VirtualRouter("vi", Options, links, _hub, new ManualTimeProvider());
        if (start) Router.Start(Now);
    }

    public RouterOptions Options { get; }

    public InMemoryAddressOwner Owner { get; } = new();

    public InMemoryNeighborAnnouncer Announcer { get; } = new();

    public InMemoryVrrpTransport Transport { get; } = new(Own);

    public VirtualRouter Router { get; }

    public TimeSpan Now { get; private set; }

    /// <summary>What the router did with its parts, in order; announcements of one burst as one.</summary>
    public List<string> Order { get; } = [];

    public IReadOnlyList<LbEvent> Events
    {
        get
        {
            _hub.RunAsync([this], new CancellationToken(canceled: true)).GetAwaiter().GetResult();
            return _events;
        }
    }

    public IEnumerable<RouterMismatch> Findings => Events.OfType<RouterMismatch>();

    public static RouterOptions Make(Action<RouterOptions>? configure)
    {
        RouterOptions options = new() { Interface = "eth0", RouterId = 51, Priority = 150 };
        configure?.Invoke(options);
        if (options.Addresses.Count == 0) options.Addresses.Add(new VirtualAddressOptions { Address = "192.0.2.100/24" });
        return options;
    }

    /// <summary>Lets time go on, as a driver that is never late.</summary>
    public void Run(double seconds)
    {
        TimeSpan end = Now + TimeSpan.FromSeconds(seconds);
        for (int turns = 0; Router.Deadline <= end; turns++)
        {
            Assert.True(turns < 100_000, "The router is due again and again at the same time.");
            if (Router.Deadline > Now) Now = Router.Deadline;
            Router.Advance(Now);
            Router.SettleLink(Now);
        }

        Now = end;
    }

    /// <summary>Lets time go on without the router.</summary>
    public void Sleep(double seconds) => Now += TimeSpan.FromSeconds(seconds);

    /// <summary>An advert of another node, as its options make it.</summary>
    public void Hear(int priority, string from = Peer, Action<RouterOptions>? configure = null, int ttl = 255)
    {
        using InMemoryVrrpTransport transport = new(from);
        RouterMessages messages = new(Make(configure ?? (_ => { })), new RouterLinks { Transport = transport }, new ManualTimeProvider());
        Hear(messages.Write((byte)priority), from, ttl);
    }

    public void Hear(ReadOnlySpan<byte> message, string from = Peer, int ttl = 255)
    {
        Assert.True(PeerAddress.TryParse(from, out PeerAddress source));
        VrrpDatagram datagram = new() { Source = source, Destination = Transport.Destination, TimeToLive = ttl, ArrivedAt = Now };
        Router.Receive(message, in datagram, Now);
        Router.SettleLink(Now);
    }

    public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
    {
        _events.Add(notice);
        return ValueTask.CompletedTask;
    }

    public void BecomeActive()
    {
        Run(4);
        Assert.Equal(RouterState.Active, Router.State);
        Order.Clear();
    }
}
