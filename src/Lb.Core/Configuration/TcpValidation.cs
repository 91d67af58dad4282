using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Lb;

/// <summary>Checks TCP options, source addresses and names of interfaces. Pure.</summary>
internal static class TcpValidation
{
    private const int LongestInterface = 15;

    public static void Validate(string path, GatewayOptions gateway, List<ConfigurationError> errors)
    {
        Rules.Run(new ListenTcpRules(), $"{path}:Tcp", gateway.Tcp, errors);
        ValidateKeepAlive(path, gateway.Tcp, errors);
        ValidateInterface(path, gateway.Interface, errors);
    }

    public static void Validate(string path, PoolOptions pool, List<ConfigurationError> errors)
    {
        Validate(path, pool.Source, pool.Interface, pool.Tcp, errors);
        for (int i = 0; i < pool.Servers.Count; i++) ValidateFamily($"{path}:Servers:{i}", pool.Servers[i], pool, errors);
    }

    public static void Validate(string path, ServerOptions server, List<ConfigurationError> errors) => Validate(path, server.Source, server.Interface, server.Tcp, errors);

    private static void ValidateFamily(string path, ServerOptions server, PoolOptions pool, List<ConfigurationError> errors)
    {
        if ((server.Source ?? pool.Source) is not { } text || !SourceAddress.TryParse(text, out SourceAddress? source, out _) || source.Address is null) return;
        if (source.Address.Equals(IPAddress.Any) || source.Address.Equals(IPAddress.IPv6Any)) return;

        // What a host name stands for is not known yet.
        if (!IPEndPoint.TryParse(server.Address, out IPEndPoint? address) || FamilyOf(address.Address) == FamilyOf(source.Address)) return;
        errors.Add(new($"{path}:Source", text, $"is of the other family than {server.Address}: nothing can be sent from there to it"));
    }

    private static AddressFamily FamilyOf(IPAddress address) => address.IsIPv4MappedToIPv6 ? AddressFamily.InterNetwork : address.AddressFamily;

    private static void Validate(string path, string? source, string? device, ConnectTcpOptions? tcp, List<ConfigurationError> errors)
    {
        if (source is not null && !SourceAddress.TryParse(source, out _, out string? error)) errors.Add(new($"{path}:Source", source, error));
        ValidateInterface(path, device, errors);
        if (tcp is null) return;
        Rules.Run(new ConnectTcpRules(), $"{path}:Tcp", tcp, errors);
        ValidateKeepAlive(path, tcp, errors);
    }

    private static void ValidateKeepAlive(string path, TcpOptions tcp, List<ConfigurationError> errors)
    {
        if (tcp.KeepAlive is not null) Rules.Run(new KeepAliveRules(), $"{path}:Tcp:KeepAlive", tcp.KeepAlive, errors);
    }

    private static void ValidateInterface(string path, string? name, List<ConfigurationError> errors)
    {
        if (name is not null && (name.Length is 0 or > LongestInterface || name.Any(static c => c is '/' || char.IsWhiteSpace(c) || !char.IsAscii(c))))
            errors.Add(new($"{path}:Interface", name, "must be the name of a network interface: 1 to 15 characters"));
    }
}

[OptionsValidator]
internal sealed partial class ListenTcpRules : IValidateOptions<ListenTcpOptions>;

[OptionsValidator]
internal sealed partial class ConnectTcpRules : IValidateOptions<ConnectTcpOptions>;

[OptionsValidator]
internal sealed partial class KeepAliveRules : IValidateOptions<KeepAliveOptions>;
