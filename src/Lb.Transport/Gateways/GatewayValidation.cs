using System.Net;
using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>Looks at where gateways want to listen: can it be read, does it collide, is it free? Opens nothing that a client could reach.</summary>
internal static class GatewayValidation
{
    public static void Validate(LbOptions options, Func<ListenAddress, bool> isOurs, ICollection<ConfigurationError> errors)
    {
        List<(string Path, string Text, ListenAddress Address)> seen = [];
        foreach ((string name, GatewayOptions gateway) in options.Gateways)
        {
            for (int i = 0; i < gateway.Listen.Count; i++)
            {
                string path = $"{options.Path}:Gateways:{name}:Listen:{i}", text = gateway.Listen[i];
                if (!ListenAddress.TryParse(text, out IReadOnlyList<ListenAddress>? addresses, out string? error))
                {
                    errors.Add(new(path, text, error));
                    continue;
                }

                foreach (ListenAddress address in addresses)
                {
                    (string Path, string Text, ListenAddress Address) other = seen.Find(s => Overlap(s.Address, address));
                    if (other.Path is not null) errors.Add(new(path, text, $"collides with {other.Path} = '{other.Text}'"));
                    else if (!isOurs(address) && TryBind(address) is { } refused) errors.Add(new(path, text, refused));
                    seen.Add((path, text, address));
                }
            }
        }
    }

    /// <summary>Every address of a valid gateway, ranges written out.</summary>
    public static IReadOnlyList<ListenAddress> Addresses(GatewayOptions gateway)
    {
        List<ListenAddress> all = [];
        foreach (string text in gateway.Listen)
        {
            if (ListenAddress.TryParse(text, out IReadOnlyList<ListenAddress>? addresses, out _)) all.AddRange(addresses);
        }

        return all;
    }

    /// <summary>Whether an address is free, by binding without listening; null when it is, else why not, with the owner if the system tells.</summary>
    public static string? TryBind(ListenAddress address)
    {
        if (address.EndPoint is not IPEndPoint endPoint) return TryBindUnix(address.EndPoint);
        try
        {
            using Socket socket = new(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = address.DualMode;

            // As the listener will: old connections in TIME_WAIT don't count. Windows means something else by the word.
            if (!OperatingSystem.IsWindows()) socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(endPoint);
            return null;
        }
        catch (SocketException error)
        {
            string? owner = error.SocketErrorCode == SocketError.AddressAlreadyInUse ? PortOwner.Find(endPoint) : null;
            return Explain(error) + (owner is null ? "" : $" by {owner}");
        }
    }

    private static string? TryBindUnix(EndPoint endPoint)
    {
        string path = endPoint.ToString()!;
        string? directory = Path.GetDirectoryName(Path.GetFullPath(path));
        if (directory is not null && !Directory.Exists(directory)) return "the directory does not exist";
        if (!File.Exists(path)) return null;
        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(endPoint);
            return "is in use: somebody answers there";
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
        {
            // A socket nobody listens on is left over and will be replaced; another kind of file is refused the same way.
            return IsSocket(path) ? null : "is a file that is no socket";
        }
        catch (SocketException error)
        {
            return Explain(error);
        }
    }

    private static bool IsSocket(string path) => (File.GetAttributes(path) & (FileAttributes.Directory | FileAttributes.ReparsePoint)) == 0 && new FileInfo(path).Length == 0;

    public static string Explain(SocketException error) => error.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => "is in use",
        SocketError.AccessDenied => "may not be bound: ports below 1024 need CAP_NET_BIND_SERVICE or root",
        SocketError.AddressNotAvailable => "is no address of this machine",
        _ => $"can't be bound: {error.Message}",
    };

    private static bool Overlap(ListenAddress a, ListenAddress b)
    {
        if (a.EndPoint is not IPEndPoint x || b.EndPoint is not IPEndPoint y) return a.EndPoint.Equals(b.EndPoint);
        if (x.Port != y.Port || x.Port == 0) return false;
        return x.Address.Equals(y.Address) || Covers(a, y.Address) || Covers(b, x.Address);
    }

    private static bool Covers(ListenAddress wildcard, IPAddress address)
    {
        IPAddress own = ((IPEndPoint)wildcard.EndPoint).Address;
        if (own.Equals(IPAddress.Any)) return address.AddressFamily == AddressFamily.InterNetwork;
        return own.Equals(IPAddress.IPv6Any) && (wildcard.DualMode || address.AddressFamily == AddressFamily.InterNetworkV6);
    }
}
