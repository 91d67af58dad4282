namespace Lb;

/// <summary>Vose's alias method: draws an index in proportion to its weight with one array read, whatever the number of servers. Immutable.</summary>
internal sealed class AliasTable
{
    private readonly int[] _alias;
    private readonly uint[] _keep;

    public AliasTable(ReadOnlySpan<int> weights)
    {
        int count = weights.Length;
        _alias = new int[count];
        _keep = new uint[count];
        double sum = 0;
        foreach (int weight in weights) sum += weight;

        double[] scaled = new double[count];
        Stack<int> small = new(), large = new();
        for (int i = 0; i < count; i++)
        {
            scaled[i] = (double)weights[i] * count / sum;
            (scaled[i] < 1 ? small : large).Push(i);
        }

        while (small.Count > 0 && large.Count > 0)
        {
            int less = small.Pop(), more = large.Pop();
            _keep[less] = (uint)(scaled[less] * uint.MaxValue);
            _alias[less] = more;
            scaled[more] -= 1 - scaled[less];
            (scaled[more] < 1 ? small : large).Push(more);
        }

        // What is left has probability 1 but for rounding.
        foreach (int i in large.Concat(small))
        {
            _keep[i] = uint.MaxValue;
            _alias[i] = i;
        }
    }

    /// <summary>Maps 63 random bits to an index: the column by multiplication, the coin by the low half.</summary>
    public int Draw(long random)
    {
        uint high = (uint)(random >> 31);
        int column = (int)((ulong)high * (ulong)_alias.Length >> 32);
        uint coin = (uint)random << 1;
        return coin <= _keep[column] ? column : _alias[column];
    }
}
