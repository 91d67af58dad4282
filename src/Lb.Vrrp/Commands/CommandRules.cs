namespace Lb.Vrrp;

/// <summary>Looks for faults in the programs and users that a router names: whether the files may be run, whether the users are there.</summary>
internal static class CommandRules
{
    /// <param name="path">Where the router is in the configuration.</param>
    /// <param name="router">The router.</param>
    /// <param name="errors">Where faults go.</param>
    public static void Validate(string path, RouterOptions router, ICollection<ConfigurationError> errors)
    {
        for (int i = 0; i < router.Track.Count; i++)
        {
            RouterTrackOptions track = router.Track[i];
            ValidateProgram($"{path}:Track:{i}:Command", track.Command, errors);
            ValidateProgram($"{path}:Track:{i}:Restart", track.Restart, errors);
            ValidateUser($"{path}:Track:{i}:User", track.User, errors);
        }

        RouterNotifyOptions notify = router.Notify;
        ValidateProgram($"{path}:Notify:Active", notify.Active, errors);
        ValidateProgram($"{path}:Notify:Backup", notify.Backup, errors);
        ValidateProgram($"{path}:Notify:Fault", notify.Fault, errors);
        ValidateProgram($"{path}:Notify:Stop", notify.Stop, errors);
        ValidateProgram($"{path}:Notify:Any", notify.Any, errors);
        ValidateUser($"{path}:Notify:User", notify.User, errors);
    }

    private static void ValidateProgram(string path, IList<string> words, ICollection<ConfigurationError> errors)
    {
        // A path that is not full has its error already.
        if (words.Count > 0 && Path.IsPathRooted(words[0]) && ExternalCommand.Fault(words[0]) is { } fault) errors.Add(new($"{path}:0", words[0], fault));
    }

    private static void ValidateUser(string path, string? user, ICollection<ConfigurationError> errors)
    {
        if (user is not null && ExternalCommand.FaultOfUser(user) is { } fault) errors.Add(new(path, user, fault));
    }
}
