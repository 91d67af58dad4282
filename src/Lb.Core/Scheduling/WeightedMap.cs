namespace Lb;

/// <summary>HAProxy's static map (<c>lb_map.c</c>): Σweight/gcd slots, each server in as many as its reduced weight, spread evenly.</summary>
internal static class WeightedMap
{
    public static Server[] Build(PoolSnapshot snapshot)
    {
        int[] order = Order(snapshot.Weights);
        Server[] servers = snapshot.ServerArray, map = new Server[order.Length];
        for (int slot = 0; slot < map.Length; slot++) map[slot] = servers[order[slot]];
        return map;
    }

    /// <summary>The index of the server in each slot.</summary>
    /// <remarks>
    /// HAProxy goes through all servers for each slot: everybody's score grows by its weight, the largest whole part of (score + Σ) / Σ wins, the first
    /// declared among equals, and pays Σ. That whole part grows only when another whole share has fallen due, ⌊slot × weight / Σ⌋, so it is enough to
    /// visit a server then and when it wins: O(Σ) in all, not O(n × Σ).
    /// </remarks>
    internal static int[] Order(ReadOnlySpan<int> weights)
    {
        int gcd = 0;
        int sum = 0;
        foreach (int weight in weights)
        {
            gcd = Gcd(weight, gcd);
            sum += weight;
        }

        sum /= gcd;

        // Servers by shares due less slots taken, plus one: nobody takes more than one slot ahead.
        List<IndexSet> byCredit = [new(weights.Length), new(weights.Length)];
        int[] credit = new int[weights.Length];

        // A calendar: for each slot the servers one more share of which falls due then, as a chain.
        int[] firstDue = new int[sum + 1], nextDue = new int[weights.Length], shares = new int[weights.Length];
        Array.Fill(firstDue, -1);
        for (int i = 0; i < weights.Length; i++)
        {
            byCredit[credit[i] = 1].Add(i);
            Schedule(i, weights[i] / gcd);
        }

        int[] order = new int[sum];
        int top = 1;
        for (int slot = 1; slot <= sum; slot++)
        {
            for (int i = firstDue[slot]; i >= 0;)
            {
                int next = nextDue[i];
                Move(i, 1);
                Schedule(i, weights[i] / gcd);
                i = next;
            }

            while (byCredit[top].Count == 0) top--;
            int best = byCredit[top].First();
            Move(best, -1);
            order[slot - 1] = best;
        }

        return order;

        void Schedule(int i, int weight)
        {
            if (shares[i] == weight) return;
            int slot = (int)((((long)++shares[i] * sum) + weight - 1) / weight);
            (nextDue[i], firstDue[slot]) = (firstDue[slot], i);
        }

        void Move(int i, int step)
        {
            byCredit[credit[i]].Remove(i);
            credit[i] += step;
            if (credit[i] == byCredit.Count) byCredit.Add(new IndexSet(credit.Length));
            byCredit[credit[i]].Add(i);
            if (credit[i] > top) top = credit[i];
        }
    }

    /// <summary>The greatest common divisor; 0 is neutral.</summary>
    internal static int Gcd(int a, int b)
    {
        while (b != 0) (a, b) = (b, a % b);
        return a;
    }
}
