namespace Lb;

/// <summary>
/// gRPC's static stride scheduler: weights of 16 bits and one counter make a weighted rotation without a table, so that a change of weights costs next to
/// nothing. The counter gives server and round; a server of weight w is taken in w of 65 535 rounds, evenly spread. Immutable.
/// </summary>
internal sealed class StaticStride
{
    private const uint Most = ushort.MaxValue;
    private const uint Offset = Most / 2;

    // No server counts for more than ten times the average, or picks would pass over too many others, nor for less than a hundredth.
    private const double MostOfMean = 10, LeastOfMean = 0.01;

    private readonly ushort[] _weights;

    private StaticStride(ushort[] weights)
    {
        _weights = weights;
    }

    /// <summary>The weights as they are used.</summary>
    public ReadOnlySpan<ushort> Weights => _weights;

    /// <summary>Null when fewer than two weights are known: then plain round robin.</summary>
    /// <param name="weights">Not negative; 0 = not known, taken for the mean of the others.</param>
    public static StaticStride? Build(ReadOnlySpan<double> weights)
    {
        double sum = 0, most = 0;
        int known = 0;
        foreach (double weight in weights)
        {
            sum += weight;
            most = Math.Max(most, weight);
            if (weight > 0) known++;
        }

        if (known < 2) return null;
        double mean = sum / known;
        most = Math.Min(most, MostOfMean * mean);
        double scale = Most / most;
        ushort middle = Round(scale * mean);
        ushort least = Math.Max((ushort)1, Round(middle * LeastOfMean));
        ushort[] scaled = new ushort[weights.Length];
        for (int i = 0; i < scaled.Length; i++)
            scaled[i] = weights[i] > 0 ? Math.Max(least, Round(Math.Min(weights[i], most) * scale)) : middle;
        return new StaticStride(scaled);
    }

    /// <summary>The next server, and the counter moved behind it.</summary>
    public int Next(ref long counter)
    {
        while (true)
        {
            ulong sequence = (ulong)Interlocked.Increment(ref counter) - 1;
            if (Takes(sequence, out int index)) return index;
        }
    }

    /// <summary>The server that <see cref="Next"/> would give; nothing moves.</summary>
    public int Peek(long counter)
    {
        for (ulong sequence = (ulong)counter; ; sequence++)
        {
            if (Takes(sequence, out int index)) return index;
        }
    }

    private bool Takes(ulong sequence, out int index)
    {
        (ulong round, ulong place) = Math.DivRem(sequence, (ulong)_weights.Length);
        index = (int)place;
        ulong weight = _weights[index];
        return ((weight * round) + (place * Offset)) % Most >= Most - weight;
    }

    private static ushort Round(double value) => (ushort)Math.Round(value, MidpointRounding.AwayFromZero);
}
