using System.Collections.Immutable;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lb.Transport;

/// <summary>The gateways of a host by name, on one group of event loops; follows reloads. Any thread.</summary>
public sealed partial class Gateways : ILbPart, IDisposable
{
    // By GatewayOptions.Mode.
    private static readonly Dictionary<string, Func<GatewayContext, Gateway>> s_kinds = new(StringComparer.OrdinalIgnoreCase)
    {
        ["tcp"] = static context => new TcpGateway(in context),
        ["udp"] = static context => new UdpGateway(in context),
        ["health"] = static context => new HealthGateway(in context),
    };

    private readonly ServerPools _pools;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly List<(Gateway Gateway, Task Stopped)> _leaving = [];
    private volatile ImmutableSortedDictionary<string, Gateway> _gateways = ImmutableSortedDictionary.Create<string, Gateway>(StringComparer.OrdinalIgnoreCase);
    private LoopGroup? _loops;
    private TransportOptions? _transport;

    /// <summary>Made by dependency injection.</summary>
    /// <param name="pools">The host's pools.</param>
    /// <param name="time">The clock of the loops and time-outs.</param>
    /// <param name="logger">Default: nowhere.</param>
    public Gateways(ServerPools pools, TimeProvider time, ILogger<Gateways>? logger = null)
    {
        _pools = pools;
        _time = time;
        _logger = logger ?? NullLogger<Gateways>.Instance;
    }

    /// <inheritdoc/>
    public int Order => 300;

    /// <inheritdoc/>
    public string Handles => "Gateways";

    /// <summary>The gateways that run, by name.</summary>
    public IReadOnlyCollection<Gateway> All => [.. _gateways.Values];

    /// <summary>What all gateways share; null before there is one.</summary>
    internal ProcessLimits? Limits => _loops?.Limits;

    /// <summary>The gateway of that name.</summary>
    /// <param name="name">The name; compared without regard to case.</param>
    /// <exception cref="KeyNotFoundException">No such gateway runs.</exception>
    public Gateway this[string name] => Find(name) ?? throw new KeyNotFoundException($"No gateway '{name}' runs; there are: {string.Join(", ", _gateways.Keys)}.");

    /// <summary>The gateway of that name, or null.</summary>
    /// <param name="name">The name; compared without regard to case.</param>
    public Gateway? Find(string name) => _gateways.GetValueOrDefault(name);

