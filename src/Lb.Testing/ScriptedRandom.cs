namespace Lb.Testing;

/// <summary>
/// Chance by script: every draw returns the next value written down, so that a test can say which servers are drawn. Not thread-safe, like
/// <see cref="Random"/> itself.
/// </summary>
/// <remarks>Values are handed out as they are, whichever method draws; one that is out of the range asked for is a fault of the test and throws.</remarks>
public sealed class ScriptedRandom : Random
{
    private readonly Queue<Entry> _script = new();
    private int _drawn;

    /// <summary>Makes a script of integers, for <see cref="Next(int)"/>, <see cref="NextInt64()"/> and their kind.</summary>
    /// <param name="draws">The values in the order of the draws.</param>
    public ScriptedRandom(params ReadOnlySpan<long> draws)
    {
        Then(draws);
    }

    /// <summary>Draws left in the script.</summary>
    public int Remaining => _script.Count;

    /// <summary>Adds integers.</summary>
    /// <param name="draws">The values in the order of the draws.</param>
    /// <returns>This script.</returns>
    public ScriptedRandom Then(params ReadOnlySpan<long> draws)
    {
        foreach (long draw in draws) _script.Enqueue(new Entry(draw, null));
        return this;
    }

    /// <summary>Adds fractions, for <see cref="NextDouble"/> and <see cref="NextSingle"/>.</summary>
    /// <param name="draws">The values in the order of the draws, 0 to below 1.</param>
    /// <returns>This script.</returns>
    public ScriptedRandom ThenFractions(params ReadOnlySpan<double> draws)
    {
        foreach (double draw in draws) _script.Enqueue(new Entry(0, draw));
        return this;
    }

    /// <inheritdoc/>
    public override int Next() => (int)Integer(0, int.MaxValue);

    /// <inheritdoc/>
    public override int Next(int maxValue) => (int)Integer(0, maxValue);

    /// <inheritdoc/>
    public override int Next(int minValue, int maxValue) => (int)Integer(minValue, maxValue);

    /// <inheritdoc/>
    public override long NextInt64() => Integer(0, long.MaxValue);

    /// <inheritdoc/>
    public override long NextInt64(long maxValue) => Integer(0, maxValue);

    /// <inheritdoc/>
    public override long NextInt64(long minValue, long maxValue) => Integer(minValue, maxValue);

    /// <inheritdoc/>
    public override double NextDouble() => Fraction();

    /// <inheritdoc/>
    public override float NextSingle() => (float)Fraction();

    /// <inheritdoc/>
    public override void NextBytes(byte[] buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        NextBytes(buffer.AsSpan());
    }

    /// <inheritdoc/>
    public override void NextBytes(Span<byte> buffer)
    {
        foreach (ref byte value in buffer) value = (byte)Integer(0, 256);
    }

    /// <inheritdoc/>
    protected override double Sample() => Fraction();

    private long Integer(long minimum, long end)
    {
        Entry entry = Draw();
        if (entry.Fraction is not null)
            throw new InvalidOperationException($"Draw {_drawn} of the script is the fraction {entry.Fraction}, but an integer was asked for.");

        // Random itself returns the minimum when the range is empty.
        if (entry.Integer < minimum || (entry.Integer >= end && entry.Integer != minimum))
            throw new InvalidOperationException($"Draw {_drawn} of the script is {entry.Integer}, but {minimum} to below {end} was asked for.");
        return entry.Integer;
    }

    private double Fraction()
    {
        Entry entry = Draw();
        if (entry.Fraction is not { } value)
            throw new InvalidOperationException($"Draw {_drawn} of the script is the integer {entry.Integer}, but a fraction was asked for.");
        if (!(value >= 0 && value < 1)) throw new InvalidOperationException($"Draw {_drawn} of the script is {value}, but 0 to below 1 was asked for.");
        return value;
    }

    private Entry Draw()
    {
        if (!_script.TryDequeue(out Entry entry)) throw new InvalidOperationException($"The script has ended after {_drawn} draws, but one more was asked for.");
        _drawn++;
        return entry;
    }

    private readonly record struct Entry(long Integer, double? Fraction);
}
