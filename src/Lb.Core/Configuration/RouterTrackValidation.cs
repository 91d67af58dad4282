using Microsoft.Extensions.Options;

namespace Lb;

/// <summary>Checks what virtual routers track. Pure.</summary>
internal static class RouterTrackValidation
{
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromHours(1);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    public static void Validate(string path, RouterOptions router, LbOptions options, List<ConfigurationError> errors)
    {
        for (int i = 0; i < router.Track.Count; i++)
        {
            RouterTrackOptions track = router.Track[i];
            string at = $"{path}:Track:{i}";
            Rules.Run(new TrackRules(), at, track, errors);
            string[] kinds = [.. KindsOf(track)];
            if (kinds.Length != 1)
            {
                errors.Add(new(at, kinds.Length == 0 ? null : string.Join(", ", kinds), "needs exactly one of Pool, Interface, Command, Process and File"));
                continue;
            }

            if (track.Pool is { } pool && !options.Pools.ContainsKey(pool))
                errors.Add(new($"{at}:Pool", pool, options.Pools.Count == 0 ? "is no pool; there is none" : $"is no pool; there are: {string.Join(", ", options.Pools.Keys.Order(StringComparer.Ordinal))}"));
            if (track.Command.Count > 0 && !Path.IsPathRooted(track.Command[0])) errors.Add(new($"{at}:Command:0", track.Command[0], "must be a full path: programs are not searched for"));
            if (track.File is { } file && !Path.IsPathRooted(file)) errors.Add(new($"{at}:File", file, "must be a full path"));
            if (track.Interval < ShortestInterval && track.Interval > TimeSpan.Zero) errors.Add(new($"{at}:Interval", Durations.Format(track.Interval), "must be at least 10ms"));
            NotTooLong($"{at}:Interval", track.Interval, errors);
            NotTooLong($"{at}:Timeout", track.Timeout ?? TimeSpan.Zero, errors);
            NotTooLong($"{at}:Delay", track.Delay, errors);
            if (track.RestartBackOff > LongestBackOff) errors.Add(new($"{at}:RestartBackOff", Durations.Format(track.RestartBackOff), "must not be above 1h"));
            if (track.Restart.Count > 0) ValidateRestart(at, track, errors);
            if (router.Priority == 255 && track.Weight != 0)
                errors.Add(new($"{at}:Weight", track.Weight.ToString(System.Globalization.CultureInfo.InvariantCulture), "has no effect: the priority of the owner, 255, never changes"));
        }

        NotTooLong($"{path}:Notify:Timeout", router.Notify.Timeout, errors);
        foreach ((string key, IList<string> command) in new[]
        {
            ("Active", router.Notify.Active), ("Backup", router.Notify.Backup), ("Fault", router.Notify.Fault), ("Stop", router.Notify.Stop), ("Any", router.Notify.Any),
        })
        {
            if (command.Count > 0 && !Path.IsPathRooted(command[0])) errors.Add(new($"{path}:Notify:{key}:0", command[0], "must be a full path: programs are not searched for"));
        }
    }

    private static void NotTooLong(string path, TimeSpan value, List<ConfigurationError> errors)
    {
        if (value > Longest) errors.Add(new(path, Durations.Format(value), "must not be above 24h"));
    }

    private static void ValidateRestart(string at, RouterTrackOptions track, List<ConfigurationError> errors)
    {
        if (!Path.IsPathRooted(track.Restart[0])) errors.Add(new($"{at}:Restart:0", track.Restart[0], "must be a full path: programs are not searched for"));
        if (track.Command.Count == 0 && track.Process is null) errors.Add(new($"{at}:Restart", track.Restart[0], "goes with Command or Process only"));
        if (track.Reverse) errors.Add(new($"{at}:Restart", track.Restart[0], "does not go with Reverse: it would start what is to be away"));
    }

    private static IEnumerable<string> KindsOf(RouterTrackOptions track)
    {
        if (track.Pool is not null) yield return "Pool";
        if (track.Interface is not null) yield return "Interface";
        if (track.Command.Count > 0) yield return "Command";
        if (track.Process is not null) yield return "Process";
        if (track.File is not null) yield return "File";
        if (track.Check is not null) yield return "Check";
    }
}

[OptionsValidator]
internal sealed partial class TrackRules : IValidateOptions<RouterTrackOptions>;