    /// <inheritdoc/>
    public void Validate(LbOptions options, ICollection<ConfigurationError> errors)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(errors);
        GatewayValidation.Validate(options, WillBeOurs(options), errors);
        AddressFiles.Validate(options, errors);
        TransportValidation.Validate(options, _transport, errors);
        TlsValidation.Validate(options, errors);
    }

    /// <inheritdoc/>
    public async Task ApplyAsync(LbOptions options, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (_isGiven) return; // another process has the sockets, and this one only waits for its last clients
        bool isStart = _loops is null;
        HandOverClient? predecessor = null;
        if (isStart && options.Gateways.Count > 0)
        {
            _transport = options.Transport;
            _loops = new LoopGroup(options.Transport, _time, _logger);
            predecessor = TakeOver(options.Transport);
        }

        _loops?.Limits.Update(options.Transport, _loops.MaxConnections);

        // What is given up comes first: an address may move from one gateway to another, or a gateway get another name.
        foreach (Gateway gone in _gateways.Values.Where(g => !Stays(g, options))) await LeaveAsync(gone, options).ConfigureAwait(false);
        IReadOnlyList<ListenAddress> datagrams = [.. GatewayValidation.Addresses(options.Gateways.Values).Where(static a => a.IsDatagram)];
        foreach ((Gateway leaving, _) in _leaving) await leaving.CloseAsync(datagrams).ConfigureAwait(false);
        foreach (Gateway stays in _gateways.Values) await stays.CloseAsync(WantedByOthers(stays.Name, options)).ConfigureAwait(false);

        List<ConfigurationError> errors = [];
        ServerConnects? connects = ServerConnects.From(options, _pools);
        foreach ((string name, GatewayOptions gateway) in options.Gateways) await ApplyAsync(name, gateway, options, connects, errors).ConfigureAwait(false);
        if (errors.Count == 0 && isStart && _loops is not null) await TookAsync(predecessor, options.Transport, errors, options.Path).ConfigureAwait(false);
        if (errors.Count == 0) return;
        if (isStart)
        {
            if (predecessor is not null) Inherited.CloseRest();
            predecessor?.Dispose();
            // A start that fails leaves nothing listening, also when nobody disposes of the host.
            _gateways = _gateways.Clear();
            _transport = null;
            Dispose();
        }

        throw new LbConfigurationException([.. errors.Distinct()]);
    }

    // Another mode is another kind of gateway: the old one leaves, as if it had another name.
    private static bool Stays(Gateway gateway, LbOptions options) =>
        options.Gateways.TryGetValue(gateway.Name, out GatewayOptions? wanted) && string.Equals(wanted.Mode, gateway.Mode, StringComparison.OrdinalIgnoreCase);

    // Port 0 is nobody's: several may want it.
    private static IReadOnlyList<ListenAddress> WantedByOthers(string name, LbOptions options)
    {
        IReadOnlyList<ListenAddress> own = GatewayValidation.Addresses([options.Gateways[name]]);
        return [.. GatewayValidation.Addresses(options.Gateways.Where(g => g.Value != options.Gateways[name]).Select(static g => g.Value)).Except(own)];
    }

    // It drains while the rest goes on: a reload does not wait for the last of its clients.
    private async Task LeaveAsync(Gateway gone, LbOptions options)
    {
        _gateways = _gateways.Remove(gone.Name);
        await gone.CloseAsync(GatewayValidation.Addresses(options.Gateways.Values)).ConfigureAwait(false);
        await gone.BeginStopAsync().ConfigureAwait(false);
        _leaving.RemoveAll(static l => l.Stopped.IsCompleted);
        _leaving.Add((gone, gone.StopAsync(_time, CancellationToken.None)));
    }

    private async Task ApplyAsync(string name, GatewayOptions gateway, LbOptions options, ServerConnects? connects, List<ConfigurationError> errors)
    {
        GatewayContext context = new(name, gateway, options, _pools, _loops!, _logger) { Connects = connects };
        Gateway? before = Find(name);
        Gateway running;
        try
        {
            running = before ?? s_kinds[gateway.Mode](context);
            if (before is null) running.Admit(in context);
            await running.ListenAsync(GatewayValidation.Addresses([gateway]), new ListenOptions(gateway.Backlog) { Tuning = SocketTuning.Of(gateway) }, Inherited).ConfigureAwait(false);
        }
        catch (CertificateException error)
        {
            // Changed since the check.
            errors.Add(new($"{options.Path}:Gateways:{name}:Tls", error.File, error.Reason));
            return;
        }
        catch (SocketException error)
        {
            // Somebody took it since the check, which now finds out who; or the system refuses more than the check can see.
            int known = errors.Count;
            GatewayValidation.Validate(options, IsOurs, errors);
            if (errors.Count == known)
                errors.Add(new($"{options.Path}:Gateways:{name}:Listen", string.Join(", ", gateway.Listen), GatewayValidation.Explain(error)));
            return;
        }

        if (before is not null)
        {
            running.Update(in context);
            running.Admit(in context);
        }

        _gateways = _gateways.SetItem(name, running);
    }

    // A UDP gateway that leaves holds its port until its sessions have ended.
    private bool IsOurs(ListenAddress address) =>
        _gateways.Values.Any(g => g.Listens(address)) || (address.IsDatagram && _leaving.Exists(l => !l.Stopped.IsCompleted && l.Gateway.Listens(address)));

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken ct)
    {
        _handOver?.Dispose();
        // The host's patience holds for those that a reload has removed, too.
        IEnumerable<Gateway> stopping = [.. _leaving.Select(static l => l.Gateway), .. _gateways.Values];
        await Task.WhenAll(stopping.Select(g => g.StopAsync(_time, ct))).ConfigureAwait(false);
        _gateways = _gateways.Clear();
        Dispose();
    }

    /// <summary>Ends the loops and whatever connections are left. Idempotent.</summary>
    public void Dispose()
    {
        _handOver?.Dispose();
        Interlocked.Exchange(ref _loops, null)?.Dispose();
    }
}
