namespace Lb;

/// <summary>What a server is told of each client in a PROXY header before everything else: one version, and what belongs to version 2.</summary>
[Flags]
public enum ProxySending
{
    /// <summary>Nothing: no header.</summary>
    None = 0,

    /// <summary>Version 1, a line of text (HAProxy <c>send-proxy</c>).</summary>
    Version1 = 1,

    /// <summary>Version 2 (HAProxy <c>send-proxy-v2</c>).</summary>
    Version2 = 2,

    /// <summary>With what is known of the client's TLS, where the gateway ends it (HAProxy <c>send-proxy-v2-ssl</c>, <c>ssl</c>).</summary>
    Tls = 4,

    /// <summary>With the Common Name of the client's certificate (HAProxy <c>send-proxy-v2-ssl-cn</c>, <c>cert-cn</c>).</summary>
    CommonName = 8,

    /// <summary>With the cipher (HAProxy <c>ssl-cipher</c>).</summary>
    Cipher = 16,

    /// <summary>With the name that the client asked for: SNI (HAProxy <c>authority</c>).</summary>
    Authority = 32,

    /// <summary>With the protocol above TLS.</summary>
    Alpn = 64,

    /// <summary>With a name of the connection: the announced one, or one of ours (HAProxy <c>unique-id</c>).</summary>
    UniqueId = 128,

    /// <summary>With a checksum (HAProxy <c>crc32c</c>).</summary>
    Checksum = 256,
}

/// <summary>The words of <see cref="ServerOptions.SendProxy"/> and <see cref="ServerOptions.ProxyV2Options"/>. Pure.</summary>
internal static class ProxySendingWords
{
    private static readonly (string Word, ProxySending Means)[] Options =
    [
        ("ssl", ProxySending.Tls), ("cert-cn", ProxySending.Tls | ProxySending.CommonName), ("ssl-cipher", ProxySending.Tls | ProxySending.Cipher), ("authority", ProxySending.Authority),
        ("alpn", ProxySending.Alpn), ("unique-id", ProxySending.UniqueId), ("crc32c", ProxySending.Checksum),
    ];

    /// <summary>Reads valid options.</summary>
    public static ProxySending Read(ServerOptions server)
    {
        ProxySending version = server.SendProxy?.ToLowerInvariant() switch
        {
            "v1" => ProxySending.Version1,
            "v2" => ProxySending.Version2,
            "v2-ssl" => ProxySending.Version2 | ProxySending.Tls,
            "v2-ssl-cn" => ProxySending.Version2 | ProxySending.Tls | ProxySending.CommonName,
            _ => ProxySending.None,
        };
        return version.HasFlag(ProxySending.Version2) ? server.ProxyV2Options.Aggregate(version, static (all, word) => all | Find(word).Means) : version;
    }

    /// <summary>Looks for faults.</summary>
    public static void Validate(string path, ServerOptions server, List<ConfigurationError> errors)
    {
        for (int i = 0; i < server.ProxyV2Options.Count; i++)
        {
            if (Find(server.ProxyV2Options[i]).Word is null)
                errors.Add(new($"{path}:ProxyV2Options:{i}", server.ProxyV2Options[i], $"must be one of {string.Join(", ", Options.Select(static o => o.Word))}"));
        }

        if (server.ProxyV2Options.Count > 0 && server.SendProxy?.StartsWith("v2", StringComparison.OrdinalIgnoreCase) != true)
            errors.Add(new($"{path}:ProxyV2Options", null, "means nothing without SendProxy v2"));
    }

    private static (string Word, ProxySending Means) Find(string word) => Array.Find(Options, o => o.Word.Equals(word, StringComparison.OrdinalIgnoreCase));
}
