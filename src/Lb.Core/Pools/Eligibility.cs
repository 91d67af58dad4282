namespace Lb;

/// <summary>Decides which servers of a pool may be picked: health × administration × weight × backup, and what to do when none is left. Pure.</summary>
internal static class Eligibility
{
    /// <summary>One server's facts.</summary>
    public readonly record struct Candidate(Server Server, ServerHealth Health, ServerAdmin Admin, int Weight, bool Backup)
    {
        /// <summary>Ejected for what callers saw.</summary>
        public Ejected Ejected { get; init; }

        /// <summary>May get balanced traffic as far as people are concerned, and the server itself.</summary>
        public bool IsWanted => Admin == ServerAdmin.Ready && Weight > 0 && Health != ServerHealth.Stopping;

        public bool IsUsable => IsWanted && Health == ServerHealth.Up && Ejected == Ejected.No;

        /// <summary>Healthy and ejected, but better than nobody.</summary>
        public bool IsLastResort => IsWanted && Health == ServerHealth.Up && Ejected == Ejected.UnlessLast;
    }

    /// <summary>Whether a server is ejected, and how strictly.</summary>
    public enum Ejected
    {
        No,

        /// <summary>It is used again when there is nobody else.</summary>
        UnlessLast,

        /// <summary>Not even then.</summary>
        Strictly,
    }

    /// <summary>The pool's choices that matter here.</summary>
    public readonly record struct Rules(bool AllBackups, Failback Failback, int PanicThreshold, AllDown AllDown);

    /// <summary>What was decided last time.</summary>
    public sealed record Decision(PoolMode Mode, IReadOnlyList<Candidate> Servers)
    {
        public static Decision Nothing { get; } = new(PoolMode.Down, []);
    }

    public static Decision Decide(IReadOnlyList<Candidate> all, in Rules rules, Decision previous)
    {
        List<Candidate> mains = Where(all, static c => !c.Backup && c.IsUsable);
        List<Candidate> backups = Where(all, static c => c.Backup && c.IsUsable);

        if (rules.Failback == Failback.Stay && previous.Mode == PoolMode.Backup)
        {
            List<Candidate> stay = Where(backups, c => Contains(previous.Servers, c.Server));
            if (stay.Count > 0) return new Decision(PoolMode.Backup, rules.AllBackups ? backups : stay);
        }

        if (rules.PanicThreshold > 0)
        {
            List<Candidate> wanted = Where(all, static c => !c.Backup && c.IsWanted);
            bool fewerThanAsked = mains.Count * 100 < wanted.Count * rules.PanicThreshold;
            if (fewerThanAsked && backups.Count == 0) return new Decision(PoolMode.Panic, wanted);
        }

        if (mains.Count > 0) return new Decision(PoolMode.Normal, mains);

        if (backups.Count > 0)
        {
            if (!rules.AllBackups) backups.RemoveRange(1, backups.Count - 1);
            return new Decision(PoolMode.Backup, backups);
        }

        // Who fails some of its callers is better than nobody.
        List<Candidate> ejected = Where(all, static c => !c.Backup && c.IsLastResort);
        if (ejected.Count > 0) return new Decision(PoolMode.Normal, ejected);

        List<Candidate> last = rules.AllDown switch
        {
            AllDown.UseAll => Where(all, static c => c.IsWanted),
            AllDown.LastKnownGood => Where(all, c => c.IsWanted && Contains(previous.Servers, c.Server)),
            _ => [],
        };

        if (last.Count == 0) return Decision.Nothing;
        return new Decision(rules.AllDown == AllDown.UseAll ? PoolMode.Panic : PoolMode.LastKnownGood, last);
    }

    private static List<Candidate> Where(IReadOnlyList<Candidate> all, Func<Candidate, bool> test)
    {
        List<Candidate> found = [];
        foreach (Candidate candidate in all)
        {
            if (test(candidate)) found.Add(candidate);
        }

        return found;
    }

    private static bool Contains(IReadOnlyList<Candidate> candidates, Server server)
    {
        foreach (Candidate candidate in candidates)
        {
            if (ReferenceEquals(candidate.Server, server)) return true;
        }

        return false;
    }
}
