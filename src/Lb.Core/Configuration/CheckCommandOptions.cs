namespace Lb;

/// <content>Keys of the check that runs a program.</content>
public sealed partial class CheckOptions
{
    /// <summary>
    /// <c>command</c>: the program, as an absolute path, and its arguments; no shell reads them (HAProxy <c>external-check command</c>, keepalived
    /// <c>misc_path</c>). <c>{address}</c>, <c>{port}</c>, <c>{name}</c> and <c>{pool}</c> in an argument stand for those of the server.
    /// </summary>
    public IList<string> Command { get; } = [];

    /// <summary><c>command</c>: the user the program runs as, with that user's groups; needs root. Default: the user of this process (keepalived <c>script_user</c>).</summary>
    public string? RunAs { get; set; }

    /// <summary><c>command</c>: exit codes 2 to 255 pass too and set the weight to the code less 2 (keepalived <c>misc_dynamic</c>); default false.</summary>
    public bool Dynamic { get; set; }
}
