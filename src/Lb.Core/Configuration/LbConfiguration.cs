using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Lb;

/// <summary>Puts the options together (configuration first, then the builder verbs) and has every part look for faults. Any thread.</summary>
public sealed class LbConfiguration
{
    private readonly IConfigureOptions<LbOptions>[] _sources;
    private readonly ILbPart[] _parts;

    /// <summary>Made by dependency injection.</summary>
    /// <param name="sources">What fills the options: sections of a configuration first, then code, each in the order of registration.</param>
    /// <param name="parts">The parts that follow them.</param>
    public LbConfiguration(IEnumerable<IConfigureOptions<LbOptions>> sources, IEnumerable<ILbPart> parts)
    {
        _sources = [.. sources.OrderBy(static s => s is SectionSource ? 0 : 1)];
        _parts = [.. parts.OrderBy(static p => p.Order)];
    }

    internal IReadOnlyList<ILbPart> Parts => _parts;

    /// <summary>Reads the configuration as it is now.</summary>
    public LbOptions Read()
    {
        LbOptions options = new();
        foreach (IConfigureOptions<LbOptions> source in _sources) source.Configure(options);
        return options;
    }

    /// <summary>Finds every fault of a configuration. Starts and changes nothing.</summary>
    /// <param name="options">The configuration.</param>
    /// <returns>The faults, each once, in the order of their paths' sections.</returns>
    public IReadOnlyList<ConfigurationError> Validate(LbOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        List<ConfigurationError> errors = [.. options.ReadErrors];
        Rules.Run(new DefaultsRules(), $"{options.Path}:Defaults", options.Defaults, errors);
        AdmissionValidation.ValidateTransport($"{options.Path}:Transport", options.Transport, errors);
        Rules.Run(new HealthRules(), $"{options.Path}:Health", options.Health, errors);
        RequirePart(options.Pools.Values.Any(static p => p.Checks.Count > 0), "Checks", $"{options.Path}:Pools", "reference Lb.Health and call AddHealth()", errors);
        RequirePart(options.Gateways.Count > 0, "Gateways", $"{options.Path}:Gateways", "reference Lb.Transport and call AddGateways()", errors);
        RequirePart(options.Routers.Count > 0, "Routers", $"{options.Path}:Routers", "reference Lb.Vrrp and call AddRouters()", errors);
        ValidateGateways(options, errors);
        RouterValidation.Validate(options, errors);
        foreach (ILbPart part in _parts) part.Validate(options, errors);
        return [.. errors.Distinct()];
    }

    /// <summary>Reads the configuration and finds every fault of it.</summary>
    public IReadOnlyList<ConfigurationError> Validate() => Validate(Read());

    /// <summary>
    /// The same before a start, on a thread of its own because it asks the machine: ports in use and by whom, addresses, rights. An empty list: it would start.
    /// </summary>
    /// <param name="ct">Gives it up before it begins.</param>
    public Task<IReadOnlyList<ConfigurationError>> PreflightAsync(CancellationToken ct = default) => Task.Run(() => Validate(), ct);

    // What is configured but followed by nobody would be ignored in silence.
    private void RequirePart(bool wanted, string what, string path, string remedy, List<ConfigurationError> errors)
    {
        if (wanted && !_parts.Any(p => p.Handles == what)) errors.Add(new(path, null, $"nothing follows {what} in this host: {remedy}"));
    }

    private static void ValidateGateways(LbOptions options, List<ConfigurationError> errors)
    {
        foreach ((string name, GatewayOptions gateway) in options.Gateways)
        {
            string path = $"{options.Path}:Gateways:{name}";
            Rules.Run(new GatewayRules(), path, gateway, errors);
            if (gateway.Tls is { } tls) Rules.Run(new GatewayTlsRules(), $"{path}:Tls", tls, errors);
            TcpValidation.Validate(path, gateway, errors);
            AdmissionValidation.Validate(path, gateway, errors);
            UdpValidation.Validate(path, gateway, errors);
            HealthListenerValidation.Validate(path, gateway, errors);
            if (gateway.Listen.Count == 0) errors.Add(new($"{path}:Listen", null, "a gateway needs at least one address to listen on"));
            bool needsPool = !string.Equals(gateway.Mode, "health", StringComparison.OrdinalIgnoreCase);
            if (string.IsNullOrWhiteSpace(gateway.Pool) && needsPool) errors.Add(new($"{path}:Pool", gateway.Pool, "is required and must not be empty"));
            DemandPool(path, gateway.Pool, options, errors);
            PrefaceValidation.Validate(path, gateway, options, errors);
        }
    }

    /// <summary>Finds a pool that is not there; a missing name is found elsewhere.</summary>
    internal static void DemandPool(string path, string pool, LbOptions options, List<ConfigurationError> errors)
    {
        if (string.IsNullOrWhiteSpace(pool) || options.Pools.ContainsKey(pool)) return;
        string known = options.Pools.Count == 0 ? "there is none" : $"there are: {string.Join(", ", options.Pools.Keys.Order(StringComparer.Ordinal))}";
        errors.Add(new($"{path}:Pool", pool, $"is no pool; {known}"));
    }

    internal LbOptions ReadValid()
    {
        LbOptions options = Read();
        IReadOnlyList<ConfigurationError> errors = Validate(options);
        return errors.Count == 0 ? options : throw new LbConfigurationException(errors);
    }
}

/// <summary>Fills the options from a section of the host's configuration.</summary>
internal sealed class SectionSource(IConfiguration section, string path) : IConfigureOptions<LbOptions>
{
    public void Configure(LbOptions options) => LbOptionsReader.Read(section, path, options);
}
