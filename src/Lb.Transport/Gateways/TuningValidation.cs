namespace Lb.Transport;

/// <summary>Asks this machine whether it takes the socket options of a configuration: rights, interfaces, the kernel's limits.</summary>
internal static class TuningValidation
{
    public static void Validate(LbOptions options, ICollection<ConfigurationError> errors)
    {
        foreach ((string name, GatewayOptions gateway) in options.Gateways)
            Try($"{options.Path}:Gateways:{name}", SocketTuning.Of(gateway), NeedsLinux(gateway.Tcp, gateway.Interface) || gateway.Freebind || gateway.Transparent || gateway.Tcp.FastOpen > 0, errors);
        foreach ((string name, PoolOptions pool) in options.Pools)
        {
            string path = $"{options.Path}:Pools:{name}";
            Try(path, ServerConnects.Make(pool, null), pool.Tcp, pool.Interface, errors);
            for (int i = 0; i < pool.Servers.Count; i++)
            {
                ServerOptions server = pool.Servers[i];
                if ((server.Source ?? server.Interface ?? (object?)server.Tcp) is not null)
                    Try($"{path}:Servers:{i}", ServerConnects.Make(pool, server), server.Tcp ?? pool.Tcp, server.Interface ?? pool.Interface, errors);
            }
        }
    }

    private static void Try(string path, ConnectOptions? connect, ConnectTcpOptions? tcp, string? device, ICollection<ConfigurationError> errors)
    {
        if (connect is not null) Try(path, connect.Tuning, NeedsLinux(tcp, device) || tcp?.FastOpen == true || connect.Source?.IsClient == true, errors);
    }

    private static bool NeedsLinux(TcpOptions? tcp, string? device) =>
        device is not null || (tcp is not null && (tcp.UserTimeout ?? tcp.MaxSegment ?? tcp.Dscp ?? (object?)tcp.Mark) is not null);

    private static void Try(string path, SocketTuning tuning, bool needsLinux, ICollection<ConfigurationError> errors)
    {
        if (!OperatingSystem.IsLinux())
        {
            if (needsLinux) errors.Add(new(path, null, "has socket options that only Linux knows"));
            return;
        }

        int error = tuning.Try(out string? failed);
        if (error != 0) errors.Add(new($"{path}:{failed}", null, Explain(failed!, error)));
    }

    private static string Explain(string option, int error) => error switch
    {
        Errno.NotPermitted or Errno.Access => $"may not be set: it needs {(option is "Transparent" or "Source" ? "CAP_NET_ADMIN or CAP_NET_RAW" : "CAP_NET_ADMIN")}",
        Errno.NoDevice => "there is no such network interface",
        Errno.NoProtocolOption => "this kernel does not have it",
        _ => $"can't be set (errno {error})",
    };
}
