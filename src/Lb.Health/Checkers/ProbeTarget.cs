using System.Net;

namespace Lb.Health;

/// <summary>What is to be checked, and how long it may take. Immutable; any thread.</summary>
/// <param name="Server">Name of the server.</param>
/// <param name="EndPoint">Where to connect: the server's address with the check's port, if it has one of its own.</param>
/// <param name="ConnectTimeout">Limit of the connection, above zero.</param>
/// <param name="Timeout">Limit of the whole check, above zero. The token given with the target is cancelled then, so a checker need not count it itself.</param>
public sealed record ProbeTarget(string Server, EndPoint EndPoint, TimeSpan ConnectTimeout, TimeSpan Timeout)
{
    /// <summary>Limit of the answer, counted from the connection (HAProxy <c>timeout check</c>); null: what is left of <see cref="Timeout"/>.</summary>
    public TimeSpan? AnswerTimeout { get; init; }

    /// <summary>Address of this node to come from; null: the system chooses.</summary>
    public IPAddress? Source { get; init; }

    /// <summary>What every connection over a stream begins with, before TLS too: a PROXY header. Default empty.</summary>
    public ReadOnlyMemory<byte> Preamble { get; init; }

    /// <summary>A SOCKS4 proxy through which connections over a stream are made; null: none.</summary>
    public IPEndPoint? Socks4 { get; init; }

    /// <summary>The host name that the server's address was given by, for the Host header and the name that a certificate must have; null: none.</summary>
    public string? HostName { get; init; }

    /// <summary>The Host header when the check names none.</summary>
    internal string HostHeader => EndPoint switch
    {
        IPEndPoint ip => HostName is null ? ip.ToString() : $"{HostName}:{ip.Port}",
        DnsEndPoint name => $"{name.Host}:{name.Port}",
        _ => "localhost",
    };

    /// <summary>Name of the pool; empty when nobody said it.</summary>
    public string Pool { get; init; } = "";

    /// <summary>Number of the server in its pool; 0 when nobody said it.</summary>
    public int ServerId { get; init; }

    /// <summary>Leases of the server open when the check started.</summary>
    public int Connections { get; init; }

    /// <summary>Most leases of the server at a time; 0 = no limit.</summary>
    public int MaxConnections { get; init; }
}
