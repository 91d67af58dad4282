using System.Globalization;
using Lb.Testing;

namespace Lb.Tool;

/// <summary>Plays a script against a pool in virtual time: one line in, one line out. Not thread-safe.</summary>
/// <param name="pool">The pool; its clock is <paramref name="time"/>.</param>
/// <param name="time">Moved only by the script.</param>
internal sealed class Player(ServerPool pool, ManualTimeProvider time)
{
    private const string Done = "ok";
    private const string Cause = "script";

    private readonly List<Picked> _picks = [];

    /// <summary>True once a line was answered with an error.</summary>
    public bool HasErrors { get; private set; }

    /// <summary>Plays one line.</summary>
    /// <returns>The answer, one line without its end; empty for a blank line or a comment.</returns>
    public string Play(string line)
    {
        string answer = Do(PlayScript.Parse(line), out string? error);
        if (error is null) return answer;
        HasErrors = true;
        return $"error: {error}";
    }

    private string Do(Step step, out string? error)
    {
        error = null;
        switch (step)
        {
            case Step.Bad bad:
                error = bad.Message;
                return "";
            case Step.Pick pick:
                return Pick(pick.Context);
            case Step.Explain explain:
                return Explain(explain.Context);
            case Step.End end:
                error = End(end);
                return Done;
            case Step.Health health:
                error = Change(health.Name, server => pool.SetHealth(server, health.Value, Cause));
                return Done;
            case Step.Admin admin:
                error = Change(admin.Name, server => pool.SetAdmin(server, admin.Value, Cause));
                return Done;
            case Step.SetWeight weight:
                error = Change(weight.Name, server => pool.SetWeight(server, weight.Value));
                return Done;
            case Step.Remove remove:
                error = Change(remove.Name, server => pool.Remove(server, force: true));
                return Done;
            case Step.Add add:
                error = Add(add);
                return Done;
            case Step.Advance advance:
                time.Advance(advance.Time);
                return Done;
            case Step.Show:
                return Show();
            default:
                return "";
        }
    }

    private string Pick(PickContext context)
    {
        long now = time.GetTimestamp();
        bool picked = pool.TryPick(context with { Now = now }, out ServerLease lease, out PickFailure failure);
        _picks.Add(picked ? new Picked(lease, now, PickState.Open) : new Picked(default, now, PickState.Failed));
        return picked ? lease.Server.Name : $"- {failure}";
    }

    private string Explain(PickContext context)
    {
        PickExplanation told = pool.Explain(context with { Now = time.GetTimestamp() });
        List<string> parts = [told.Failure != PickFailure.None ? $"- {told.Failure}" : told.Choice?.Name ?? "?"];
        if (told.Candidates.Count > 0)
            parts.Add("among " + string.Join(", ", told.Candidates.Select(static c => string.Create(CultureInfo.InvariantCulture, $"{c.Server.Name} {c.Weight:0.####} {c.Load}"))));
        parts.AddRange(told.Exclusions.Select(static e => $"not {e.Server.Name}: {e.Reason}"));
        if (told.Hash is { } hash) parts.Add(string.Create(CultureInfo.InvariantCulture, $"hash {hash:x}"));
        if (told.Note.Length > 0) parts.Add(told.Note);
        return string.Join("; ", parts);
    }

    private string? End(Step.End end)
    {
        if (end.Number > _picks.Count) return $"there is no pick {end.Number}; the last one is {_picks.Count}";
        Picked picked = _picks[end.Number - 1];
        if (picked.State == PickState.Failed) return $"pick {end.Number} got no server";
        if (picked.State == PickState.Ended) return $"pick {end.Number} has ended already";

        if (end.Latency is { } latency) picked.Lease.Responded(picked.At + latency.Ticks);
        picked.Lease.Complete(end.Outcome);
        _picks[end.Number - 1] = picked with { State = PickState.Ended };
        return null;
    }

    private string? Add(Step.Add add)
    {
        if (pool.Find(add.Name) is not null) return $"there is a server '{add.Name}' already";
        try
        {
            pool.Add(new ServerOptions { Name = add.Name, Address = add.Address, Weight = add.Weight }, ServerAdmin.Ready);
            return null;
        }
        catch (ArgumentException error)
        {
            return error.Message.Split('\n')[0].Trim();
        }
    }

    private string? Change(string name, Action<Server> change)
    {
        if (pool.Find(name) is not { } server)
            return $"there is no server '{name}' in pool {pool.Name}; there are: {string.Join(", ", pool.Servers)}";
        change(server);
        return null;
    }

    private string Show() => string.Join("; ", pool.Servers.Select(server => string.Create(
        CultureInfo.InvariantCulture, $"{server.Name} {Word(server.Status)} {EffectiveWeight(server):0.####} {server.InFlight}")));

    private double EffectiveWeight(Server server)
    {
        if (pool.Snapshot is not { } snapshot) return server.Weight;
        int place = snapshot.Servers.IndexOf(server);
        return place < 0 ? server.Weight : (double)snapshot.LiveWeights[place] / snapshot.LiveScale;
    }

    /// <summary>HAProxy's word for a status.</summary>
    internal static string Word(ServerStatus status) => status switch
    {
        ServerStatus.Up => "UP",
        ServerStatus.Down => "DOWN",
        ServerStatus.Drain => "DRAIN",
        ServerStatus.Ejected => "EJECTED",
        ServerStatus.Stopping => "NOLB",
        _ => "MAINT",
    };

    private enum PickState
    {
        Open,
        Failed,
        Ended,
    }

    // The clock of a script counts ticks, so a latency in ticks after At is a timestamp.
    private readonly record struct Picked(ServerLease Lease, long At, PickState State);
}
