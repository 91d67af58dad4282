namespace Lb.Health;

/// <summary>Looks for faults in what checks of a service's own protocol, programs and agents are told. Pure: files are looked at elsewhere.</summary>
internal static class ServiceCheckRules
{
    public static void Validate(string path, CheckOptions check, ICollection<ConfigurationError> errors) => Validate(path, check.Type, check, errors);

    /// <summary>Refuses options that a checker of this kind can't work with.</summary>
    /// <exception cref="ArgumentException">The message lists every fault.</exception>
    public static void Demand(string type, CheckOptions options)
    {
        List<ConfigurationError> errors = [];
        Validate("check", type, options, errors);
        if (errors.Count > 0) throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
    }

    private static void Validate(string path, string type, CheckOptions check, ICollection<ConfigurationError> errors)
    {
        switch (type.ToUpperInvariant())
        {
            case "SMTP":
                // Core refuses an empty one.
                if (!check.Hello.All(static c => c is > ' ' and < '\x7f'))
                    errors.Add(new($"{path}:Hello", CheckRules.Printable(check.Hello), "must be a host name of visible ASCII characters"));
                else if (check.Hello.Length is 0 or > 255)
                    errors.Add(new($"{path}:Hello", check.Hello, "must have 1 to 255 characters"));
                break;
            case "REDIS":
                if (check.PasswordFile is not null && check.PasswordVariable is not null)
                    errors.Add(new($"{path}:PasswordVariable", CheckRules.Printable(check.PasswordVariable), "has no effect beside PasswordFile; set one of them"));
                if (check.User is not null && check.PasswordFile is null && check.PasswordVariable is null)
                    errors.Add(new($"{path}:User", CheckRules.Printable(check.User), "needs PasswordFile or PasswordVariable"));
                ValidateUser(path, check.User, errors);
                break;
            case "PGSQL":
                if (check.User is null) errors.Add(new($"{path}:User", null, "is required for pgsql: the user who asks; nobody logs in"));
                ValidateUser(path, check.User, errors);
                break;
            case "MYSQL":
                ValidateUser(path, check.User, errors);
                break;
            case "GRPC":
                if (check.Host is not null && (check.Host.Length == 0 || !check.Host.All(static c => c is > ' ' and < '\x7f')))
                    errors.Add(new($"{path}:Host", CheckRules.Printable(check.Host), "must be a host name, with a port if need be, of visible ASCII characters"));
                if (check.Service.Length > 1024 || check.Service.Any(char.IsControl))
                    errors.Add(new($"{path}:Service", CheckRules.Printable(check.Service), "must be a service's name of at most 1024 characters"));
                break;
            case "COMMAND":
                ValidateCommand(path, check, errors);
                break;
            case "AGENT":
                if (check.Port is null) errors.Add(new($"{path}:Port", null, "is required for agent: an agent has a port of its own"));
                if (check.AgentSend is { } words && !AgentWords.TryUnescape(words, out _))
                    errors.Add(new($"{path}:AgentSend", CheckRules.Printable(words), "has a backslash before something else than n, r, t or a backslash, or is longer than 1024 characters"));
                break;
        }
    }

    private static void ValidateUser(string path, string? user, ICollection<ConfigurationError> errors)
    {
        if (user is not null && (user.Length is 0 or > 255 || user.Any(char.IsControl)))
            errors.Add(new($"{path}:User", CheckRules.Printable(user), "must have 1 to 255 characters, none of them a control character"));
    }

    private static void ValidateCommand(string path, CheckOptions check, ICollection<ConfigurationError> errors)
    {
        if (check.Command.Count == 0)
            errors.Add(new($"{path}:Command", null, "is required for command: the program, as an absolute path, and its arguments"));
        else if (!check.Command[0].StartsWith('/'))
            errors.Add(new($"{path}:Command:0", CheckRules.Printable(check.Command[0]), "must be an absolute path: nothing is searched for, and no shell reads it"));
        for (int i = 0; i < check.Command.Count; i++)
        {
            if (check.Command[i].Contains('\0', StringComparison.Ordinal)) errors.Add(new($"{path}:Command:{i}", CheckRules.Printable(check.Command[i]), "must not contain a zero character"));
        }

        if (check.RunAs is not null && string.IsNullOrWhiteSpace(check.RunAs)) errors.Add(new($"{path}:RunAs", check.RunAs, "must not be empty"));
    }
}
