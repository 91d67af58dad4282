using System.Globalization;

namespace Lb;

/// <summary>The keys of a gateway that only one mode has: reads those of UDP, and refuses what has no meaning. Pure.</summary>
internal static class GatewayModes
{
    public static void Read(ConfigurationReader reader, GatewayOptions gateway)
    {
        gateway.IdleTimeout = reader.Duration("IdleTimeout", gateway.IdleTimeout);
        gateway.Responses = reader.Integer("Responses", gateway.Responses);
        gateway.Requests = reader.Integer("Requests", gateway.Requests);
    }

    public static void Validate(string path, GatewayOptions gateway, List<ConfigurationError> errors)
    {
        bool isUdp = string.Equals(gateway.Mode, "udp", StringComparison.OrdinalIgnoreCase);
        if (isUdp)
        {
            Refuse("ClientTimeout", gateway.ClientTimeout, "has no meaning with Mode udp; set IdleTimeout");
            Refuse("ClientFinTimeout", gateway.ClientFinTimeout, "has no meaning with Mode udp; set IdleTimeout");
            if (gateway.CloseSpreadTime != TimeSpan.Zero) Refuse("CloseSpreadTime", gateway.CloseSpreadTime, "has no meaning with Mode udp: there is no connection to close");
            if (gateway.Backlog != new GatewayOptions().Backlog)
                errors.Add(new($"{path}:Backlog", gateway.Backlog.ToString(CultureInfo.InvariantCulture), "has no meaning with Mode udp: nothing waits to be accepted"));
            for (int i = 0; i < gateway.Listen.Count; i++)
            {
                if (gateway.Listen[i].TrimStart().StartsWith("unix:", StringComparison.OrdinalIgnoreCase))
                    errors.Add(new($"{path}:Listen:{i}", gateway.Listen[i], "must be address:port with Mode udp"));
            }
        }
        else
        {
            string only = $"has a meaning only with Mode udp, not {gateway.Mode}";
            Refuse("IdleTimeout", gateway.IdleTimeout, only);
            if (gateway.Responses is { } responses) errors.Add(new($"{path}:Responses", responses.ToString(CultureInfo.InvariantCulture), only));
            if (gateway.Requests != 0) errors.Add(new($"{path}:Requests", gateway.Requests.ToString(CultureInfo.InvariantCulture), only));
        }

        void Refuse(string key, TimeSpan? value, string why)
        {
            if (value is { } set) errors.Add(new($"{path}:{key}", Durations.Format(set), why));
        }
    }
}
