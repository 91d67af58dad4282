using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>Looks at where gateways want to listen: can it be read, does it collide, is it free? Opens nothing that a client could reach.</summary>
internal static class GatewayValidation
{
    public static void Validate(LbOptions options, Func<ListenAddress, bool> isOurs, ICollection<ConfigurationError> errors)
    {
        if (!options.SkipPortChecks) TuningValidation.Validate(options, errors);
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

                foreach (ListenAddress address in addresses.Select(a => a with { IsDatagram = IsDatagram(gateway) }))
                {
                    (string Path, string Text, ListenAddress Address) other = seen.Find(s => Overlap(s.Address, address));
                    if (other.Path is not null) errors.Add(new(path, text, $"collides with {other.Path} = '{other.Text}'"));
                    else if (!options.SkipPortChecks && !isOurs(address) && TryBind(address, SocketTuning.Of(gateway)) is { } refused) errors.Add(new(path, text, refused));
                    seen.Add((path, text, address));
                }
            }
        }
    }

    /// <summary>Every address of valid gateways, ranges written out.</summary>
    public static IReadOnlyList<ListenAddress> Addresses(IEnumerable<GatewayOptions> gateways)
    {
        List<ListenAddress> all = [];
        foreach (GatewayOptions gateway in gateways)
        {
            foreach (string text in gateway.Listen)
            {
                if (ListenAddress.TryParse(text, out IReadOnlyList<ListenAddress>? addresses, out _))
                    all.AddRange(addresses.Select(a => a with { IsDatagram = IsDatagram(gateway) }));
            }
        }

        return all;
    }

    private static bool IsDatagram(GatewayOptions gateway) => string.Equals(gateway.Mode, "udp", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether an address is free, by binding without listening; null when it is, else why not, with the owner if the system tells.</summary>
    public static string? TryBind(ListenAddress address, SocketTuning? tuning = null)
    {
        if (address.EndPoint is InheritedEndPoint) return "was not given to this process: systemd names sockets by FileDescriptorName= of the socket unit";
        if (address.EndPoint is not IPEndPoint endPoint) return TryBindUnix(address.EndPoint);
        try
        {
            using Socket socket = address.IsDatagram
                ? new(endPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp)
                : new(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = address.DualMode;

            if (!address.IsDatagram) AllowTimeWait(socket);
            if (OperatingSystem.IsLinux()) _ = tuning?.Apply((int)socket.Handle, endPoint.AddressFamily == AddressFamily.InterNetworkV6, out _, address.IsDatagram);
            socket.Bind(endPoint);
            return null;
        }
        catch (SocketException error)
        {
            string? owner = error.SocketErrorCode == SocketError.AddressAlreadyInUse ? PortOwner.Find(endPoint, address.IsDatagram) : null;
            return Explain(error) + (owner is null ? "" : $" by {owner}");
        }
    }

    // As the listener will: old connections in TIME_WAIT don't count. Set raw, because the framework's ReuseAddress sets SO_REUSEPORT as well and
    // would then find a port free that another balancer shares. Windows needs none of it.
    private static void AllowTimeWait(Socket socket)
    {
        int on = 1;
        ReadOnlySpan<byte> value = MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in on));
        if (OperatingSystem.IsLinux()) socket.SetRawSocketOption(1, 2, value);
        else if (OperatingSystem.IsMacOS()) socket.SetRawSocketOption(0xFFFF, 4, value);
    }

    /// <summary>Why the file of a Unix socket can't be there; null when it can, or is already.</summary>
    public static string? Misplaced(string path)
    {
        string? directory = Path.GetDirectoryName(Path.GetFullPath(path));
        if (directory is not null && !Directory.Exists(directory)) return "the directory does not exist";
        if (Directory.Exists(path)) return "is a directory";
        return File.Exists(path) && !IsSocket(path) ? "is a file that is no socket" : null;
    }

    private static string? TryBindUnix(EndPoint endPoint)
    {
        string path = endPoint.ToString()!;
        if (Misplaced(path) is { } misplaced) return misplaced;
        if (!File.Exists(path)) return null;
        try
        {
            // Without blocking: a listener whose queue is full would keep us waiting.
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            socket.Connect(endPoint);
            return InUseBy(path);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
        {
            // A socket nobody listens on is left over and will be replaced.
            return null;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode == SocketError.WouldBlock ? InUseBy(path) : Explain(error);
        }
    }

    private static string InUseBy(string path) => PortOwner.FindUnix(path) is { } owner ? $"is in use by {owner}" : "is in use: somebody answers there";

    // Sockets alone can't be opened. For writing too, because opening a pipe only for reading waits for its other end.
    private static bool IsSocket(string path)
    {
        if (OperatingSystem.IsWindows()) return (File.GetAttributes(path) & FileAttributes.ReparsePoint) != 0;
        try
        {
            File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose();
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public static string Explain(SocketException error) => error.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => "is in use",
        SocketError.AccessDenied => "may not be bound: ports below 1024 need CAP_NET_BIND_SERVICE or root",
        SocketError.AddressNotAvailable => "is no address of this machine now; Freebind: true listens on it all the same",
        _ => $"can't be bound: {error.Message}",
    };

    private static bool Overlap(ListenAddress a, ListenAddress b)
    {
        if (a.IsDatagram != b.IsDatagram) return false;
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
