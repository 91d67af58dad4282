using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Lb.Core.Tests.Scheduling;

public sealed class PolicyOptionsTests
{
    [Theory]
    [Trait("Row", "S4")]
    [InlineData("orca", typeof(OrcaRoundRobin))]
    [InlineData("rif", typeof(RifProbing))]
    [InlineData("static-rr", typeof(StaticRoundRobin))]
    [InlineData("sticky", typeof(Sticky))]
    [InlineData("rr", typeof(LvsRoundRobin))]
    [InlineData("wrr", typeof(LvsWeightedRoundRobin))]
    [InlineData("lc", typeof(LvsLeastConnections))]
    [InlineData("wlc", typeof(LvsWeightedLeastConnections))]
    [InlineData("sed", typeof(LvsShortestExpectedDelay))]
    [InlineData("nq", typeof(LvsNeverQueuing))]
    [InlineData("fo", typeof(LvsFailover))]
    [InlineData("ovf", typeof(LvsOverflow))]
    [InlineData("twos", typeof(LvsTwoChoices))]
    [InlineData("sh", typeof(LvsSourceHash))]
    [InlineData("dh", typeof(LvsDestinationHash))]
    [InlineData("mh", typeof(LvsMaglev))]
    [InlineData("lblc", typeof(LvsLocalityLeastConnections))]
    [InlineData("lblcr", typeof(LvsLocalityWithReplication))]
    public void Configurations_name_them(string name, Type type)
    {
        PoolOptions options = new() { Balance = name.ToUpperInvariant() };
        Assert.IsType(type, SchedulingPolicies.BuiltIn.Create(options));
    }

