using System.Net;
using System.Net.Sockets;

namespace Lb.Health;

/// <summary>Where a check goes, where it comes from and what it says first. Immutable; pure.</summary>
/// <param name="Address">Address instead of the server's; null: the server's.</param>
/// <param name="Port">Port instead of the server's; null: the server's.</param>
/// <param name="Source">Address of this node; null: the system chooses.</param>
/// <param name="Preamble">What every connection begins with.</param>
/// <param name="Socks4">A proxy to connect through; null: none.</param>
internal sealed record CheckPlace(IPAddress? Address, int? Port, IPAddress? Source, ReadOnlyMemory<byte> Preamble, IPEndPoint? Socks4)
{
    private static readonly byte[] UnknownV1 = [.. ProxyHeaderWriter.UnknownLine];
    private static readonly byte[] LocalV2 = [.. ProxyHeaderWriter.Local];

    // HAProxy's rule: a check begins as traffic does, unless it goes somewhere else than traffic.
    private bool AsTraffic { get; init; }

    /// <summary>Reads valid options.</summary>
    public static CheckPlace From(CheckOptions options) => new(
        options.Address is { } address ? IPAddress.Parse(address) : null,
        options.Port,
        options.SourceAddress is { } source ? IPAddress.Parse(source) : null,
        options.SendProxy?.ToLowerInvariant() switch { "v1" => UnknownV1, "v2" => LocalV2, _ => default(ReadOnlyMemory<byte>) },
        options.Socks4 is { } proxy ? IPEndPoint.Parse(proxy) : null)
    {
        AsTraffic = options is { SendProxy: null, Port: null, Address: null },
    };

    /// <summary>What a connection to this server begins with.</summary>
    public ReadOnlyMemory<byte> PreambleFor(ProxySending traffic)
    {
        if (!AsTraffic || traffic == ProxySending.None) return Preamble;
        return traffic.HasFlag(ProxySending.Version1) ? UnknownV1 : LocalV2;
    }

    /// <summary>Where to check a server. Another address needs a port, which a Unix socket does not have.</summary>
    public EndPoint Of(EndPoint server)
    {
        if (Address is null) return Port is { } port ? ProbeSocket.WithPort(server, port) : server;
        return (Port ?? PortOf(server)) is { } here ? new IPEndPoint(Address, here) : server;
    }

    /// <summary>Looks for faults.</summary>
    public static void Validate(string path, CheckOptions check, PoolOptions? pool, ICollection<ConfigurationError> errors)
    {
        Demand($"{path}:Address", check.Address, errors, out IPAddress? address);
        Demand($"{path}:SourceAddress", check.SourceAddress, errors, out IPAddress? source);
        if (check.Socks4 is not null && !(ServerAddress.TryParse(check.Socks4, out EndPoint? proxy, out _) && proxy is IPEndPoint))
            errors.Add(new($"{path}:Socks4", CheckRules.Printable(check.Socks4), "must be an IP address and a port, as 192.0.2.1:1080"));
        else if (check.Socks4 is not null && Unreachable(address, pool) is { } unreachable)
            errors.Add(new($"{path}:Socks4", check.Socks4, $"takes only IPv4 addresses; that of {unreachable}"));
        else if (check.Socks4 is not null && source is not null && IPEndPoint.Parse(check.Socks4).AddressFamily != source.AddressFamily)
            errors.Add(new($"{path}:SourceAddress", check.SourceAddress, "must be of the same family as Socks4"));
        else if (check.Socks4 is null && address is null && source is not null && pool?.Servers.FirstOrDefault(s => FamilyOf(s) is { } family && family != source.AddressFamily) is { } other)
            errors.Add(new($"{path}:SourceAddress", check.SourceAddress, $"must be of the same family as the address of server {NameOf(other)}, {other.Address}"));
        if (address is not null && source is not null && address.AddressFamily != source.AddressFamily)
            errors.Add(new($"{path}:SourceAddress", check.SourceAddress, "must be of the same family as Address"));
        if (address is not null && check.Port is null && pool?.Servers.FirstOrDefault(static s => s.Address.StartsWith("unix:", StringComparison.OrdinalIgnoreCase)) is { } local)
            errors.Add(new($"{path}:Port", null, $"is required beside Address: server {NameOf(local)} has none"));
    }

    private static string NameOf(ServerOptions server) => string.IsNullOrWhiteSpace(server.Name) ? server.Address : server.Name;

    // What a SOCKS4 proxy has no words for; host names may turn out to be IPv4.
    private static string? Unreachable(IPAddress? address, PoolOptions? pool)
    {
        if (address is not null) return address.AddressFamily == AddressFamily.InterNetwork ? null : $"the check is {address}";
        ServerOptions? server = pool?.Servers.FirstOrDefault(static s => s.Address.StartsWith("unix:", StringComparison.OrdinalIgnoreCase) || FamilyOf(s) == AddressFamily.InterNetworkV6);
        return server is null ? null : $"server {NameOf(server)} is {server.Address}";
    }

    private static AddressFamily? FamilyOf(ServerOptions server) =>
        ServerAddress.TryParse(server.Address, out EndPoint? endPoint, out _) && endPoint is IPEndPoint ip ? ip.AddressFamily : null;

    private static void Demand(string path, string? text, ICollection<ConfigurationError> errors, out IPAddress? address)
    {
        address = null;
        if (text is null) return;
        bool isHost = IPAddress.TryParse(text, out address) && PeerAddress.TryParse(text, out _) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)
            && !address.IsIPv6Multicast && !(address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes()[0] >= 224);
        if (!isHost)
            errors.Add(new(path, CheckRules.Printable(text), "must be an IP address without a port"));
    }

    private static int? PortOf(EndPoint server) => server switch
    {
        IPEndPoint ip => ip.Port,
        DnsEndPoint name => name.Port,
        _ => null,
    };
}
