namespace Lb.Testing;

/// <summary>
/// Chance of a simulation (Steele, Lea and Flood's SplitMix64): a value of eight bytes, so every request carries its own, and its work is the same
/// whichever policy sends it wherever.
/// </summary>
internal struct SimulationRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A seed of its own for a part of the simulation.</summary>
    public static ulong Seed(ulong seed, ulong part) => Mix(Mix(seed + 0x9E3779B97F4A7C15) ^ Mix(part + 0xD1B54A32D192ED03));

    /// <summary>64 random bits.</summary>
    public ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>A number below <paramref name="count"/>.</summary>
    public int Next(int count) => (int)((Next() >> 32) * (ulong)count >> 32);

    /// <summary>At least 0, below 1.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Exponential, of mean 1.</summary>
    public double NextExponential() => -Math.Log(1 - NextDouble());

    /// <summary>Normal, of mean 0 and standard deviation 1 (Box and Muller).</summary>
    public double NextNormal() => Math.Sqrt(2 * NextExponential()) * Math.Cos(2 * Math.PI * NextDouble());

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
