namespace Lb;

/// <summary>How many servers failing checks may take out (<see cref="PoolOptions.MaxDownPercent"/>). Pure.</summary>
internal static class DownLimit
{
    /// <summary>
    /// Finds the servers that are down but stay in use: the first to go down are out, as many as the percentage allows, rounded down; the later ones
    /// stay. Below 100 percent one at least stays, for rounding down never reaches all.
    /// </summary>
    /// <param name="down">Those that are down, each with the timestamp since when; is sorted by it, ties by index.</param>
    /// <param name="total">All servers that count, up or down.</param>
    /// <param name="maxDownPercent">0 to 100.</param>
    /// <param name="kept">Gets the indexes of those that stay, in the order they went down.</param>
    public static void Keep(List<(int Index, long DownSince)> down, int total, int maxDownPercent, List<int> kept)
    {
        int most = (int)((long)total * maxDownPercent / 100);
        if (down.Count <= most) return;
        down.Sort(static (a, b) => a.DownSince != b.DownSince ? a.DownSince.CompareTo(b.DownSince) : a.Index.CompareTo(b.Index));
        for (int i = most; i < down.Count; i++) kept.Add(down[i].Index);
    }
}
