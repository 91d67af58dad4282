using System.Globalization;
using System.Text;

namespace Lb.Core.Tests.Scheduling;

/// <summary>What every built-in policy promises of <see cref="IScheduler.Explain"/>.</summary>
[Trait("Row", "X7")]
public sealed class ExplainPolicyTests
{
    // Those that draw. The others must always tell.
    private static readonly string[] Drawing = ["p2c", "random", "peak-ewma", "twos", "rif"];

    public static TheoryData<string> Names => [.. SchedulingPolicies.BuiltIn.Names];

    public static TheoryData<string> TellingNames => [.. SchedulingPolicies.BuiltIn.Names.Except(Drawing)];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_it_says_is_what_the_next_pick_does(string name)
    {
        ServerPool pool = Pool(name);
        Queue<ServerLease> open = new();
        int told = 0;
        for (int n = 0; n < 400; n++)
        {
            PickContext context = Context(n, pool);
            PickExplanation first = pool.Explain(in context), second = pool.Explain(in context);
            Assert.Equal((first.Choice, first.Hash, first.Note), (second.Choice, second.Hash, second.Note));

            Assert.True(pool.TryPick(in context, out ServerLease lease, out _));
            open.Enqueue(lease);
            if (open.Count > n % 30) open.Dequeue().Complete(LeaseOutcome.Success);
            if (n % 7 == 0) lease.Responded();
            if (first.Choice is null)
            {
                if (first.Note.StartsWith("the policy proposes", StringComparison.Ordinal)) continue;
                Assert.Contains(name, Drawing);
                Assert.Contains("chance", first.Note, StringComparison.Ordinal);
                continue;
            }

            told++;
            Assert.Same(first.Choice, lease.Server);
        }

        if (!Drawing.Contains(name)) Assert.InRange(told, 200, 400);
    }

    [Theory]
    [MemberData(nameof(TellingNames))]
    public void Picks_are_the_same_whether_somebody_asks_or_not(string name)
    {
        ServerPool asked = Pool(name), unasked = Pool(name);
        for (int n = 0; n < 300; n++)
        {
            PickContext one = Context(n, asked), other = Context(n, unasked);
            asked.Explain(in one);
            asked.Explain(in one);
            Assert.Equal(unasked.Pick(other).Server.Name, asked.Pick(one).Server.Name);
        }
    }

    [Theory]
    [InlineData("p2c")]
    [InlineData("random")]
    [InlineData("peak-ewma")]
    [InlineData("twos")]
    public void With_one_server_chance_has_nothing_to_decide(string name)
    {
        PoolOptions options = new() { Balance = name };
        options.Servers.Add(TestPool.Server("only"));
        PoolSnapshot snapshot = new ServerPool("one", options).Snapshot!;
        Assert.Equal("only", SchedulingPolicies.BuiltIn.Create(options).Build(snapshot).Explain(default, 1).Choice?.Name);
    }

    [Fact]
    public void The_less_loaded_of_few_is_told_and_a_tie_is_not()
    {
        ServerPool pool = TestPool.Create(3, new PowerOfTwoChoices());
        Assert.Null(pool.Explain(default).Choice);
        Assert.Equal("chance decides among 3 servers with equal load", pool.Explain(default).Note);
        for (int n = 0; n < 2; n++) pool.Pick();
        Server idle = pool.Servers.Single(static s => s.InFlight == 0);
        Assert.Same(idle, pool.Explain(default).Choice);
    }

    private static ServerPool Pool(string name)
    {
        PoolOptions options = new() { Balance = name };
        options.BalanceOptions.Parameter = options.BalanceOptions.Header = "user";

        // It begins anywhere, and goes on in order.
        if (name == "orca") options.Policy = static () => new OrcaRoundRobin(random: new Random(1));
        int[] weights = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
        for (int i = 0; i < weights.Length; i++)
            options.Servers.Add(new ServerOptions { Name = TestPool.Name(i), Address = $"127.0.0.{i + 1}:80", Weight = weights[i] });
        return new ServerPool("explained", options, time: new Lb.Testing.ManualTimeProvider());
    }

    // With and without a key, and now and then with a server that has failed before.
    private static PickContext Context(int n, ServerPool pool)
    {
        Server? avoid = n % 5 == 4 ? pool.Servers[n % pool.Servers.Count] : null;
        if (n % 3 == 2) return new PickContext { Avoid = avoid };
        return new PickContext
        {
            Key = AffinityKey.From(n.ToString(CultureInfo.InvariantCulture)),
            Source = PeerAddress.FromV4(0x0A000000u + ((uint)n * 7919), 80),
            Destination = PeerAddress.FromV4(0xC0000000u + (uint)(n % 20), 80),
            Request = new Request(n),
            Avoid = avoid,
        };
    }

    private sealed class Request(int n) : IPickRequest
    {
        private readonly byte[] _target = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/page/{n}?user={n}"));
        private readonly byte[] _user = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"user-{n}"));

        public ReadOnlySpan<byte> Target => _target;

        public ReadOnlySpan<byte> Body => default;

        public ReadOnlySpan<byte> FirstBytes => default;

        public bool TryGetHeader(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
        {
            value = _user;
            return true;
        }
    }
}
