namespace Lb.Transport;

/// <summary>Asks this machine whether it takes the socket options of a configuration: rights, interfaces, the kernel's limits.</summary>
internal static class TuningValidation
{
    public static void Validate(LbOptions options, ICollection<ConfigurationError> errors)
    {
        foreach ((string name, GatewayOptions gateway) in options.Gateways)
        {
            string path = $"{options.Path}:Gateways:{name}";
            bool needsLinux = NeedsLinux(gateway.Tcp, gateway.Interface) || gateway.Freebind || gateway.Transparent || gateway.Tcp.FastOpen > 0;
            Try(SocketTuning.Of(gateway), needsLinux, _ => path, option => ValueOf(option, gateway.Tcp, gateway.Interface, null), errors);
        }

        foreach ((string name, PoolOptions pool) in options.Pools)
        {
            string path = $"{options.Path}:Pools:{name}";
            Try(pool, null, path, path, errors);
            for (int i = 0; i < pool.Servers.Count; i++)
            {
                ServerOptions server = pool.Servers[i];
                if ((server.Source ?? server.Interface ?? (object?)server.Tcp) is not null) Try(pool, server, path, $"{path}:Servers:{i}", errors);
            }
        }
    }

    private static void Try(PoolOptions pool, ServerOptions? server, string poolPath, string serverPath, ICollection<ConfigurationError> errors)
    {
        if (ServerConnects.Make(pool, server) is not { } connect) return;
        ConnectTcpOptions? tcp = server?.Tcp ?? pool.Tcp;
        string? device = server?.Interface ?? pool.Interface, source = server?.Source ?? pool.Source;
        bool needsLinux = NeedsLinux(tcp, device) || tcp?.FastOpen == true || connect.Source?.IsClient == true;
        Try(connect.Tuning, needsLinux, option => IsOwn(option) ? serverPath : poolPath, option => ValueOf(option, tcp, device, source), errors);

        bool IsOwn(string option) => option switch
        {
            "Interface" => server?.Interface is not null,
            "Source" => server?.Source is not null,
            _ => server?.Tcp is not null,
        };
    }

    private static bool NeedsLinux(TcpOptions? tcp, string? device) =>
        device is not null || (tcp is not null && (tcp.UserTimeout ?? tcp.MaxSegment ?? tcp.Dscp ?? (object?)tcp.Mark) is not null);

    private static void Try(SocketTuning tuning, bool needsLinux, Func<string, string> pathOf, Func<string, string?> valueOf, ICollection<ConfigurationError> errors)
    {
        if (!OperatingSystem.IsLinux())
        {
            if (needsLinux) errors.Add(new(pathOf(""), null, "has socket options that only Linux knows"));
            return;
        }

        int error = tuning.Try(out string? failed);
        if (error == 0) return;

        // Told once: by the pool whose option its servers take over.
        string path = $"{pathOf(failed!)}:{failed}";
        if (!errors.Any(e => e.Path == path)) errors.Add(new(path, valueOf(failed!), Explain(failed!, error)));
    }

    /// <summary>What the configuration says of an option that could not be set.</summary>
    private static string? ValueOf(string option, TcpOptions? tcp, string? device, string? source) => option switch
    {
        "Interface" => device,
        "Source" => source,
        "Freebind" or "Transparent" => "true",
        "Tcp:Mark" => $"{tcp?.Mark}",
        "Tcp:Dscp" => $"{tcp?.Dscp}",
        "Tcp:MaxSegment" => $"{tcp?.MaxSegment}",
        "Tcp:FastOpen" => tcp is ListenTcpOptions listen ? $"{listen.FastOpen}" : "true",
        _ => null,
    };

    private static string Explain(string option, int error) => error switch
    {
        Errno.NotPermitted or Errno.Access => $"may not be set: it needs {(option is "Transparent" or "Source" ? "CAP_NET_ADMIN or CAP_NET_RAW" : "CAP_NET_ADMIN")}",
        Errno.NoDevice => "there is no such network interface",
        Errno.NoProtocolOption => "this kernel does not have it",
        _ => $"can't be set (errno {error})",
    };
}
