using Lb.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lb.Transport.Tests;

/// <summary>Who is let in, without sockets.</summary>
public sealed class ConnectionAdmissionTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly ConnectionAdmission _admission = new();
    private readonly string _file = Path.GetTempFileName();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Row", "A5")]
    public void The_first_rule_that_fits_decides()
    {
        GatewayOptions options = Rules(
            (AccessAction.Allow, ["10.1.0.0/16"]), (AccessAction.SilentDrop, ["10.1.0.0/16", "10.2.0.0/16"]), (AccessAction.Tarpit, ["10.0.0.0/8"]), (AccessAction.Reject, ["2001:db8::/32"]),
            (AccessAction.Allow, ["192.0.2.0/24", "2001::/16"]), (AccessAction.Deny, []));
        Update(options);
        Assert.Equal(
            "Allow SilentDrop Tarpit Reject Allow Allow Deny Deny",
            Decide("10.1.2.3", "10.2.2.3", "10.3.2.3", "2001:db8::1", "192.0.2.1", "2001:db9::1", "203.0.113.1", "fe80::1"));
        Assert.Equal([1, 1, 1, 1, 2, 2], _admission.Rules.Select(static r => r.Hits));
        Assert.Equal((1, 1, 1, 2, 0), (Count(AccessAction.SilentDrop), Count(AccessAction.Tarpit), Count(AccessAction.Reject), Count(AccessAction.Deny), Count(AccessAction.Allow)));

        // Who has no address is asked only of rules for all.
        Assert.Equal(AccessAction.Deny, _admission.Decide(default, 0).Action);
    }

    [Fact]
    [Trait("Row", "A6")]
    public void A_list_changes_while_it_is_asked_and_a_reload_keeps_what_was_added()
    {
        GatewayOptions options = Rules((AccessAction.Reject, ["10.0.0.0/8"]), (AccessAction.Reject, ["192.0.2.0/24"]));
        Update(options);
        AccessRule first = _admission.Rules[0], second = _admission.Rules[1];
        Assert.Equal("Allow", Decide("203.0.113.1"));
        first.Addresses.Add(Network("203.0.113.0/24"));
        Assert.Equal("Reject", Decide("203.0.113.1"));

        Update(Rules((AccessAction.Reject, ["10.0.0.0/8"]), (AccessAction.Tarpit, ["192.0.2.0/24"])));
        Assert.Same(first, _admission.Rules[0]);
        Assert.NotSame(second, _admission.Rules[1]);
        Assert.Equal("Reject Tarpit", Decide("203.0.113.1", "192.0.2.1"));
        Assert.Equal(2, first.Hits);
        Assert.Equal("10.0.0.0/8=0 203.0.113.0/24=2", string.Join(' ', first.Addresses.Entries().Select(static e => $"{e.Network}={e.Hits}")));
    }

    [Fact]
    [Trait("Row", "A6")]
    public void A_file_is_followed_and_a_fault_in_it_keeps_the_old_list()
    {
        File.WriteAllText(_file, "10.0.0.0/8\n");
        GatewayOptions options = Rules((AccessAction.Reject, ["192.0.2.1"]));
        options.Access[0].FromFile = _file;
        Update(options);
        Assert.Equal("Reject Reject Allow", Decide("10.1.1.1", "192.0.2.1", "203.0.113.1"));

        File.WriteAllText(_file, "10.0.0.0/8\n203.0.113.0/24 # added\n");
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("Reject", Decide("203.0.113.1"));
        File.WriteAllText(_file, "what?\n");
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("Reject Reject", Decide("203.0.113.1", "10.1.1.1"));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "A6")]
    public async Task Decisions_go_on_while_lists_are_exchanged()
    {
        Update(Rules((AccessAction.Reject, ["10.0.0.0/8"]), (AccessAction.Allow, ["192.0.2.0/24"]), (AccessAction.Tarpit, [])));
        AddressList list = _admission.Rules[0].Addresses;
        AddressPrefix[] many = [.. Enumerable.Range(0, 2_000).Select(static n => new AddressPrefix(PeerAddress.FromV4(0xC6000000 + (uint)(n << 8), 0), 24))];
        int stop = 0;
        Task<int>[] deciders =
        [
            .. Enumerable.Range(0, 3).Select(_ => Task.Run(
                () =>
                {
                    int decided = 0;
                    for (; Volatile.Read(ref stop) == 0; decided++) Assert.Equal("Reject Allow Tarpit", Decide("10.1.1.1", "192.0.2.1", "203.0.113.1"));
                    return decided;
                },
                Ct)),
        ];
        for (int n = 0; n < 100; n++) list.Replace(n % 2 == 0 ? [Network("10.0.0.0/8"), .. many] : [Network("10.1.0.0/16")]);
        Volatile.Write(ref stop, 1);
        long decided = (await Task.WhenAll(deciders)).Sum();
        Assert.Equal((decided, decided), (Count(AccessAction.Reject), Count(AccessAction.Tarpit)));
    }

    [Fact]
    [Trait("Row", "L1")]
    public void A_source_with_too_much_is_turned_away_as_the_options_say()
    {
        GatewayOptions options = Rules((AccessAction.Allow, ["10.0.0.0/8"]));
        options.PerSource = new PerSourceOptions { MaxConnections = 2, Rate = 3, Action = AccessAction.SilentDrop };
        Update(options);
        Assert.Equal("Allow Allow SilentDrop", Decide("192.0.2.1", "192.0.2.1", "192.0.2.1"));
        Release("192.0.2.1");
        Release("192.0.2.1");
        Assert.Equal("Allow SilentDrop", Decide("192.0.2.1", "192.0.2.1"));
        Assert.Equal((1, 1), (Count(AccessAction.SilentDrop, AdmissionReason.SourceConnections), Count(AccessAction.SilentDrop, AdmissionReason.SourceRate)));

        // One that a rule lets in has no limit.
        Assert.Equal("Allow Allow Allow Allow Allow", Decide(Enumerable.Repeat("10.1.1.1", 5).ToArray()));
    }

    [Fact]
    [Trait("Row", "L1")]
    public void A_reload_that_says_the_same_keeps_the_table_and_another_limit_begins_anew()
    {
        GatewayOptions options = Rules();
        options.PerSource = new PerSourceOptions { MaxConnections = 1 };
        Update(options);
        SourceLimiter? before = _admission.Sources;
        Assert.Equal("Allow", Decide("192.0.2.1"));
        options = Rules((AccessAction.Reject, ["10.0.0.0/8"]));
        options.PerSource = new PerSourceOptions { MaxConnections = 1, Action = AccessAction.Tarpit };
        Update(options);
        Assert.Same(before, _admission.Sources);
        Assert.Equal("Tarpit", Decide("192.0.2.1"));

        options.PerSource = new PerSourceOptions { MaxConnections = 2 };
        Update(options);
        Assert.NotSame(before, _admission.Sources);
        Assert.False(_admission.IsOpen);
        Update(Rules());
        Assert.True(_admission.IsOpen);
        Assert.Null(_admission.Sources);
    }

    [Fact]
    [Trait("Row", "R2")]
    public void Only_so_many_are_held()
    {
        GatewayOptions options = Rules();
        options.MaxHeld = 2;
        Update(options);
        Assert.Equal((true, true, false), (_admission.TryHold(), _admission.TryHold(), _admission.TryHold()));
        _admission.LetGo();
        Assert.True(_admission.TryHold());
        Assert.Equal((2, 1), (_admission.Held, Count(AccessAction.Reject, AdmissionReason.TooManyHeld)));
    }

    [Fact]
    public void Deciding_allocates_nothing()
    {
        GatewayOptions options = Rules((AccessAction.Reject, ["10.0.0.0/8"]));
        options.PerSource = new PerSourceOptions { MaxConnections = 100, Rate = 1000 };
        Update(options);
        PeerAddress client = Client("192.0.2.1"), refused = Client("10.0.0.1");
        _admission.Decide(in client, 0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int n = 0; n < 100; n++)
        {
            _admission.Decide(in refused, n);
            _admission.Decide(in client, n).CountedBy?.Leave(in client);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    public void Dispose()
    {
        _admission.Dispose();
        File.Delete(_file);
    }

    private static GatewayOptions Rules(params (AccessAction Action, string[] From)[] rules)
    {
        GatewayOptions options = new();
        foreach ((AccessAction action, string[] from) in rules)
        {
            AccessRuleOptions rule = new() { Action = action };
            foreach (string network in from) rule.From.Add(network);
            options.Access.Add(rule);
        }

        return options;
    }

    private void Update(GatewayOptions options) => _admission.Update(options, "gate", _time, NullLogger.Instance);

    private string Decide(params string[] clients) => string.Join(' ', clients.Select(c => _admission.Decide(Client(c), _time.GetTimestamp()).Action));

    private void Release(string client) => _admission.Sources!.Leave(Client(client));

    private long Count(AccessAction action, AdmissionReason reason = AdmissionReason.Rule) => _admission.Count(action, reason);

    private static PeerAddress Client(string address) => PeerAddress.TryParse(address, out PeerAddress client) ? client : throw new FormatException(address);

    private static AddressPrefix Network(string text) => AddressPrefix.TryParse(text, out AddressPrefix prefix, out string? error) ? prefix : throw new FormatException(error);
}
