using System.Globalization;
using System.Runtime.CompilerServices;

namespace Lb;

/// <summary>The servers of one level and zone, and who chooses among them.</summary>
internal sealed record PlacedGroup(IScheduler Scheduler, Server[] Servers, string? Zone);

/// <summary>A priority level.</summary>
/// <param name="Priority">Its number.</param>
/// <param name="Load">Percent of the traffic.</param>
/// <param name="Until">That of this level and those before it.</param>
/// <param name="First">Its first group: the local zone, where it has one.</param>
/// <param name="Count">Its groups.</param>
/// <param name="LocalShare">Ten-thousandths that go to the first group.</param>
/// <param name="Residual">What each group and those before it take of the rest.</param>
internal sealed record PlacedLevel(int Priority, int Load, int Until, int First, int Count, int LocalShare, int[] Residual);

/// <summary>
/// Draws a level and a zone, then asks that group's own scheduler. With a policy that goes by a key the key draws: by another mix of its hash than the one
/// used inside, or a level would see only a part of its table. A group in which nobody can be had falls to the others of its level, then to the next level.
/// </summary>
internal sealed class PlacedScheduler(PlacedLevel[] levels, PlacedGroup[] groups, ISchedulingPolicy policy, bool preservesAffinity, SharedRandom random) : IScheduler
{
    // Any number: it keeps this mix apart from the others of the same hash.
    private const ulong Salt = 0x706C616365640001;

    private readonly IKeyedPolicy? _keyed = policy as IKeyedPolicy;
    private readonly bool _usesKey = policy.Traits.HasFlag(PolicyTraits.UsesKey);

    public Server Pick(in PickContext context, long now)
    {
        ulong draw = TryGetKey(in context, out ulong key) ? PickHash.Mix(key ^ Salt) : (ulong)random.NextInt64() << 1;
        (int level, int group) = Choose(draw);
        Server server = groups[group].Scheduler.Pick(in context, now);
        return CanTake(server, in context) ? server : PickOther(level, group, server, in context, now);
    }

    public SchedulerAnswer Explain(in PickContext context, long now)
    {
        bool keyed = TryGetKey(in context, out ulong key);
        if (!keyed && !IsCertain) return new SchedulerAnswer(null, null, $"chance decides: {Shares()}");
        (int level, int group) = Choose(keyed ? PickHash.Mix(key ^ Salt) : 0);
        SchedulerAnswer answer = groups[group].Scheduler.Explain(in context, now);
        return answer with { Note = $"{Place(level, group)} of {Shares()}{(answer.Note is null ? "" : $"; {answer.Note}")}" };
    }

    // One multiplication takes the level from the top of the draw and leaves the rest of it for the next question.
    private (int Level, int Group) Choose(ulong draw)
    {
        int percent = (int)Math.BigMul(draw, 100, out ulong rest);
        int i = 0;
        while (percent >= levels[i].Until) i++;
        PlacedLevel level = levels[i];
        if (level.LocalShare == ZoneSplit.Whole || (int)Math.BigMul(rest, ZoneSplit.Whole, out rest) < level.LocalShare) return (i, level.First);

        int[] residual = level.Residual;
        int place = (int)Math.BigMul(rest, (ulong)residual[^1], out _);
        int zone = 0;
        while (place >= residual[zone]) zone++;
        return (i, level.First + zone);
    }

    private bool TryGetKey(in PickContext context, out ulong key)
    {
        key = 0;
        if (!_usesKey) return false;
        return _keyed is null ? PickHash.TryGet(in context, out key) : _keyed.TryGetKey(in context, out key);
    }

    private bool CanTake(Server server, in PickContext context) =>
        (preservesAffinity || server.HasRoom) && (!context.HasExclusions || !context.Excludes(server));

    // The pool would go on in the order of the snapshot, whatever the level.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Server PickOther(int chosenLevel, int chosenGroup, Server proposal, in PickContext context, long now)
    {
        if (Search(chosenGroup, proposal, in context) is { } neighbour) return neighbour;
        for (int n = 0; n < levels.Length; n++)
        {
            PlacedLevel level = levels[(chosenLevel + n) % levels.Length];
            for (int group = level.First; group < level.First + level.Count; group++)
            {
                if (group == chosenGroup) continue;
                Server server = groups[group].Scheduler.Pick(in context, now);
                if (CanTake(server, in context)) return server;
                if (Search(group, server, in context) is { } other) return other;
            }
        }

        return proposal;
    }

    private Server? Search(int group, Server from, in PickContext context)
    {
        Server[] servers = groups[group].Servers;
        int start = Array.IndexOf(servers, from);
        for (int n = 1; n < servers.Length; n++)
        {
            Server server = servers[(start + n) % servers.Length];
            if (CanTake(server, in context)) return server;
        }

        return null;
    }

    private bool IsCertain => Array.Exists(levels, static l => l.Load == 100 && l.LocalShare == ZoneSplit.Whole);

    private string Place(int level, int group) =>
        groups[group].Zone is { } zone ? $"level {Number(levels[level].Priority)}, zone '{zone}'" : $"level {Number(levels[level].Priority)}";

    private string Shares() => string.Join(", ", levels.Select(static l =>
        $"level {Number(l.Priority)} {Number(l.Load)} %{(l.Residual.Length == 0 ? "" : $" ({Number(l.LocalShare / 100)} % in the local zone)")}"));

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
