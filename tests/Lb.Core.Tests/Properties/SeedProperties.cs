namespace Lb.Core.Tests.Properties;

/// <summary>Policies that draw: the same seed makes the same picks, another one others.</summary>
[Trait("Row", "S15")]
[Trait("Row", "S28")]
[Trait("Row", "X8")]
public sealed class SeedProperties
{
    public static TheoryData<string> Drawing => ["p2c", "random", "random-1", "twos", "peak-ewma"];

    [Theory]
    [MemberData(nameof(Drawing))]
    public void The_same_seed_gives_the_same_picks(string policy) => Cases.Check(Cases.Weights(1, 12), 30, 20300301, weights =>
    {
        int seed = weights.Sum();
        Assert.Equal(Picks(policy, seed, weights), Picks(policy, seed, weights));
    });

    [Theory]
    [MemberData(nameof(Drawing))]
    public void Another_seed_gives_other_picks(string policy) => Cases.Check(Cases.Weights(2, 12), 30, 20300302, weights =>
    {
        // With equal weights there is something to draw for every policy; that 100 draws between two are alike by chance is one case in 10³⁰.
        int[] equal = Array.ConvertAll(weights, static _ => 1);
        Assert.NotEqual(Picks(policy, weights.Sum(), equal), Picks(policy, weights.Sum() + 1, equal));
    });

    private static string[] Picks(string policy, int seed, int[] weights)
    {
        // Leases stay open in a pattern of their own, so that loads differ.
        ServerPool pool = TestPool.Weighted(Make(policy, new Random(seed)), weights);
        string[] picks = new string[100];
        for (int n = 0; n < picks.Length; n++)
        {
            ServerLease lease = pool.Pick();
            if (n % 3 != 0) lease.Complete(LeaseOutcome.Success);
            picks[n] = lease.Server.Name;
        }

        return picks;
    }

    private static ISchedulingPolicy Make(string name, Random random) => name switch
    {
        "p2c" => new PowerOfTwoChoices(random),
        "random" => new RandomDraws(2, random),
        "random-1" => new RandomDraws(1, random),
        "twos" => new LvsTwoChoices(random),
        _ => new PeakEwmaChoices(random),
    };
}
