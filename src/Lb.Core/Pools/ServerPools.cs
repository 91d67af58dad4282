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
            if (_pools is null) Apply(_configuration.Value.ReadValid(), onlyIfEmpty: true);
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
        foreach ((string name, PoolOptions pool) in options.Pools)
        {
            string path = $"{options.Path}:Pools:{name}";
            if (string.IsNullOrWhiteSpace(name)) found.Add(new($"{options.Path}:Pools", name, "a pool needs a name"));
            PoolValidation.Validate(path, pool, _policies, found);
        }

        foreach (ConfigurationError error in found) errors.Add(error);
    }

    /// <inheritdoc/>
    public async Task ApplyAsync(LbOptions options, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(options);
        Apply(options, onlyIfEmpty: false);
        await LookUpAsync(options, ct).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken ct) => Task.CompletedTask;

    private void Apply(LbOptions options, bool onlyIfEmpty)
    {
        lock (_lock)
        {
            if (onlyIfEmpty && _pools is not null) return;
            Dictionary<string, ServerPool> next = new(StringComparer.OrdinalIgnoreCase);
            foreach ((string name, PoolOptions pool) in options.Pools)
            {
                ServerPool? running = _pools?.GetValueOrDefault(name);
                running?.Apply(pool, options.Defaults, _policies);
                next[name] = running ?? new ServerPool(name, pool, options.Defaults, _policies, _time, _events);
            }

            _pools = next.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        }
    }

    // Host names are looked up once, when a configuration is applied (HAProxy's init-addr); following DNS is discovery's work.
    private async Task LookUpAsync(LbOptions options, CancellationToken ct)
    {
        List<ConfigurationError> errors = [];
        foreach (ServerPool pool in _pools!.Values)
        {
            for (int i = 0; i < pool.Servers.Count; i++)
            {
                Server server = pool.Servers[i];
                if (server.EndPoint is not DnsEndPoint name) continue;
                try
                {
                    IPAddress[] addresses = await Dns.GetHostAddressesAsync(name.Host, ct).ConfigureAwait(false);
                    IPAddress address = Array.Find(addresses, static a => a.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0];
                    server.EndPoint = new IPEndPoint(address, name.Port);
                }
                catch (Exception error) when (error is SocketException or IndexOutOfRangeException)
                {
                    errors.Add(new($"{options.Path}:Pools:{pool.Name}:Servers:{i}:Address", $"{name.Host}:{name.Port}", $"can't be looked up: {error.Message}"));
                }
            }
        }

        if (errors.Count > 0) throw new LbConfigurationException(errors);
    }
}
