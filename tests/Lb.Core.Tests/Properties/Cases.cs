using FsCheck;
using FsCheck.Fluent;

namespace Lb.Core.Tests.Properties;

/// <summary>Random cases from a fixed seed: the same on every run, and cut down to a small one when a property fails.</summary>
internal static class Cases
{
    public static void Check<T>(Arbitrary<T> cases, int count, ulong seed, Action<T> property) =>
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(count).WithReplay(seed, 1), Prop.ForAll(cases, property));

    /// <summary>Weights of <paramref name="least"/> to <paramref name="most"/> servers: small ones, equal ones, and few heavy ones among light ones.</summary>
    public static Arbitrary<int[]> Weights(int least, int most, int heaviest = 60)
    {
        Gen<int> small = Gen.Choose(1, Math.Min(heaviest, 20));
        Gen<int> mixed = Gen.Elements(1, 1, 2, 3, 5, heaviest / 2, heaviest);
        Gen<int[]> weights =
            from count in Gen.Choose(least, most)
            from kind in Gen.Choose(0, 3)
            from drawn in (kind == 0 ? mixed : small).ArrayOf(count)
            select kind == 1 ? Array.ConvertAll(drawn, _ => drawn[0]) : kind == 2 ? Array.ConvertAll(drawn, w => Math.Min(heaviest, w * 3)) : drawn;
        return Arb.From(weights, w => Smaller(w).Where(s => s.Length >= least));
    }

    /// <summary>Any numbers, for a script whose steps are made of them.</summary>
    public static Arbitrary<int[]> Script(int length) => Arb.From(Gen.Choose(0, int.MaxValue).ArrayOf(length), Smaller);

    private static IEnumerable<int[]> Smaller(int[] values)
    {
        for (int part = values.Length / 2; part > 0; part /= 2)
        {
            for (int start = 0; start + part <= values.Length; start += part) yield return [.. values[..start], .. values[(start + part)..]];
        }
    }
}
