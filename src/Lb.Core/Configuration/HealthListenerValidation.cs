using System.Globalization;

namespace Lb;

/// <summary>The keys of gateways of mode <c>health</c>: refuses those without a meaning there, and theirs in other modes. Pure.</summary>
internal static class HealthListenerValidation
{
    public static void Validate(string path, GatewayOptions gateway, List<ConfigurationError> errors)
    {
        GatewayOptions defaults = new();
        if (!string.Equals(gateway.Mode, "health", StringComparison.OrdinalIgnoreCase))
        {
            if (!string.Equals(gateway.Respond, defaults.Respond, StringComparison.OrdinalIgnoreCase)) Refuse("Respond", gateway.Respond, $"has a meaning only with Mode health, not {gateway.Mode}");
            if (gateway.MinServers != defaults.MinServers) Refuse("MinServers", Text(gateway.MinServers), $"has a meaning only with Mode health, not {gateway.Mode}");
            return;
        }

        const string NoRelay = "has no meaning with Mode health: it answers and relays nothing";
        if (gateway.Tls is not null) Refuse("Tls", "set", NoRelay);
        if (gateway.AcceptProxy is not null) Refuse("AcceptProxy", "set", NoRelay);
        if (gateway.Routes.Count > 0) Refuse("Routes", Text(gateway.Routes.Count), NoRelay);
        if (gateway.QueuePriority.Class != 0) Refuse("QueuePriority:Class", Text(gateway.QueuePriority.Class), NoRelay);
        if (string.IsNullOrWhiteSpace(gateway.Pool) && gateway.MinServers != defaults.MinServers)
            Refuse("MinServers", Text(gateway.MinServers), "needs Pool: without one it always answers that all is well");

        void Refuse(string key, string? value, string why) => errors.Add(new($"{path}:{key}", value, why));
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
