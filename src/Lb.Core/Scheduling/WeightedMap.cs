namespace Lb;

/// <summary>HAProxy's static map (<c>lb_map.c</c>): Σweight/gcd slots, each server in as many as its reduced weight, spread evenly.</summary>
internal static class WeightedMap
{
    public static Server[] Build(PoolSnapshot snapshot)
    {
        ReadOnlySpan<int> weights = snapshot.Weights;
        int gcd = 0;
        int sum = 0;
        foreach (int weight in weights)
        {
            gcd = Gcd(weight, gcd);
            sum += weight;
        }

        sum /= gcd;
        Server[] map = new Server[sum];
        int[] score = new int[weights.Length];
        for (int slot = 0; slot < sum; slot++)
        {
            // The whole part of (score + sum) / sum decides; the first declared wins among equals.
            int best = -1, most = 0;
            for (int i = 0; i < weights.Length; i++)
            {
                score[i] += weights[i] / gcd;
                int value = (score[i] + sum) / sum;
                if (best >= 0 && value <= most) continue;
                best = i;
                most = value;
            }

            score[best] -= sum;
            map[slot] = snapshot.Servers[best];
        }

        return map;
    }

    /// <summary>The greatest common divisor; 0 is neutral.</summary>
    internal static int Gcd(int a, int b)
    {
        while (b != 0) (a, b) = (b, a % b);
        return a;
    }
}