    [Fact]
    [Trait("Row", "S29")]
    public void Every_option_counts_when_a_reload_asks_whether_the_policy_is_the_same()
    {
        Assert.True(SchedulingPolicies.IsSame(With(new BalanceOptions()), With(new BalanceOptions())));
        foreach (PropertyInfo property in typeof(BalanceOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            BalanceOptions changed = new(), again = new();
            property.SetValue(changed, Other(property));
            property.SetValue(again, Other(property));
            Assert.False(SchedulingPolicies.IsSame(With(changed), With(new BalanceOptions())), property.Name);
            Assert.True(SchedulingPolicies.IsSame(With(changed), With(again)), property.Name);
        }

        static PoolOptions With(BalanceOptions options) => new() { BalanceOptions = options };
    }

    [Fact]
    [Trait("Row", "S29")]
    public void A_reload_with_the_same_options_keeps_the_turn_and_with_others_begins_anew()
    {
        Assert.True(SchedulingPolicies.IsSame(Pool("mh", mhPort: true), Pool("MH", mhPort: true)));
        Assert.False(SchedulingPolicies.IsSame(Pool("mh", mhPort: true), Pool("mh", mhPort: false)));
        Assert.False(SchedulingPolicies.IsSame(Pool("mh", mhPort: true), Pool("sh", mhPort: true)));
        Assert.False(SchedulingPolicies.IsSame(null, Pool("sh", mhPort: true)));

        static PoolOptions Pool(string balance, bool mhPort) => new() { Balance = balance, BalanceOptions = { MhPort = mhPort } };
    }

    [Fact]
    [Trait("Row", "S18")]
    public void The_keys_of_the_hash_policies_are_read()
    {
        LbOptions options = Read(
            ("Lb:Pools:web:BalanceOptions:ShPort", "true"),
            ("Lb:Pools:web:BalanceOptions:ShFallback", "true"),
            ("Lb:Pools:web:BalanceOptions:MhPort", "true"),
            ("Lb:Pools:web:BalanceOptions:MhFallback", "true"),
            ("Lb:Pools:web:BalanceOptions:TableSize", "251"));
        BalanceOptions balance = options.Pools["web"].BalanceOptions;
        Assert.Empty(options.ReadErrors);
        Assert.True(balance.ShPort && balance.ShFallback && balance.MhPort && balance.MhFallback);
        Assert.Equal(251, balance.TableSize);
        Assert.Null(new BalanceOptions().TableSize);
    }

    [Fact]
    public void The_keys_of_the_modern_policies_are_read()
    {
        LbOptions options = Read(
            ("Lb:Pools:web:BalanceOptions:RingHash", "Murmur2"),
            ("Lb:Pools:web:BalanceOptions:ErrorPenalty", "150"),
            ("Lb:Pools:web:BalanceOptions:BlackoutPeriod", "0"),
            ("Lb:Pools:web:BalanceOptions:ExpirationPeriod", "1m"),
            ("Lb:Pools:web:BalanceOptions:UpdatePeriod", "200ms"),
            ("Lb:Pools:web:BalanceOptions:Probes", "5"),
            ("Lb:Pools:web:BalanceOptions:ProbePoolSize", "32"),
            ("Lb:Pools:web:BalanceOptions:ProbeAge", "500ms"));
        BalanceOptions balance = options.Pools["web"].BalanceOptions;
        Assert.Empty(options.ReadErrors);
        Assert.Equal((RingHash.Murmur2, 150, TimeSpan.Zero), (balance.RingHash, balance.ErrorPenalty, balance.BlackoutPeriod));
        Assert.Equal((TimeSpan.FromMinutes(1), TimeSpan.FromMilliseconds(200)), (balance.ExpirationPeriod, balance.UpdatePeriod));
        Assert.Equal((5, 32, TimeSpan.FromMilliseconds(500)), (balance.Probes, balance.ProbePoolSize, balance.ProbeAge));
    }

    [Theory]
    [InlineData("maglev", 125, typeof(BoundedLoads))]
    [InlineData("maglev", 0, typeof(Maglev))]
    [InlineData("ketama", 125, typeof(BoundedLoads))]
    [InlineData("ring", 125, typeof(BoundedLoads))]
    [InlineData("rendezvous", 125, typeof(BoundedLoads))]
    [InlineData("jump", 125, typeof(BoundedLoads))]
    [InlineData("anchor", 125, typeof(BoundedLoads))]
    [InlineData("source", 125, typeof(SourceHash))]
    [Trait("Row", "S19")]
    public void A_balance_factor_bounds_the_hash_policies(string name, int factor, Type type)
    {
        PoolOptions options = new() { Balance = name, BalanceOptions = { HashBalanceFactor = factor } };
        ISchedulingPolicy policy = SchedulingPolicies.BuiltIn.Create(options);
        Assert.IsType(type, policy);
        Assert.True(policy.Traits.HasFlag(PolicyTraits.UsesKey));
        Assert.Equal(name == "source", policy.Traits.HasFlag(PolicyTraits.PreservesAffinity));
    }

    [Theory]
    [Trait("Row", "S18")]
    [InlineData("mh", 250, "Lb:Pools:web:BalanceOptions:TableSize = '250': must be 251 to 5000011")]
    [InlineData("MH", 65_537, "Lb:Pools:web:BalanceOptions:TableSize = '65537': must be one of 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071 for mh")]
    public void A_table_size_that_is_none_of_the_kernels_is_told_with_its_path(string balance, int size, string message)
    {
        PoolOptions options = new() { Balance = balance, BalanceOptions = { TableSize = size }, Servers = { TestPool.Server("a") } };
        List<ConfigurationError> errors = [];
        PoolValidation.Validate("Lb:Pools:web", options, SchedulingPolicies.BuiltIn, errors);
        Assert.Contains(message, errors.Select(static e => e.ToString()));
    }

    [Theory]
    [Trait("Row", "S16")]
    [Trait("Row", "S18")]
    [InlineData("ring", 5, 1, "MaximumRingSize = '4': must be 5 or more with these servers: the one of the least weight would have no point")]
    [InlineData("Ring", 2, 4, "MaximumRingSize = '4': must be 5 or more with these servers: the one of the least weight would have no point")]
    [InlineData("ring", 4, 1, null)]
    [InlineData("p2c", 300, 1, null)]
    [InlineData("maglev", 252, 1, "TableSize = '251': must not be below the number of servers, 252")]
    [InlineData("mh", 252, 1, "TableSize = '251': must not be below the number of servers, 252")]
    [InlineData("maglev", 251, 1, null)]
    public void A_table_without_a_place_for_every_server_is_an_error(string balance, int servers, int heaviest, string? error)
    {
        PoolOptions options = new() { Balance = balance, BalanceOptions = { TableSize = 251, MinimumRingSize = 1, MaximumRingSize = 4 } };
        for (int i = 0; i < servers; i++) options.Servers.Add(TestPool.Server($"s{i}", weight: i == 0 ? heaviest : 1));
        List<ConfigurationError> errors = [];
        PoolValidation.Validate("web", options, SchedulingPolicies.BuiltIn, errors);
        Assert.Equal(error is null ? [] : [$"web:BalanceOptions:{error}"], errors.Select(static e => e.ToString()));
    }

    [Fact]
    [Trait("Row", "S18")]
    public void The_table_of_a_policy_that_names_none_is_too_small_as_well()
    {
        PoolOptions options = new() { Balance = "mh" };
        for (int i = 0; i < 4094; i++) options.Servers.Add(TestPool.Server($"s{i}"));
        List<ConfigurationError> errors = [];
        PoolValidation.Validate("web", options, SchedulingPolicies.BuiltIn, errors);
        Assert.Equal("web:BalanceOptions:TableSize = '4093': must not be below the number of servers, 4094", Assert.Single(errors).ToString());
    }

    private static object Other(PropertyInfo property)
    {
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (type == typeof(bool)) return !(bool)(property.GetValue(new BalanceOptions()) ?? false);
        if (type == typeof(int)) return 1 + (int)(property.GetValue(new BalanceOptions()) ?? 0);
        if (type == typeof(string)) return "other";
        if (type == typeof(TimeSpan)) return TimeSpan.FromSeconds(1) + (TimeSpan)(property.GetValue(new BalanceOptions()) ?? TimeSpan.Zero);
        if (type.IsEnum) return Enum.GetValues(type).GetValue(1)!;
        throw new NotSupportedException($"{property.Name} is of a type that this test does not know.");
    }

    private static LbOptions Read(params (string Key, string Value)[] keys)
    {
        IConfiguration root = new ConfigurationBuilder().AddInMemoryCollection(keys.Select(static k => KeyValuePair.Create(k.Key, (string?)k.Value))).Build();
        LbOptions options = new();
        LbOptionsReader.Read(root.GetSection("Lb"), "Lb", options);
        return options;
    }
}
