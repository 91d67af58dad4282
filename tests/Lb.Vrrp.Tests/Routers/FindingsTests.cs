using System.Globalization;

namespace Lb.Vrrp.Tests;

[Trait("Row", "B7")]
public sealed class FindingsTests
{
    private static readonly Dictionary<string, (Action<RouterOptions>? Ours, Action<RouterOptions> Theirs, MismatchKind Kind, string Word)> Cases = new(StringComparer.Ordinal)
    {
        ["clash of numbers"] = (null, static o => Address(o, "192.0.2.200/24"), MismatchKind.RouterId, "number"),
        ["clash of numbers, version 2"] = (static o => o.Version = 2, static o => { o.Version = 2; Address(o, "192.0.2.200/24"); }, MismatchKind.RouterId, "number 51"),
        ["other list of addresses"] = (null, static o => { Address(o, "192.0.2.100/24"); Address(o, "192.0.2.101/24"); }, MismatchKind.Addresses, "list of addresses"),
        ["version"] = (null, static o => o.Version = 2, MismatchKind.Version, "version 2"),
        ["interval, version 2"] = (static o => o.Version = 2, static o => { o.Version = 2; o.AdvertisementInterval = TimeSpan.FromSeconds(2); }, MismatchKind.Interval, "is 2 s, ours 1 s"),
        ["interval, version 3"] = (null, static o => o.AdvertisementInterval = TimeSpan.FromSeconds(2), MismatchKind.Interval, "follows"),
        ["interval far too long"] = (null, static o => { o.AdvertisementInterval = TimeSpan.FromSeconds(40.95); }, MismatchKind.Interval, "interval"),
        ["password"] = (static o => Pass(o, "ours"), static o => Pass(o, "theirs"), MismatchKind.Authentication, "AuthenticationPassword"),
        ["kind of authentication"] = (static o => Pass(o, "ours"), static o => o.Version = 2, MismatchKind.Authentication, "AuthenticationType"),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_disagreement_has_its_name(string name)
    {
        (Action<RouterOptions>? ours, Action<RouterOptions> theirs, MismatchKind kind, string word) = Cases[name];
        RouterBench bench = new(ours);
        bench.Hear(200, configure: theirs);
        RouterMismatch finding = Assert.Single(bench.Findings);
        Assert.Equal((kind, RouterBench.Peer), (finding.Kind, finding.Peer));
        Assert.Contains(word, finding.Text);
    }

    [Fact]
    [Trait("Point", "1")]
    public void A_packet_through_a_router_is_named() => Assert.Equal(MismatchKind.Packet, One(b => b.Hear(200, ttl: 254)).Kind);

    [Fact]
    [Trait("Point", "20")]
    public void A_source_of_another_network_is_named() => Assert.Equal(MismatchKind.Subnet, One(b => b.Hear(200, "198.51.100.1")).Kind);

    [Fact]
    [Trait("Point", "49")]
    public void Two_owners_are_named() => Assert.Equal(MismatchKind.Owner, One(b => b.Hear(255), static o => o.Priority = 255).Kind);

    [Fact]
    public void Refused_adverts_are_named()
    {
        RouterBench bench = new();
        bench.Transport.Result = VrrpSendResult.Refused;
        bench.Run(10);
        Assert.Equal(MismatchKind.Refused, Assert.Single(bench.Findings).Kind);
        Assert.Equal(RouterState.Active, bench.Router.State);
    }

    [Fact]
    [Trait("Row", "B6")]
    public void A_node_that_does_not_hear_us_is_named_after_as_long_as_makes_a_peer_dead()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        bench.Run(2);
        for (int i = 0; i < 3; i++)
        {
            bench.Hear(100);
            Assert.Empty(bench.Findings);
            bench.Run(1);
        }

        bench.Hear(100);
        Assert.Equal(MismatchKind.OneWayLink, Assert.Single(bench.Findings).Kind);
        Assert.Single(bench.Events.OfType<DualActiveDetected>());
    }

    [Fact]
    [Trait("Row", "B6")]
    public void Losers_that_say_their_last_advert_are_no_broken_links()
    {
        RouterBench bench = new();
        bench.BecomeActive();
        bench.Run(2);
        for (int i = 2; i < 12; i++) bench.Hear(100, string.Create(CultureInfo.InvariantCulture, $"192.0.2.{i}"));
        Assert.Empty(bench.Findings);
        Assert.Equal(10, bench.Events.OfType<DualActiveDetected>().Count());

        // The same ones once more, later: another meeting.
        bench.Run(100);
        bench.Hear(100);
        Assert.Equal(11, bench.Events.OfType<DualActiveDetected>().Count());
    }

    [Fact]
    public void A_finding_is_told_once_a_minute_for_each_kind_and_peer()
    {
        RouterBench bench = new();
        for (int i = 0; i < 59; i++)
        {
            bench.Hear(200, ttl: 1);
            bench.Hear(200, "192.0.2.3", ttl: 1);
            bench.Run(1);
        }

        Assert.Equal(2, bench.Findings.Count());
        bench.Run(1);
        bench.Hear(200, ttl: 1);
        Assert.Equal(3, bench.Findings.Count());
    }

    [Fact]
    public void Forged_sources_do_not_fill_the_memory()
    {
        RouterBench bench = new();
        for (int i = 0; i < 1000; i++) bench.Hear(200, string.Create(CultureInfo.InvariantCulture, $"192.0.{i / 250}.{1 + (i % 250)}"), ttl: 1);
        Assert.InRange(bench.Findings.Count(), 200, 256);
        bench.Run(60);
        bench.Hear(200, "192.0.2.77", ttl: 1);
        Assert.Equal("192.0.2.77", bench.Findings.Last().Peer);
    }

    [Fact]
    public void Version_2_beside_version_3_is_no_other_interval()
    {
        Action<RouterOptions> both = static o => { o.AlsoVersion2 = true; o.AdvertisementInterval = TimeSpan.FromSeconds(0.1); };
        RouterBench bench = new(both);
        bench.Hear(200, configure: static o => o.Version = 2);
        Assert.Equal(1, bench.Router.Statistics.AdvertisementsReceived);
        Assert.Empty(bench.Findings);
    }

    private static RouterMismatch One(Action<RouterBench> hear, Action<RouterOptions>? ours = null)
    {
        RouterBench bench = new(ours);
        hear(bench);
        return Assert.Single(bench.Findings);
    }

    private static void Address(RouterOptions options, string address) => options.Addresses.Add(new VirtualAddressOptions { Address = address });

    private static void Pass(RouterOptions options, string password)
    {
        options.Version = 2;
        options.Authentication.Type = "pass";
        options.Authentication.Password = password;
    }
}
