namespace Lb;

/// <summary>How a gateway connects to a server, beyond its address: what <see cref="ServerOptions"/> says of it. Immutable; any thread.</summary>
public sealed record ServerConnecting
{
    /// <summary>Nothing special: a TCP connection.</summary>
    public static ServerConnecting Plain { get; } = new();

    /// <summary>TLS to it; null: none. Another object, as every reload makes one, has the files read again.</summary>
    public ServerTlsOptions? Tls { get; init; }

    /// <summary>Takes it from a server's options.</summary>
    /// <param name="options">The options.</param>
    public static ServerConnecting From(ServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ServerConnecting connecting = new() { Tls = options.Tls };
        return connecting == Plain ? Plain : connecting;
    }
}
