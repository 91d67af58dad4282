using FsCheck;
using FsCheck.Fluent;
using Candidate = Lb.Eligibility.Candidate;

namespace Lb.Core.Tests.Pools;

[Trait("Row", "P2")]
[Trait("Row", "P3")]
[Trait("Row", "P4")]
[Trait("Row", "P15")]
public sealed class EligibilityTests
{
    private static readonly Server[] Servers = [.. TestPool.Create(8).Servers];

    // A candidate in a few letters: U, D or S = up, down or stopping, then b = backup, m = maintenance, d = drain, 0 = weight 0.
    [Theory]
    [InlineData("U U U", "", "Normal a b c")]
    [InlineData("U D U", "", "Normal a c")]
    [InlineData("U Um Ud U0", "", "Normal a")]
    [InlineData("D Ub Ub", "", "Backup b")]
    [InlineData("D Db Ub", "", "Backup c")]
    [InlineData("D Ubm Ubd Ub0 Ub", "", "Backup e")]
    [InlineData("D Ub Ub", "all-backups", "Backup b c")]
    [InlineData("U Ub Ub", "all-backups", "Normal a")]
    [InlineData("Ub", "", "Backup a")]
    [InlineData("D D", "", "Down")]
    [InlineData("Um Ud U0", "", "Down")]
    [InlineData("", "", "Down")]
    [InlineData("D D Db", "use-all", "Panic a b c")]
    [InlineData("D Dm Dd D0", "use-all", "Panic a")]
    [InlineData("Dm", "use-all", "Down")]
    [InlineData("D D", "last-known-good", "Down")]
    [InlineData("U D D D", "panic=50", "Panic a b c d")]
    [InlineData("U U D D", "panic=50", "Normal a b")]
    [InlineData("U U D D D", "panic=50", "Panic a b c d e")]
    [InlineData("U D D Dm Dd D0", "panic=50", "Panic a b c")]
    [InlineData("U D D Ub", "panic=50", "Normal a")]
    [InlineData("U D D Db", "panic=50", "Panic a b c")]
    [InlineData("D D", "panic=1", "Panic a b")]
    [InlineData("U D", "panic=100", "Panic a b")]
    [InlineData("U U", "panic=100", "Normal a b")]
    [InlineData("Um", "panic=100", "Down")]
    [InlineData("U S D", "", "Normal a")]
    [InlineData("S Ub", "", "Backup b")]
    [InlineData("S S", "use-all", "Down")]
    [InlineData("S D", "use-all", "Panic b")]
    [InlineData("U S S D", "panic=50", "Normal a")]
    public void Servers_are_chosen_by_health_administration_weight_and_backup(string candidates, string rules, string decision)
    {
        Assert.Equal(decision, Show(Eligibility.Decide(Parse(candidates), ParseRules(rules), Eligibility.Decision.Nothing)));
    }

    [Theory]
    [InlineData("D Ub Ub", "U Ub Ub", "stay", "Backup b")]
    [InlineData("D Ub Ub", "U Db Ub", "stay", "Normal a")]
    [InlineData("D Db Ub", "D Ub Ub", "stay", "Backup c")]
    [InlineData("D Db Ub", "D Ub Ub", "", "Backup b")]
    [InlineData("D Ub Ub", "D Db Ub", "stay", "Backup c")]
    [InlineData("D Ub Ub", "U Ub Ub", "", "Normal a")]
    [InlineData("D Ub Ub", "U Ubm Ub", "stay", "Normal a")]
    [InlineData("D Ub Db", "U Ub Ub", "stay all-backups", "Backup b c")]
    [InlineData("D Ub Ub", "U Db Ub", "stay all-backups", "Backup c")]
    [InlineData("D Ub Ub", "U Db Db", "stay all-backups", "Normal a")]
    [InlineData("U D", "D D", "last-known-good", "LastKnownGood a")]
    [InlineData("U U", "D D", "last-known-good", "LastKnownGood a b")]
    [InlineData("U U", "D Dm", "last-known-good", "LastKnownGood a")]
    [InlineData("U U", "Dm D0", "last-known-good", "Down")]
    [InlineData("U U", "D D", "", "Down")]
    [InlineData("D Ub", "D Db", "last-known-good", "LastKnownGood b")]
    public void Some_choices_depend_on_the_one_before(string before, string now, string rules, string decision)
    {
        Eligibility.Rules parsed = ParseRules(rules);
        Eligibility.Decision first = Eligibility.Decide(Parse(before), in parsed, Eligibility.Decision.Nothing);
        Assert.Equal(decision, Show(Eligibility.Decide(Parse(now), in parsed, first)));
    }

