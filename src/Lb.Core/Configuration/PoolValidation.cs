using System.Globalization;
using Microsoft.Extensions.Options;

namespace Lb;

/// <summary>Checks a pool's options: each value by the generated validators, and what only makes sense together. Pure.</summary>
internal static class PoolValidation
{
    public static void Validate(string path, PoolOptions options, SchedulingPolicies policies, List<ConfigurationError> errors)
    {
        Rules.Run(new PoolRules(), path, options, errors);
        Rules.Run(new BalanceRules(), $"{path}:BalanceOptions", options.BalanceOptions, errors);
        ProtectionValidation.Validate(path, options, errors);
        TcpValidation.Validate(path, options, errors);
        if (options.Policy is null && !string.IsNullOrWhiteSpace(options.Balance) && !policies.Knows(options.Balance))
        {
            string known = string.Join(", ", policies.Names);
            errors.Add(new($"{path}:Balance", options.Balance, $"is no scheduling policy of this version; there are: {known}"));
        }

        if (options.Policy is null)
        {
            ValidateBalance($"{path}:BalanceOptions", options.Balance, options.BalanceOptions, errors);
            ValidateSizes($"{path}:BalanceOptions", options, errors);
        }

        ValidateServers(path, [.. options.Servers], errors);
        AdmissionValidation.ValidateDynamicLimits(path, options, errors);
        for (int i = 0; i < options.Checks.Count; i++) ValidateCheck($"{path}:Checks:{i}", options.Checks[i], errors);
    }

    private static readonly List<string> HaproxyHashes = ["source", "hash", "uri", "url_param", "hdr", "rdp-cookie"];

    // What a policy needs of its options, or can't do with them.
    private static void ValidateBalance(string path, string policy, BalanceOptions options, List<ConfigurationError> errors)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        bool Is(string name) => string.Equals(policy, name, StringComparison.OrdinalIgnoreCase);

        if (Is("hdr") && string.IsNullOrWhiteSpace(options.Header))
            errors.Add(new($"{path}:Header", options.Header, "is required for hdr: the name of the header"));
        else if (options.Header is { } header && !IsToken(header))
            errors.Add(new($"{path}:Header", header, "must be the name of a header: letters, digits and !#$%&'*+-.^_`|~"));
        if (Is("url_param") && string.IsNullOrEmpty(options.Parameter))
            errors.Add(new($"{path}:Parameter", options.Parameter, "is required for url_param: the name of the parameter"));
        if (options.HashBalanceFactor is > 0 and <= 100)
            errors.Add(new($"{path}:HashBalanceFactor", options.HashBalanceFactor.ToString(culture), "must be 0 (no limit) or above 100: below, the servers could not take the load"));
        if (options.HashBalanceFactor > 100 && HaproxyHashes.Exists(Is) && !string.Equals(options.HashType, "consistent", StringComparison.OrdinalIgnoreCase))
        {
            errors.Add(new($"{path}:HashBalanceFactor", options.HashBalanceFactor.ToString(culture),
                $"has no effect with HashType {options.HashType}; set consistent"));
        }

