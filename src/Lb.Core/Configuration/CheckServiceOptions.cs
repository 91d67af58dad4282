namespace Lb;

/// <content>Keys of the checks that speak a service's own protocol.</content>
public sealed partial class CheckOptions
{
    /// <summary><c>smtp</c>: the name given after EHLO; default <c>localhost</c> (HAProxy <c>option smtpchk</c>, keepalived <c>helo_name</c>).</summary>
    [NotEmpty]
    public string Hello { get; set; } = "localhost";

    /// <summary><c>pgsql</c>: the user who asks, required (HAProxy <c>option pgsql-check user</c>). <c>mysql</c>: the user who logs in; not set: nobody does. <c>redis</c>: the ACL user; not set: the default one.</summary>
    public string? User { get; set; }

    /// <summary><c>redis</c>: file with the password, read again for every check; at most 4 KiB, the line end is not part of it.</summary>
    public string? PasswordFile { get; set; }

    /// <summary><c>redis</c>: environment variable with the password, read for every check.</summary>
    public string? PasswordVariable { get; set; }

    /// <summary><c>grpc</c>: the service asked for; default empty: the server as a whole.</summary>
    public string Service { get; set; } = "";
}
