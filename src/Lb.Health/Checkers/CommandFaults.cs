namespace Lb.Health;

/// <summary>Looks for faults in the files and users that checks name.</summary>
internal static class CommandFaults
{
    public static void Validate(string path, CheckOptions check, ICollection<ConfigurationError> errors)
    {
        if (string.Equals(check.Type, "redis", StringComparison.OrdinalIgnoreCase))
        {
            if (!Secret.TryRead(check, out _, out string? unread))
                errors.Add(new(check.PasswordVariable is null ? $"{path}:PasswordFile" : $"{path}:PasswordVariable", check.PasswordVariable ?? check.PasswordFile, unread));
            return;
        }

        if (!string.Equals(check.Type, "command", StringComparison.OrdinalIgnoreCase) || check.Command.Count == 0 || !check.Command[0].StartsWith('/')) return;
        if (ExternalCommand.Fault(check.Command[0]) is { } fault) errors.Add(new($"{path}:Command:0", check.Command[0], fault));
        if (check.RunAs is { } user && ExternalCommand.FaultOfUser(user) is { } refused) errors.Add(new($"{path}:RunAs", user, refused));
    }
}
