using System.Globalization;
using System.Runtime.CompilerServices;

namespace Lb;

/// <summary>
/// The draws of policies. Without a caller's <see cref="Random"/>: a generator for each thread, some three times as fast as <see cref="Random.Shared"/>, which
/// matters where a whole pick has ten nanoseconds. With one: that one, locked itself, because picks come from several
/// threads and a pool shares it between its levels.
/// </summary>
internal sealed class SharedRandom(Random? inner)
{
    private readonly Random? _inner = ReferenceEquals(inner, Random.Shared) ? null : inner;

    [ThreadStatic]
    private static ulong t_state;

    /// <summary>A number below <paramref name="count"/>, which is 1 or more.</summary>
    public int Next(int count)
    {
        if (_inner is null) return (int)((Draw() >> 32) * (ulong)count >> 32);
        lock (_inner) return _inner.Next(count);
    }

    /// <summary>63 random bits.</summary>
    public long NextInt64()
    {
        if (_inner is null) return (long)(Draw() >> 1);
        lock (_inner) return _inner.NextInt64();
    }

    /// <summary>Two different numbers below <paramref name="count"/>, which is 2 or more: without a retry, by leaving a hole where the first was drawn.</summary>
    public (int First, int Second) NextPair(int count)
    {
        int first, second;
        if (_inner is null)
        {
            // One draw for both: 32 bits each are plenty for pools.
            ulong draw = Draw();
            first = (int)((draw >> 32) * (ulong)count >> 32);
            second = (int)((draw & uint.MaxValue) * (ulong)(count - 1) >> 32);
        }
        else
        {
            first = Next(count);
            second = Next(count - 1);
        }

        // Adds one if second >= first, without a branch that would be guessed wrong every other time.
        return (first, second + (int)((uint)(first - second - 1) >> 31));
    }

    // Wang Yi's wyrand: a Weyl sequence, and the two halves of a 128-bit product folded. Each thread starts somewhere else.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Draw()
    {
        ulong state = t_state;
        if (state == 0) state = (ulong)Random.Shared.NextInt64(1, long.MaxValue);
        state += 0xA0761D6478BD642F;
        t_state = state;
        ulong high = Math.BigMul(state, state ^ 0xE7037ED1A0B428DB, out ulong low);
        return high ^ low;
    }
}

/// <summary>What policies say of a pick that chance decides.</summary>
internal static class Chance
{
    public static string Note(int draws, int servers) =>
        string.Create(CultureInfo.InvariantCulture, $"chance decides: the better of {draws} drawn from {servers} servers");

    public static string Ties(int servers) => string.Create(CultureInfo.InvariantCulture, $"chance decides among {servers} servers with equal load");
}
