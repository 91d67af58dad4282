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
        if (owner != Root && owner != Libc.EffectiveUser()) return "belongs neither to root nor to the user of this process";
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

    // Who may write a directory may put another file there, unless it is sticky, as /tmp is. Every link on the way has a way of its own.
    private static string? FaultOfWay(string path)
    {
        for (int links = 0; links < MostLinks; links++)
        {
            string? directory = Path.GetDirectoryName(path);
            for (string? at = directory; at is not null; at = Path.GetDirectoryName(at))
            {
                if (!Libc.TryStat(at, out uint owner, out ushort mode)) return $"its directory {at} can't be looked at";
                if ((mode & Libc.ModeWritableByOthers) != 0 && (mode & Libc.ModeSticky) == 0) return $"its directory {at} may be written by a group or by others";
                if (owner != Root && owner != Libc.EffectiveUser()) return $"its directory {at} belongs neither to root nor to the user of this process";
            }

            string? target = new FileInfo(path).LinkTarget;
            if (target is null) return null;
            path = Path.GetFullPath(target, directory ?? "/");
        }

        return "is behind too many links";
    }
}
