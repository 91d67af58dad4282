using System.Globalization;
using Microsoft.Extensions.Options;

namespace Lb;

/// <summary>Checks who is let in by a gateway, and what the limits of all gateways mean for pools. Pure.</summary>
internal static class AdmissionValidation
{
    private static readonly TimeSpan LargestOffset = TimeSpan.FromMilliseconds(524_287);

    public static void Validate(string path, GatewayOptions gateway, List<ConfigurationError> errors)
    {
        for (int i = 0; i < gateway.Access.Count; i++) ValidateRule($"{path}:Access:{i}", gateway.Access[i], isLast: i == gateway.Access.Count - 1, errors);
        Rules.Run(new PerSourceRules(), $"{path}:PerSource", gateway.PerSource, errors);
        if (gateway.PerSource.Action == AccessAction.Allow)
            errors.Add(new($"{path}:PerSource:Action", "allow", "would limit nobody; must be reject, deny, silent-drop, tarpit or delay"));
        Rules.Run(new QueuePriorityRules(), $"{path}:QueuePriority", gateway.QueuePriority, errors);
        if (gateway.QueuePriority.Offset.Duration() > LargestOffset)
            errors.Add(new($"{path}:QueuePriority:Offset", Durations.Format(gateway.QueuePriority.Offset), "must be -524287ms to 524287ms"));
    }

    public static void ValidateTransport(string path, TransportOptions transport, List<ConfigurationError> errors)
    {
        Rules.Run(new TransportRules(), path, transport, errors);
        if (transport.MaxMemory is < 0 or > 0 and < 1 << 20)
            errors.Add(new($"{path}:MaxMemory", transport.MaxMemory.ToString(CultureInfo.InvariantCulture), "must be 0 (no limit) or 1 MiB (1m) and more"));
    }

    /// <summary>Limits that go by the load need to know what a full load is.</summary>
    public static void ValidateDynamicLimits(string path, PoolOptions pool, List<ConfigurationError> errors)
    {
        bool any = false;
        for (int i = 0; i < pool.Servers.Count; i++)
        {
            ServerOptions server = pool.Servers[i];
            if (server.MinConnections == 0) continue;
            any = true;
            if (server.MinConnections <= server.MaxConnections) continue;
            string value = server.MinConnections.ToString(CultureInfo.InvariantCulture);
            errors.Add(new($"{path}:Servers:{i}:MinConnections", value, "must not be above MaxConnections, which must be set with it"));
        }

        if (any && pool.FullConnections == 0 && pool.GatewayConnections == 0)
            errors.Add(new($"{path}:FullConnections", null, "is required with MinConnections, unless every gateway of the pool, or Transport, has MaxConnections"));
    }

    /// <summary>What the gateways may bring to each pool: the sum of their limits; 0 where one has none.</summary>
    public static void CountGateways(LbOptions options)
    {
        foreach ((string name, PoolOptions pool) in options.Pools)
        {
            List<int> limits = [.. options.Gateways.Values.Where(g => LeadsTo(g, name))
                .Select(g => g.MaxConnections > 0 ? g.MaxConnections : options.Transport.MaxConnections)];
            pool.GatewayConnections = limits.Contains(0) ? 0 : limits.Sum(static l => (long)l);
        }
    }

    private static bool LeadsTo(GatewayOptions gateway, string pool) =>
        string.Equals(gateway.Pool, pool, StringComparison.OrdinalIgnoreCase) || gateway.Routes.Any(r => string.Equals(r.Pool, pool, StringComparison.OrdinalIgnoreCase));

    private static void ValidateRule(string path, AccessRuleOptions rule, bool isLast, List<ConfigurationError> errors)
    {
        for (int i = 0; i < rule.From.Count; i++)
        {
            if (!AddressPrefix.TryParse(rule.From[i], out _, out string? error)) errors.Add(new($"{path}:From:{i}", rule.From[i], error));
        }

        if (rule.FromFile is not null && string.IsNullOrWhiteSpace(rule.FromFile)) errors.Add(new($"{path}:FromFile", rule.FromFile, "must not be empty"));
        if (rule.Action == AccessAction.Delay) errors.Add(new($"{path}:Action", "delay", "is for PerSource only; must be allow, deny, reject, silent-drop or tarpit"));
        if (!isLast && rule.From.Count == 0 && rule.FromFile is null) errors.Add(new(path, null, "fits everybody, so no rule after it is ever asked; give it From, or put it last"));
    }
}

[OptionsValidator]
internal sealed partial class PerSourceRules : IValidateOptions<PerSourceOptions>;

[OptionsValidator]
internal sealed partial class QueuePriorityRules : IValidateOptions<QueuePriorityOptions>;
