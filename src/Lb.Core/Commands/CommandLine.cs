namespace Lb;

/// <summary>A program to be run, with its arguments. Never through a shell: what is in a word stays in it.</summary>
/// <param name="Words">The program as a full path, and its arguments; at least one word.</param>
public sealed record CommandLine(IReadOnlyList<string> Words)
{
    /// <summary>Where programs are looked for by what is run, unless <see cref="Environment"/> says otherwise: the system's own directories.</summary>
    public const string SearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>The whole environment, as <c>NAME=value</c>; default <c>PATH</c> alone. Nothing comes from this process's own, which may hold secrets.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [$"PATH={SearchPath}"];

    /// <summary>User that it runs as, with that user's groups; null (default) = the user of this process. Needs root and <c>setpriv</c> of util-linux.</summary>
    public string? User { get; init; }
}