    [Fact]
    public void Last_known_good_lasts_until_one_is_up()
    {
        Eligibility.Rules rules = ParseRules("last-known-good");
        Eligibility.Decision decision = Eligibility.Decision.Nothing;
        foreach ((string candidates, string expected) in new[]
        {
            ("U U D", "Normal a b"), ("D U D", "Normal b"), ("D D D", "LastKnownGood b"), ("D D D", "LastKnownGood b"), ("D D U", "Normal c"),
        })
        {
            decision = Eligibility.Decide(Parse(candidates), in rules, decision);
            Assert.Equal(expected, Show(decision));
        }
    }

    [Fact]
    public void Nobody_in_maintenance_drained_or_of_weight_0_is_ever_chosen()
    {
        Gen<int[]> script = Gen.Choose(0, 71).ArrayOf(8);
        Gen<(int[], int[], int)> cases = script.Zip(script).Zip(Gen.Choose(0, 47)).Select(static t => (t.Item1.Item1, t.Item1.Item2, t.Item2));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000).WithReplay(20300101, 1), Prop.ForAll(cases.ToArbitrary(), CheckInvariants));
    }

    private static void CheckInvariants((int[] Before, int[] Now, int Rules) given)
    {
        int r = given.Rules;
        Eligibility.Rules rules = new(r % 2 == 1, (Failback)(r / 2 % 2), (r / 4 % 4) switch { 0 => 0, 1 => 30, 2 => 50, _ => 100 }, (AllDown)(r / 16));
        Eligibility.Decision decision = Eligibility.Decision.Nothing;
        foreach (int[] states in new[] { given.Before, given.Now })
        {
            Candidate[] all = [.. states.Select(static (n, i) => FromNumber(n, i))];
            decision = Eligibility.Decide(all, in rules, decision);

            Assert.All(decision.Servers, static c => Assert.True(c.IsWanted));
            Assert.Equal(decision.Servers.Count == 0, decision.Mode == PoolMode.Down);
            Assert.Equal(decision.Servers.OrderBy(static c => c.Server.Id), decision.Servers);
            if (decision.Mode is PoolMode.Normal or PoolMode.Backup) Assert.All(decision.Servers, static c => Assert.True(c.IsUsable));
            if (decision.Mode == PoolMode.Normal) Assert.Equal(all.Where(static c => c.IsUsable && !c.Backup), decision.Servers);
            if (decision.Mode == PoolMode.Backup) Assert.All(decision.Servers, static c => Assert.True(c.Backup));
            if (!rules.AllBackups && decision.Mode == PoolMode.Backup) Assert.Single(decision.Servers);

            // Whatever is usable, the pool is not down.
            if (all.Any(static c => c.IsUsable)) Assert.NotEqual(PoolMode.Down, decision.Mode);
        }
    }

    private static Candidate FromNumber(int n, int index) =>
        new(Servers[index], (ServerHealth)(n % 2), (ServerAdmin)(n / 2 % 3), n / 6 % 4, n / 24 == 2);

    private static Candidate[] Parse(string text) =>
    [
        .. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static (word, i) => new Candidate(
            Servers[i],
            word[0] switch { 'U' => ServerHealth.Up, 'S' => ServerHealth.Stopping, _ => ServerHealth.Down },
            word.Contains('m') ? ServerAdmin.Maintenance : word.Contains('d') ? ServerAdmin.Drain : ServerAdmin.Ready,
            word.Contains('0') ? 0 : 1,
            word.Contains('b'))),
    ];

    private static Eligibility.Rules ParseRules(string text)
    {
        string[] words = text.Split(' ');
        string? panic = words.FirstOrDefault(static w => w.StartsWith("panic=", StringComparison.Ordinal));
        return new Eligibility.Rules(
            words.Contains("all-backups"),
            words.Contains("stay") ? Failback.Stay : Failback.Immediate,
            panic is null ? 0 : int.Parse(panic[6..]),
            words.Contains("use-all") ? AllDown.UseAll : words.Contains("last-known-good") ? AllDown.LastKnownGood : AllDown.Fail);
    }

    private static string Show(Eligibility.Decision decision) =>
        string.Join(' ', decision.Servers.Select(static c => c.Server.Name).Prepend(decision.Mode.ToString()));
}
