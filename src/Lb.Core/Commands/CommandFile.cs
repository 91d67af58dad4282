namespace Lb;

/// <summary>Says whether a program may be run: nobody but its owner, or root, may be able to put something else in its place.</summary>
internal static class CommandFile
{
    /// <summary>The program that changes the user before it becomes another (util-linux).</summary>
    public const string SetPriv = "/usr/bin/setpriv";

    private const uint Root = 0;
    private const int MostLinks = 16;
    private static readonly Lock Users = new();

    /// <summary>What speaks against running a program; null: nothing.</summary>
    /// <param name="path">An absolute path.</param>
    public static string? Fault(string path)
    {
        if (!OperatingSystem.IsLinux()) return "programs are run on Linux only";
        if (!path.StartsWith('/')) return "is no full path; programs are not searched for";
        if (!Libc.TryStat(path, out uint owner, out ushort mode)) return "there is no such file, or it can't be looked at";
        if ((mode & Libc.ModeType) != Libc.ModeFile) return "is no file";
        if ((mode & Libc.ModeExecutable) == 0) return "is not executable";
        if ((mode & Libc.ModeWritableByOthers) != 0) return "may be written by its group or by others; chmod go-w it";
        if (!IsTrusted(owner)) return "belongs neither to root nor to the user of this process";
        return FaultOfWay(path);
    }

    /// <summary>The words to put before a command so that it runs as a user, with that user's groups.</summary>
    /// <param name="user">Its name.</param>
    /// <param name="prefix">The words.</param>
    /// <param name="error">Why not.</param>
    public static bool TryRunAs(string user, out string[] prefix, [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out string? error)
    {
        prefix = [];
        error = null;
        if (!OperatingSystem.IsLinux()) error = "programs are run on Linux only";
        else if (Libc.EffectiveUser() != Root) error = "only root may run programs as another user";
        else if (!File.Exists(SetPriv)) error = $"needs {SetPriv} of util-linux";
        if (error is not null) return false;
        lock (Users)
        {
            if (!Libc.TryFindUser(user, out uint id, out uint group)) error = "is no user of this system";
            else prefix = [SetPriv, $"--reuid={id}", $"--regid={group}", "--init-groups", "--"];
        }

        return error is null;
    }

    // From the root on, as the kernel goes: a link on the way is replaced by what it leads to.
    private static string? FaultOfWay(string path)
    {
        Stack<string> rest = new();
        Put(rest, path);
        string at = "/";
        int links = 0;
        if (FaultOfDirectory(at) is { } root) return root;
        while (rest.TryPop(out string? name))
        {
            if (name == ".") continue;
            if (name == "..")
            {
                at = Path.GetDirectoryName(at) ?? "/";
                continue;
            }

            string next = Path.Combine(at, name);
            if (!Libc.TryStat(next, out uint owner, out ushort mode, follow: false)) return $"{next} on its way can't be looked at";
            if ((mode & Libc.ModeType) == Libc.ModeLink)
            {
                if (++links > MostLinks) return "is behind too many links";
                if (new FileInfo(next).LinkTarget is not { } target) return $"{next} on its way can't be looked at";
                if (!IsTrusted(owner)) return $"the link {next} on its way belongs neither to root nor to the user of this process";
                if (target.StartsWith('/')) at = "/";
                Put(rest, target);
                continue;
            }

            at = next;
            if ((mode & Libc.ModeType) != Libc.ModeFile && FaultOfDirectory(at) is { } fault) return fault;
        }

        return null;
    }

    // Who may write a directory may put another file there, unless it is sticky, as /tmp is.
    private static string? FaultOfDirectory(string path)
    {
        if (!Libc.TryStat(path, out uint owner, out ushort mode)) return $"its directory {path} can't be looked at";
        if ((mode & Libc.ModeWritableByOthers) != 0 && (mode & Libc.ModeSticky) == 0) return $"its directory {path} may be written by a group or by others";
        return IsTrusted(owner) ? null : $"its directory {path} belongs neither to root nor to the user of this process";
    }

    private static bool IsTrusted(uint owner) => owner == Root || owner == Libc.EffectiveUser();

    private static void Put(Stack<string> rest, string path)
    {
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (int i = names.Length - 1; i >= 0; i--) rest.Push(names[i]);
    }
}
