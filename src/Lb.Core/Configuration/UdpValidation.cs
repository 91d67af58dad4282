using System.Globalization;

namespace Lb;

/// <summary>The keys of UDP gateways: reads them, and refuses keys in modes where they have no meaning. Pure.</summary>
internal static class UdpValidation
{
    public static void Read(ConfigurationReader reader, GatewayOptions gateway)
    {
        gateway.IdleTimeout = reader.Duration("IdleTimeout", gateway.IdleTimeout);
        gateway.Responses = reader.Integer("Responses", gateway.Responses);
        gateway.Requests = reader.Integer("Requests", gateway.Requests);
    }

    public static void Validate(string path, GatewayOptions gateway, List<ConfigurationError> errors)
    {
        if (string.Equals(gateway.Mode, "udp", StringComparison.OrdinalIgnoreCase)) ValidateUdp(path, gateway, errors);
        else ValidateOther(path, gateway, errors);
    }

    // What would be ignored in silence is refused.
    private static void ValidateUdp(string path, GatewayOptions gateway, List<ConfigurationError> errors)
    {
        GatewayOptions defaults = new();
        Refuse("ClientTimeout", Text(gateway.ClientTimeout), null, "set IdleTimeout");
        Refuse("ClientFinTimeout", Text(gateway.ClientFinTimeout), null, "set IdleTimeout");
        Refuse("CloseSpreadTime", Text(gateway.CloseSpreadTime), Text(defaults.CloseSpreadTime), "there are no connections to close");
        Refuse("Backlog", Text(gateway.Backlog), Text(defaults.Backlog), "nothing waits to be accepted");
        Refuse("SessionRate", Text(gateway.SessionRate), Text(defaults.SessionRate), "datagrams can't wait; limit sessions by MaxConnections");
        Refuse("Tcp:KeepAlive", gateway.Tcp.KeepAlive is null ? null : "set", null, "it is an option of TCP");
        Refuse("Tcp:UserTimeout", Text(gateway.Tcp.UserTimeout), null, "it is an option of TCP");
        Refuse("Tcp:MaxSegment", gateway.Tcp.MaxSegment?.ToString(CultureInfo.InvariantCulture), null, "it is an option of TCP");
        Refuse("Tcp:FastOpen", Text(gateway.Tcp.FastOpen), Text(defaults.Tcp.FastOpen), "it is an option of TCP");
        Refuse("Tcp:DeferAccept", Text(gateway.Tcp.DeferAccept), null, "it is an option of TCP");
        Refuse("Tls", gateway.Tls is null ? null : "set", null, "it is for connections");
        Refuse("AcceptProxy", gateway.AcceptProxy is null ? null : "set", null, "it is for connections");
        Refuse("Routes", gateway.Routes.Count == 0 ? null : Text(gateway.Routes.Count), null, "datagrams are not looked into");
        Refuse("InspectDelay", Text(gateway.InspectDelay), Text(defaults.InspectDelay), "datagrams are not looked into");
        Refuse("QueuePriority:Class", Text(gateway.QueuePriority.Class), Text(defaults.QueuePriority.Class), "datagrams can't wait");
        Refuse("QueuePriority:Offset", Text(gateway.QueuePriority.Offset), Text(defaults.QueuePriority.Offset), "datagrams can't wait");
        Refuse("Tcp:NoDelay", gateway.Tcp.NoDelay ? null : "false", null, "it is an option of TCP");
        for (int i = 0; i < gateway.Listen.Count; i++)
        {
            if (gateway.Listen[i].TrimStart().StartsWith("unix:", StringComparison.OrdinalIgnoreCase))
                errors.Add(new($"{path}:Listen:{i}", gateway.Listen[i], "must be address:port with Mode udp"));
        }

        void Refuse(string key, string? value, string? normal, string why)
        {
            if (value != normal) errors.Add(new($"{path}:{key}", value, $"has no meaning with Mode udp: {why}"));
        }
    }

    private static void ValidateOther(string path, GatewayOptions gateway, List<ConfigurationError> errors)
    {
        Refuse("IdleTimeout", Text(gateway.IdleTimeout));
        Refuse("Responses", gateway.Responses?.ToString(CultureInfo.InvariantCulture));
        Refuse("Requests", gateway.Requests == 0 ? null : Text(gateway.Requests));

        void Refuse(string key, string? value)
        {
            if (value is not null) errors.Add(new($"{path}:{key}", value, $"has a meaning only with Mode udp, not {gateway.Mode}"));
        }
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string? Text(TimeSpan? value) => value is { } set ? Durations.Format(set) : null;
}
