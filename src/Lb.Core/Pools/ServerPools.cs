using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;

namespace Lb;

/// <summary>The pools of a host by name. Filled when it is first asked for; follows reloads. Any thread.</summary>
public sealed class ServerPools : ILbPart
{
    private readonly SchedulingPolicies _policies;
    private readonly Lazy<LbConfiguration> _configuration;
    private readonly TimeProvider _time;
    private readonly EventHub _events;
    private readonly Lock _lock = new();
    private readonly ServerTracking _tracking = new();
    private volatile FrozenDictionary<string, ServerPool>? _pools;

    internal ServerPools(SchedulingPolicies policies, Lazy<LbConfiguration> configuration, TimeProvider time, EventHub events)
    {
        _policies = policies;
        _configuration = configuration;
        _time = time;
        _events = events;
    }

    /// <inheritdoc/>
    public int Order => 100;

    /// <inheritdoc/>
    public string Handles => "Pools";

    /// <summary>The pools.</summary>
    /// <exception cref="LbConfigurationException">The configuration is not valid.</exception>
    public IReadOnlyCollection<ServerPool> All => Current.Values;

    /// <summary>The pool of that name; names are compared without regard to case.</summary>
    /// <param name="name">The name.</param>
    /// <exception cref="KeyNotFoundException">There is no such pool.</exception>
    /// <exception cref="LbConfigurationException">The configuration is not valid.</exception>
    public ServerPool this[string name] =>
        Find(name) ?? throw new KeyNotFoundException($"There is no pool '{name}'; there are: {string.Join(", ", Current.Keys.Order(StringComparer.Ordinal))}.");

    // A service that only wants a pool, without a host that starts anything, gets it from the first look.
    private FrozenDictionary<string, ServerPool> Current
    {
        get
        {
            if (_pools is null) Apply(_configuration.Value.ReadValid(), addresses: null, onlyIfEmpty: true);
            return _pools!;
        }
    }

    /// <summary>The pool of that name, or null.</summary>
    /// <param name="name">The name; compared without regard to case.</param>
    public ServerPool? Find(string name) => Current.GetValueOrDefault(name);

    /// <inheritdoc/>
    public void Validate(LbOptions options, ICollection<ConfigurationError> errors)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(errors);
        List<ConfigurationError> found = [];
        AdmissionValidation.CountGateways(options);
        foreach ((string name, PoolOptions pool) in options.Pools)
        {
            string path = $"{options.Path}:Pools:{name}";
            if (string.IsNullOrWhiteSpace(name)) found.Add(new($"{options.Path}:Pools", name, "a pool needs a name"));
            PoolValidation.Validate(path, pool, _policies, found);
        }

        TrackValidation.Validate(options, found);

        foreach (ConfigurationError error in found) errors.Add(error);
    }

    /// <inheritdoc/>
    public async Task ApplyAsync(LbOptions options, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(options);

        // First what can fail, so that a configuration is taken over whole or not at all.
        Dictionary<string, IPAddress> addresses = await LookUpAsync(options, ct).ConfigureAwait(false);
        Apply(options, addresses, onlyIfEmpty: false);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken ct)
    {
        // After the gateways, whose last connections still needed the servers.
        foreach (ServerPool pool in _pools?.Values ?? []) pool.TellStopping();
        return Task.CompletedTask;
    }

    private void Apply(LbOptions options, IReadOnlyDictionary<string, IPAddress>? addresses, bool onlyIfEmpty)
    {
        lock (_lock)
        {
            if (onlyIfEmpty && _pools is not null) return;
            Dictionary<string, ServerPool> next = new(StringComparer.OrdinalIgnoreCase);
            foreach ((string name, PoolOptions pool) in options.Pools)
            {
                ServerPool? running = _pools?.GetValueOrDefault(name);
                running?.Apply(pool, options.Defaults, _policies, addresses);
                next[name] = running ?? new ServerPool(name, pool, options.Defaults, _policies, _time, _events, addresses);
            }

            foreach (ServerPool left in _pools?.Values.Where(p => !next.ContainsKey(p.Name)) ?? []) left.Stop();
            _pools = next.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
            _tracking.Follow(_pools);
        }
    }

    // Host names are looked up once, when a configuration is applied (HAProxy's init-addr); following DNS is discovery's work.
    private async Task<Dictionary<string, IPAddress>> LookUpAsync(LbOptions options, CancellationToken ct)
    {
        Dictionary<string, IPAddress> addresses = new(StringComparer.OrdinalIgnoreCase);
        List<ConfigurationError> errors = [];
        foreach ((string pool, PoolOptions poolOptions) in options.Pools)
        {
            List<(string Key, ServerOptions Server)> servers = [.. poolOptions.Servers.Select(static (server, i) => ($"Servers:{i}", server))];
            if (poolOptions.SorryServer is { Address: { } sorry, Name: var name }) servers.Add(("SorryServer", new ServerOptions { Name = name, Address = sorry }));
            foreach ((string key, ServerOptions server) in servers)
            {
                if (!ServerAddress.TryParse(server.Address, out EndPoint? endPoint, out _) || endPoint is not DnsEndPoint host) continue;
                if (addresses.ContainsKey(host.Host) || IsLookedUp(pool, server)) continue;
                try
                {
                    IPAddress[] found = await Dns.GetHostAddressesAsync(host.Host, ct).ConfigureAwait(false);
                    addresses[host.Host] = Array.Find(found, static a => a.AddressFamily == AddressFamily.InterNetwork) ?? found[0];
                }
                catch (Exception error) when (error is SocketException or IndexOutOfRangeException)
                {
                    errors.Add(new($"{options.Path}:Pools:{pool}:{key}:Address", server.Address, $"can't be looked up: {error.Message}"));
                }
            }
        }

        return errors.Count == 0 ? addresses : throw new LbConfigurationException(errors);
    }

    private bool IsLookedUp(string pool, ServerOptions options) =>
        _pools?.GetValueOrDefault(pool)?.Find(options.NameOrAddress) is { EndPoint: not DnsEndPoint } server && server.Configured?.Address == options.Address;
}
