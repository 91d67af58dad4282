using System.Globalization;

namespace Lb;

/// <content>What a pick would do, and why.</content>
public sealed partial class ServerPool
{
    /// <summary>
    /// Tells what <see cref="TryPick"/> would do with this context, and changes nothing. Allocates; picks pay nothing for it. Other threads may pick in
    /// between, so the next pick may differ.
    /// </summary>
    /// <param name="context">What the pick may depend on.</param>
    public PickExplanation Explain(in PickContext context)
    {
        long now = context.Now != 0 ? context.Now : _time.GetTimestamp();
        if (_affinity is not { } affinity || context.Prefer is not null || context.Persistence == PersistenceUse.Ignore) return ExplainKnown(in context, now);
        PickContext known = context with { Prefer = affinity.Find(context.Source, now) };
        return ExplainKnown(in known, now);
    }

    private PickExplanation ExplainKnown(in PickContext context, long now)
    {
        Published published = _published;
        List<PickCandidate> candidates = [];
        List<PickExclusion> exclusions = [];
        foreach (Server server in _all)
        {
            int place = published.Snapshot?.IndexOf(server) ?? -1;
            if (WhyNot(server, place, in context) is { } reason) exclusions.Add(new PickExclusion(server, reason));
            else candidates.Add(new PickCandidate(server, (double)published.Snapshot!.LiveWeights[place] / published.Snapshot.LiveScale, server.Load));
        }

        PickExplanation Told(Server? choice, PickFailure failure, string note, ulong? hash = null) =>
            new(Name, PolicyName, published.Mode, candidates, exclusions, hash, choice, failure, note);

        if (_protections.MaxConnections > 0 && published.Scheduler is not null && !HasRoomForMore()) return Told(null, PickFailure.AllFull, "the whole pool is full");
        if (IsSticky(in context))
        {
            return context.Prefer!.HasRoom
                ? Told(context.Prefer, PickFailure.None, "persistence names it")
                : Told(null, PickFailure.AllFull, $"persistence names {context.Prefer.Name}, which is full: the pick waits for it");
        }

        if (context.Prefer is { } down && MustWaitForReturn(in context)) return Told(null, PickFailure.PreferredDown, $"persistence names {down.Name}, which is down");
        if (published.Scheduler is null) return Told(null, PickFailure.NoServer, "no server is usable");
        SchedulerAnswer answer = published.Scheduler.Explain(in context, now);
        if (candidates.Count == 0 && _queue.UnboundCount == 0 && Array.Find(published.Snapshot!.ServerArray, static s => s.HasRoom) is { } tried)
            return Told(tried, PickFailure.None, "only servers that were tried already have room", answer.Hash);
        if (candidates.Count == 0) return Told(null, PickFailure.AllFull, "every usable server is full or already tried", answer.Hash);
        if (_queue.UnboundCount > 0) return Told(null, PickFailure.AllFull, "others wait already", answer.Hash);
        Server? choice = answer.Choice ?? (candidates.Count == 1 ? candidates[0].Server : null);
        if (choice is null) return Told(null, PickFailure.None, answer.Note ?? "the policy does not say", answer.Hash);
        bool fits = candidates.Exists(c => ReferenceEquals(c.Server, choice));
        if (!fits && !choice.HasRoom && IsBoundByKey(published, choice, in context))
            return Told(null, PickFailure.AllFull, $"the key leads to {choice.Name}, which is full: the pick waits for it", answer.Hash);
        if (fits) return Told(choice, PickFailure.None, answer.Note ?? "", answer.Hash);
        string note = $"the policy proposes {choice.Name}, which can't be had";
        return candidates.Count == 1
            ? Told(candidates[0].Server, PickFailure.None, note, answer.Hash)
            : Told(null, PickFailure.None, $"{note}: another one will be asked for", answer.Hash);
    }

    private static string? WhyNot(Server server, int place, in PickContext context)
    {
        if (place >= 0)
        {
            if (context.Excludes(server)) return "already tried";
            if (server.HasRoom) return null;
            if (server.Ejection is { IsTrial: true }) return "on trial, and the leases of the trial are taken";
            return string.Create(CultureInfo.InvariantCulture, $"full ({server.InFlight} of {Math.Max(server.Limit, 0)})");
        }

        string since = server.LastChange.ToString("u", CultureInfo.InvariantCulture);
        return server.Status switch
        {
            ServerStatus.Maintenance => $"MAINT since {since}",
            ServerStatus.Down => $"DOWN since {since}",
            ServerStatus.Drain => $"DRAIN since {since}",
            ServerStatus.Stopping => $"NOLB since {since}",
            ServerStatus.Ejected => $"EJECTED since {since}: {server.Ejection?.Reason}",
            _ when server.Sorry => "sorry server: the quorum is held",
            _ when server.Backup => "backup: main servers are usable",
            _ => "not in use in this mode of the pool",
        };
    }
}
