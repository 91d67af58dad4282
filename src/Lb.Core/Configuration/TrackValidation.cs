namespace Lb;

/// <summary>Checks which servers track which: all must exist, and none may track itself by way of others. Pure.</summary>
internal static class TrackValidation
{
    public static void Validate(LbOptions options, List<ConfigurationError> errors)
    {
        Dictionary<string, string?> tracked = new(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, PoolOptions pool) in options.Pools)
        {
            foreach (ServerOptions server in pool.Servers) tracked[$"{name}/{server.NameOrAddress}"] = server.Track;
        }

        foreach ((string name, PoolOptions pool) in options.Pools)
        {
            for (int i = 0; i < pool.Servers.Count; i++)
            {
                // What is no pool/server at all is told with the pool's other values.
                if (pool.Servers[i].Track is not { } track || track.IndexOf('/', StringComparison.Ordinal) is not (> 0 and int slash) || slash == track.Length - 1) continue;
                if (Explain($"{name}/{pool.Servers[i].NameOrAddress}", track, slash, tracked, options) is { } error)
                    errors.Add(new($"{options.Path}:Pools:{name}:Servers:{i}:Track", track, error));
            }
        }
    }

    private static string? Explain(string self, string track, int slash, Dictionary<string, string?> tracked, LbOptions options)
    {
        if (!options.Pools.TryGetValue(track[..slash], out PoolOptions? pool))
            return $"there is no pool '{track[..slash]}'; there are: {string.Join(", ", options.Pools.Keys.Order(StringComparer.Ordinal))}";
        if (!tracked.ContainsKey(track))
            return $"pool '{track[..slash]}' has no server '{track[(slash + 1)..]}'; there are: {string.Join(", ", pool.Servers.Select(static s => s.NameOrAddress))}";

        List<string> way = [self];
        for (string? next = track; next is not null && tracked.TryGetValue(next, out string? further); next = further)
        {
            bool isLoop = string.Equals(next, self, StringComparison.OrdinalIgnoreCase);
            way.Add(next);
            if (isLoop) return $"leads back to itself: {string.Join(" > ", way)}";

            // A loop that others make is told with them.
            if (way.Count > tracked.Count) return null;
        }

        return null;
    }
}