        if (options.UpdatePeriod > TimeSpan.Zero && options.UpdatePeriod < OrcaRoundRobin.MinimumUpdatePeriod)
            errors.Add(new($"{path}:UpdatePeriod", Durations.Format(options.UpdatePeriod), $"must be {Durations.Format(OrcaRoundRobin.MinimumUpdatePeriod)} or more"));
        if (options.MaximumRingSize < options.MinimumRingSize)
            errors.Add(new($"{path}:MaximumRingSize", options.MaximumRingSize.ToString(culture), "must not be below MinimumRingSize"));
        if (options.TableSize is not { } size) return;
        if (Is("mh") && !LvsMaglev.TableSizes.Contains(size))
            errors.Add(new($"{path}:TableSize", size.ToString(culture), $"must be one of {LvsMaglev.TableSizesText} for mh"));
        if (Is("maglev") && !Primes.IsPrime(size)) errors.Add(new($"{path}:TableSize", size.ToString(culture), "must be a prime"));
    }

    // A table or ring that is too small has no place for some server, which would then silently get nothing.
    private static void ValidateSizes(string path, PoolOptions pool, List<ConfigurationError> errors)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        BalanceOptions options = pool.BalanceOptions;
        bool Is(string name) => string.Equals(pool.Balance, name, StringComparison.OrdinalIgnoreCase);

        int table = Is("maglev") ? options.TableSize ?? Maglev.DefaultTableSize : Is("mh") ? options.TableSize ?? LvsMaglev.DefaultTableSize : int.MaxValue;
        if (table < pool.Servers.Count)
            errors.Add(new($"{path}:TableSize", table.ToString(culture), $"must not be below the number of servers, {pool.Servers.Count.ToString(culture)}"));

        // The lightest server has its part of the ring, and that must be a point.
        int[] weights = [.. pool.Servers.Select(static s => s.Weight).Where(static w => w > 0)];
        if (!Is("ring") || weights.Length == 0) return;
        long least = weights.Min(), needed = Math.Max(pool.Servers.Count, (weights.Sum(static w => (long)w) + least - 1) / least);
        if (options.MaximumRingSize < needed)
        {
            errors.Add(new($"{path}:MaximumRingSize", options.MaximumRingSize.ToString(culture),
                $"must be {needed.ToString(culture)} or more with these servers: the one of the least weight would have no point"));
        }
    }

    private static bool IsToken(string text) => text.Length > 0 && text.All(static c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));

    public static void ValidateServers(string path, IReadOnlyList<ServerOptions> servers, List<ConfigurationError> errors)
    {
        if (servers.Count == 0) errors.Add(new($"{path}:Servers", null, "a pool needs at least one server"));

        Dictionary<string, int> names = new(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < servers.Count; i++)
        {
            string at = $"{path}:Servers:{i}";
            ValidateServer(at, servers[i], errors);
            string name = servers[i].NameOrAddress;
            if (name.Length > 0 && !names.TryAdd(name, i))
                errors.Add(new($"{at}:Name", name, $"is already the name of {path}:Servers:{names[name]}; names are unique in a pool"));
        }
    }

    public static void ValidateServer(string path, ServerOptions server, List<ConfigurationError> errors)
    {
        Rules.Run(new ServerRules(), path, server, errors);
        if (server.Tls is { } tls) Rules.Run(new ServerTlsRules(), $"{path}:Tls", tls, errors);
        ProxySendingWords.Validate(path, server, errors);
        TcpValidation.Validate(path, server, errors);
        if (!string.IsNullOrWhiteSpace(server.Address) && !ServerAddress.TryParse(server.Address, out _, out string? error))
            errors.Add(new($"{path}:Address", server.Address, error));
    }

    private static void ValidateCheck(string path, CheckOptions check, List<ConfigurationError> errors)
    {
        Rules.Run(new CheckRules(), path, check, errors);
        CheckKindsValidation.Validate(path, check, errors);
        if (check.FastInterval > check.Interval)
            errors.Add(new($"{path}:FastInterval", Durations.Format(check.FastInterval.Value), "must not be longer than Interval"));
    }
}

/// <summary>Runs a generated validator; its failures already name path and value.</summary>
internal static class Rules
{
    public static void Run<T>(IValidateOptions<T> rules, string path, T options, List<ConfigurationError> errors)
        where T : class
    {
        ValidateOptionsResult result = rules.Validate(path, options);
        if (!result.Failed) return;
        foreach (string failure in result.Failures) errors.Add(ConfigurationError.Parse(failure));
    }
}

[OptionsValidator]
internal sealed partial class PoolRules : IValidateOptions<PoolOptions>;

[OptionsValidator]
internal sealed partial class BalanceRules : IValidateOptions<BalanceOptions>;

[OptionsValidator]
internal sealed partial class OutlierRules : IValidateOptions<OutlierOptions>;

[OptionsValidator]
internal sealed partial class CircuitBreakerRules : IValidateOptions<CircuitBreakerOptions>;

[OptionsValidator]
internal sealed partial class FlapDampingRules : IValidateOptions<FlapDampingOptions>;

[OptionsValidator]
internal sealed partial class RetryBudgetRules : IValidateOptions<RetryBudgetOptions>;

[OptionsValidator]
internal sealed partial class ZoneAwareRules : IValidateOptions<ZoneAwareOptions>;

[OptionsValidator]
internal sealed partial class SubsetRules : IValidateOptions<SubsetOptions>;

[OptionsValidator]
internal sealed partial class SorryServerRules : IValidateOptions<SorryServerOptions>;

[OptionsValidator]
internal sealed partial class PersistenceRules : IValidateOptions<PersistenceOptions>;

[OptionsValidator]
internal sealed partial class ServerRules : IValidateOptions<ServerOptions>;

[OptionsValidator]
internal sealed partial class ServerTlsRules : IValidateOptions<ServerTlsOptions>;

[OptionsValidator]
internal sealed partial class GatewayTlsRules : IValidateOptions<GatewayTlsOptions>;

[OptionsValidator]
internal sealed partial class CheckRules : IValidateOptions<CheckOptions>;

[OptionsValidator]
internal sealed partial class GatewayRules : IValidateOptions<GatewayOptions>;

[OptionsValidator]
internal sealed partial class DefaultsRules : IValidateOptions<DefaultsOptions>;

[OptionsValidator]
internal sealed partial class HealthRules : IValidateOptions<HealthOptions>;

[OptionsValidator]
internal sealed partial class TransportRules : IValidateOptions<TransportOptions>;
