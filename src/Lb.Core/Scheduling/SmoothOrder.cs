namespace Lb;

/// <summary>One cycle of a rotation by weight: Σweight places, each index in as many as its weight, never a whole place off its share. Pure.</summary>
internal static class SmoothOrder
{
    // A step of nginx's order is a look at one server; a million take about half a millisecond.
    private const long MostSteps = 1 << 20;

    /// <summary>nginx's order while that is quick to work out, else the one of deadlines.</summary>
    public static int[] Make(ReadOnlySpan<int> weights)
    {
        long sum = 0;
        foreach (int weight in weights) sum += weight;
        return sum * weights.Length <= MostSteps ? AsNginx(weights) : ByDeadline(weights);
    }

    /// <summary>nginx's rule: everybody gains its weight, the first largest wins and pays the sum. O(n × Σweight).</summary>
    internal static int[] AsNginx(ReadOnlySpan<int> weights)
    {
        int sum = 0;
        foreach (int weight in weights) sum += weight;
        int[] order = new int[sum];
        int[] current = new int[weights.Length];
        for (int turn = 0; turn < sum; turn++)
        {
            int best = 0;
            for (int i = 0; i < current.Length; i++)
            {
                current[i] += weights[i];
                if (current[i] > current[best]) best = i;
            }

            current[best] -= sum;
            order[turn] = best;
        }

        return order;
    }

    /// <summary>
    /// Proportionate fairness (Baruah, Cohen, Plaxton, Varvel 1996): turn k of a server, from 0, lies within the places ⌊k × Σ / weight⌋ and
    /// ⌈(k + 1) × Σ / weight⌉ - 1, which keeps it less than one turn off its share. Of those that may go the one whose time ends first goes, the first
    /// declared among equals: for one sequence that always works out. O(Σweight).
    /// </summary>
    internal static int[] ByDeadline(ReadOnlySpan<int> weights)
    {
        int sum = 0;
        foreach (int weight in weights) sum += weight;

        // Turns sorted by the end of their time, counting; the servers are gone through in order, so that equals stay in it.
        int[] place = new int[sum + 2];
        foreach (int weight in weights)
        {
            for (int k = 1; k <= weight; k++) place[End(k, weight) + 1]++;
        }

        for (int i = 1; i < place.Length; i++) place[i] += place[i - 1];
        int[] owner = new int[sum], firstStarting = new int[sum], nextStarting = new int[sum];
        Array.Fill(firstStarting, -1);
        for (int i = 0; i < weights.Length; i++)
        {
            for (int k = 1; k <= weights[i]; k++)
            {
                int turn = place[End(k, weights[i])]++;
                int start = (int)((long)(k - 1) * sum / weights[i]);
                owner[turn] = i;
                (nextStarting[turn], firstStarting[start]) = (firstStarting[start], turn);
            }
        }

        IndexSet ready = new(sum);
        int[] order = new int[sum];
        for (int now = 0; now < sum; now++)
        {
            for (int turn = firstStarting[now]; turn >= 0; turn = nextStarting[turn]) ready.Add(turn);
            int first = ready.First();
            ready.Remove(first);
            order[now] = owner[first];
        }

        return order;

        int End(int turns, int weight) => (int)((((long)turns * sum) + weight - 1) / weight);
    }
}
