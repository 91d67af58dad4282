namespace Lb.Peers;

/// <summary>Where the repository is, what is checked out, and a Release build of src/Lb.Tool.</summary>
internal static class LbBuild
{
    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan GitLimit = TimeSpan.FromSeconds(20);

    /// <summary>The folder of Lb.sln above the current folder or above this program.</summary>
    public static string? Root { get; } = Above(Environment.CurrentDirectory) ?? Above(AppContext.BaseDirectory);

    /// <summary>Builds and returns the path of lb.dll.</summary>
    public static async Task<string> MakeAsync(TimeProvider time, CancellationToken ct)
    {
        if (Root is null) throw new BenchException("Lb.sln is not above the current folder: run it in the repository or give --lb PATH");
        Console.Error.WriteLine("building src/Lb.Tool (Release)");
        string project = Path.Combine(Root, "src", "Lb.Tool");
        // No build servers: they would outlive the build and hold on to our pipes.
        string[] command = ["dotnet", "build", project, "-c", "Release", "-v", "q", "--nologo", "-nodeReuse:false", "-p:UseSharedCompilation=false"];
        Child build = await Child.RunAsync("dotnet build", null, command, BuildLimit, time, ct);
        if (build.ExitCode != 0) throw new BenchException($"src/Lb.Tool does not build (give --lb PATH to measure another build):\n{build.Output}");
        string dll = Path.Combine(project, "bin", "Release", "net10.0", "lb.dll");
        return File.Exists(dll) ? dll : throw new BenchException("src/Lb.Tool was built, but bin/Release/net10.0/lb.dll is not there");
    }

    /// <summary>The commit that is checked out, with a mark if files differ from it.</summary>
    public static async Task<string> CommitAsync(TimeProvider time, CancellationToken ct)
    {
        if (Root is not { } root) return "unknown (not run in the repository)";
        try
        {
            Child head = await GitAsync("rev-parse", "--short=12", "HEAD");
            Child status = await GitAsync("status", "--porcelain", "--", "src", "Directory.Build.props", "Directory.Packages.props");
            if (head.ExitCode != 0) return "unknown (not a git checkout)";
            return head.Output.Trim() + (status.Output.Trim().Length > 0 ? " + uncommitted changes" : "");
        }
        catch (BenchException)
        {
            return "unknown (git is missing)";
        }

        Task<Child> GitAsync(params string[] arguments) =>
            Child.RunAsync("git", null, ["git", "--no-optional-locks", "-C", root, .. arguments], GitLimit, time, ct);
    }

    private static string? Above(string folder)
    {
        for (DirectoryInfo? at = new(folder); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Lb.sln"))) return at.FullName;
        }

        return null;
    }
}
