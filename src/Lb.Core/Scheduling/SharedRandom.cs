namespace Lb;

/// <summary>Makes a caller's <see cref="Random"/> safe for picks from several threads; <see cref="Random.Shared"/> already is.</summary>
internal sealed class SharedRandom : Random
{
    private readonly Random _inner;
    private readonly Lock _lock = new();

    private SharedRandom(Random inner)
    {
        _inner = inner;
    }

    public static Random Wrap(Random? random) => random is null || ReferenceEquals(random, Shared) ? Shared : new SharedRandom(random);

    public override int Next(int maxValue)
    {
        lock (_lock) return _inner.Next(maxValue);
    }

    public override long NextInt64()
    {
        lock (_lock) return _inner.NextInt64();
    }
}
