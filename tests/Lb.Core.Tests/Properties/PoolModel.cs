namespace Lb.Core.Tests.Properties;

/// <summary>What a pool should be, as simply as it can be said: a list of servers with their facts and open leases.</summary>
internal sealed class PoolModel
{
    public List<ModelServer> Members { get; } = [];

    /// <summary>Those that left, for their open leases.</summary>
    public List<ModelServer> Gone { get; } = [];

    public IEnumerable<ModelServer> All => Members.Concat(Gone);

    /// <summary>Main servers in use; if there is none, the first backup in use.</summary>
    public List<ModelServer> Candidates
    {
        get
        {
            List<ModelServer> mains = Members.FindAll(static s => !s.Backup && s.IsUsable);
            return mains.Count > 0 ? mains : [.. Members.Where(static s => s.Backup && s.IsUsable).Take(1)];
        }
    }

    public ModelServer Of(Server server) => All.Single(s => s.Server == server);

    /// <summary>What a pick answers, or the reason why it must not have answered that.</summary>
    public string? Judge(in PickContext context, Server? picked, PickFailure failure, bool preservesAffinity)
    {
        // Sticky traffic goes to its server even if that is drained or of weight 0, but not if it is down, in maintenance or gone.
        Server? prefer = context.Prefer;
        ModelServer? sticky = Members.Find(s => s.Server == prefer && s.IsUp && s.Admin != ServerAdmin.Maintenance);
        if (sticky is not null && !context.Excludes(sticky.Server))
            return sticky.HasRoom ? Expect(picked == sticky.Server, "the sticky server") : Expect(failure == PickFailure.AllFull, "AllFull: the sticky server is full");

        List<ModelServer> candidates = Candidates;
        if (candidates.Count == 0) return Expect(failure == PickFailure.NoServer, "NoServer");
        bool someHasRoom = candidates.Exists(static s => s.HasRoom);
        if (!someHasRoom) return Expect(failure == PickFailure.AllFull, "AllFull");
        if (picked is null && preservesAffinity && failure == PickFailure.AllFull) return Expect(candidates.Exists(static s => !s.HasRoom), "a pick");
        ModelServer? found = candidates.Find(s => s.Server == picked);
        if (found is null) return "one of the candidates";
        if (!found.HasRoom) return "one with room";
        if (!context.Excludes(found.Server)) return null;
        foreach (ModelServer other in candidates)
        {
            if (other.HasRoom && !context.Excludes(other.Server)) return "one that is not excluded";
        }

        return null;
    }

    private static string? Expect(bool isSo, string what) => isSo ? null : what;
}

/// <summary>One server of the model.</summary>
internal sealed class ModelServer(Server server, int weight, int maxConnections, bool backup)
{
    public Server Server { get; } = server;

    public string Name { get; } = server.Name;

    public bool IsUp { get; set; } = true;

    public ServerAdmin Admin { get; set; }

    public int Weight { get; set; } = weight;

    public int MaxConnections { get; set; } = maxConnections;

    public bool Backup { get; set; } = backup;

    /// <summary>What the configuration said last.</summary>
    public (int Weight, int MaxConnections) Configured { get; set; } = (weight, maxConnections);

    public List<ServerLease> Open { get; } = [];

    public long Total { get; set; }

    public long Failures { get; set; }

    public long Ignored { get; set; }

    public bool IsUsable => IsUp && Admin == ServerAdmin.Ready && Weight > 0;

    public bool HasRoom => MaxConnections == 0 || Open.Count < MaxConnections;
}
