using System.Net;

namespace Lb;

/// <content>The writers' half: state, membership and settings. All under one lock; the new snapshot is published before a call returns.</content>
public sealed partial class ServerPool
{
    /// <summary>Takes over what the checks say. Returns after the new snapshot is published.</summary>
    /// <param name="server">A server of this pool; one that has left is ignored.</param>
    /// <param name="health">Its health.</param>
    /// <param name="cause">Why, for people; default: none.</param>
    public void SetHealth(Server server, ServerHealth health, string? cause = null) =>
        Change(server, cause, s => s.Health = health);

    /// <summary>Takes over what the administrator says. Health stays remembered in maintenance. Returns after the new snapshot is published.</summary>
    /// <param name="server">A server of this pool; one that has left is ignored.</param>
    /// <param name="admin">Ready, drain or maintenance.</param>
    /// <param name="cause">Why, for people; default: none.</param>
    public void SetAdmin(Server server, ServerAdmin admin, string? cause = null) =>
        Change(server, cause, s => s.Admin = admin);

    /// <summary>Gives a server another weight, from the next pick on.</summary>
    /// <param name="server">A server of this pool; one that has left is ignored.</param>
    /// <param name="weight">0 to 256; 0 = no balanced traffic.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="weight"/> is out of range.</exception>
    public void SetWeight(Server server, int weight)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(weight);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(weight, 256);
        Change(server, "weight", s => s.Weight = weight);
    }

    /// <summary>Gives a server another limit of leases. Open ones beyond it go on.</summary>
    /// <param name="server">A server of this pool; one that has left is ignored.</param>
    /// <param name="maxConnections">0 (no limit) to 16 000 000.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxConnections"/> is out of range.</exception>
    public void SetMaxConnections(Server server, int maxConnections)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxConnections);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxConnections, Server.MaxInFlight);
        Change(server, "limit of connections", s => s.MaxConnections = maxConnections);
    }

    /// <summary>Keeps the last check of a server for people and pages; decides nothing.</summary>
    /// <param name="server">A server of this pool.</param>
    /// <param name="report">The check.</param>
    public static void ReportCheck(Server server, CheckReport report)
    {
        ArgumentNullException.ThrowIfNull(server);
        server.LastCheck = report;
    }

    /// <summary>Adds a server while the pool runs. The others keep their ids and their turn.</summary>
    /// <param name="options">The server; its name must be new and its address no host name, which nobody would look up.</param>
    /// <param name="admin">Its first state; default maintenance, as HAProxy's <c>add server</c> does.</param>
    /// <returns>The new server.</returns>
    /// <exception cref="ArgumentException">The options are not valid or the name is taken.</exception>
    public Server Add(ServerOptions options, ServerAdmin admin = ServerAdmin.Maintenance)
    {
        ArgumentNullException.ThrowIfNull(options);
        List<ConfigurationError> errors = [];
        PoolValidation.ValidateServer($"{Name}:{options.NameOrAddress}", options, errors);
        if (errors.Count > 0) throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        if (ParseEndPoint(options.Address) is DnsEndPoint)
            throw new ArgumentException($"'{options.Address}' is a host name; look it up first: names are looked up only when a configuration is applied.", nameof(options));
        lock (_lock)
        {
            if (Find(options.NameOrAddress) is not null)
                throw new ArgumentException($"Pool '{Name}' already has a server '{options.NameOrAddress}'.", nameof(options));
            Server server = Join(options);
            server.Admin = admin;
            Publish();
            return server;
        }
    }

    /// <summary>Removes a server while the pool runs. Refused while it is in use, as HAProxy's <c>del server</c> is.</summary>
    /// <param name="server">A server of this pool.</param>
    /// <param name="force">Removes it in any state; open leases go on to their end.</param>
    /// <returns>What became of it.</returns>
    public RemoveResult Remove(Server server, bool force = false)
    {
        ArgumentNullException.ThrowIfNull(server);
        lock (_lock)
        {
            if (!server.InUse || !ReferenceEquals(server.Pool, this)) return RemoveResult.NotFound;
            if (!force && server.Admin != ServerAdmin.Maintenance) return RemoveResult.NotInMaintenance;
            if (!force && server.Load > 0) return RemoveResult.HasConnections;
            Part(server);
            Publish();
            return RemoveResult.Removed;
        }
    }

    /// <summary>
    /// Makes the members what <paramref name="servers"/> says: servers whose names stay keep their object, counters, health and administrative state;
    /// their address, weight, limit and backup role follow the options where
    /// these differ from the options before, so that a weight set at run time survives a reload that does not mention it. Those that left end with their last lease.
    /// </summary>
    /// <param name="servers">The servers wanted, in order; valid and with distinct names.</param>
    /// <exception cref="ArgumentException">The options are not valid; nothing has changed.</exception>
    public void Reconcile(IReadOnlyList<ServerOptions> servers)
    {
        ArgumentNullException.ThrowIfNull(servers);
        List<ConfigurationError> errors = [];
        PoolValidation.ValidateServers(Name, servers, errors);
        if (errors.Count > 0) throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(servers));
        lock (_lock)
        {
            ReconcileLocked(servers, addresses: null);
            Publish();
        }
    }

    /// <summary>Replaces the algorithm while the pool runs. Open leases and counters stay; the new one starts its turn afresh.</summary>
    /// <param name="policy">The new algorithm.</param>
    /// <param name="name">Its name for people; default: its type's.</param>
    public void SetPolicy(ISchedulingPolicy policy, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(policy);
        lock (_lock)
        {
            // One that can't be built is the caller's error, and nothing has changed.
            if (_published.Snapshot is { } snapshot) policy.Build(snapshot);
            _policy = policy;
            _servers.ForEach(static s => s.Attach(mirror: null));
            PolicyName = name ?? policy.GetType().Name;
            Publish();
        }
    }

    /// <summary>Takes over all options of a valid configuration at once.</summary>
    /// <param name="options">The pool's options.</param>
    /// <param name="defaults">What they leave open.</param>
    /// <param name="policies">The policies known by name.</param>
    /// <param name="addresses">Host names that have been looked up.</param>
    internal void Apply(PoolOptions options, DefaultsOptions defaults, SchedulingPolicies policies, IReadOnlyDictionary<string, IPAddress>? addresses = null)
    {
        lock (_lock)
        {
            _settings = PoolSettings.From(options, defaults);
            _rules = new Eligibility.Rules(options.AllBackups, options.Failback, options.PanicThreshold, options.AllDown);
            bool samePolicy = SchedulingPolicies.IsSame(_policyOptions, options);
            if (!samePolicy)
            {
                if (_policyOptions is not null) _policy = policies.Create(options);
                _servers.ForEach(static s => s.Attach(mirror: null));
                PolicyName = options.Policy is null ? options.Balance : _policy.GetType().Name;
            }

            _policyOptions = options;

            // Without checks nobody would ever say "up".
            bool isChecked = options.Checks.Count > 0;
            if (_checked && !isChecked) _servers.ForEach(s => ChangeAndTell(s, "no checks any more", static s => s.Health = ServerHealth.Up));
            _checked = isChecked;
            ReconcileLocked([.. options.Servers], addresses);
            Publish();
        }
    }

    private PoolOptions? _policyOptions;
    private bool _begun;

    private void Change(Server server, string? cause, Action<Server> change)
    {
        ArgumentNullException.ThrowIfNull(server);
        lock (_lock)
        {
            if (!server.InUse || !ReferenceEquals(server.Pool, this)) return;
            ChangeAndTell(server, cause, change);
            Publish();
        }
    }

    private void ChangeAndTell(Server server, string? cause, Action<Server> change)
    {
        ServerStatus before = server.Status;
        change(server);
        if (server.Status == before) return;
        server.LastChange = _time.GetUtcNow();
        _events?.Publish(new ServerStatusChanged(server.LastChange, Name, server.Name, before, server.Status, cause));
    }

    private void ReconcileLocked(IReadOnlyList<ServerOptions> wanted, IReadOnlyDictionary<string, IPAddress>? addresses)
    {
        HashSet<Server> kept = [];
        foreach (ServerOptions options in wanted)
        {
            Server? server = Find(options.NameOrAddress);
            if (server is not null) ChangeAndTell(server, "configuration", s => Update(s, options, addresses));
            kept.Add(server ?? Join(options, addresses));
        }

        foreach (Server server in _servers.Where(s => !kept.Contains(s)).ToArray()) Part(server);

        // Ids keep the order of joining; the list follows it, so a reload that only moves lines changes nobody's turn.
        _all = [.. _servers];
    }

    private static void Update(Server server, ServerOptions options, IReadOnlyDictionary<string, IPAddress>? addresses)
    {
        (int Weight, int MaxConnections, string Address)? before = server.Configured;
        if (before?.Weight != options.Weight) server.Weight = options.Weight;
        if (before?.MaxConnections != options.MaxConnections) server.MaxConnections = options.MaxConnections;
        if (before?.Address != options.Address) server.EndPoint = ParseEndPoint(options.Address);
        if (server.EndPoint is DnsEndPoint name && addresses?.TryGetValue(name.Host, out IPAddress? address) == true)
            server.EndPoint = new IPEndPoint(address, name.Port);
        server.Backup = options.Backup;
        server.InitState = options.InitState;

        // The values, not the object: the caller may change that and hand it in again.
        server.Configured = (options.Weight, options.MaxConnections, options.Address);
    }

    private Server Join(ServerOptions options, IReadOnlyDictionary<string, IPAddress>? addresses = null)
    {
        int slot = 0;
        HashSet<int> taken = [.. _servers.Select(static s => s.Slot)];
        while (taken.Contains(slot)) slot++;
        Server server = new(this, _nextId++, slot, options, ParseEndPoint(options.Address))
        {
            Health = FirstHealth(options),
            LastChange = _time.GetUtcNow(),
            InUse = true,
        };
        Update(server, options, addresses);
        _servers.Add(server);
        _all = [.. _servers];
        _events?.Publish(new ServerJoined(server.LastChange, Name, server.Name));
        return server;
    }

    private ServerHealth FirstHealth(ServerOptions options)
    {
        if (!_checked) return ServerHealth.Up;
        bool known = _parted.Remove(options.NameOrAddress, out ServerHealth health);
        if (options.InitState == InitState.None) return known ? health : ServerHealth.Down;
        return options.InitState is InitState.Down or InitState.FullyDown ? ServerHealth.Down : ServerHealth.Up;
    }

    private void Part(Server server)
    {
        server.InUse = false;
        if (_checked && server.InitState == InitState.None) _parted[server.Name] = server.Health;
        _servers.Remove(server);
        _all = [.. _servers];
        _events?.Publish(new ServerLeft(_time.GetUtcNow(), Name, server.Name));
    }

    // A policy that throws must not keep a server in rotation that has just gone down: then round robin serves until the next change.
    private IScheduler Build(PoolSnapshot snapshot)
    {
        try
        {
            return _policy.Build(snapshot);
        }
        catch (Exception error) when (_begun)
        {
            _events?.Publish(new PolicyFailed(_time.GetUtcNow(), Name, PolicyName, error.Message));
            return new RoundRobin().Build(snapshot);
        }
    }

    private void Publish()
    {
        List<Eligibility.Candidate> candidates = _servers.ConvertAll(static s => new Eligibility.Candidate(s, s.Health, s.Admin, s.Weight, s.Backup));
        Eligibility.Decision before = _decision;
        _decision = Eligibility.Decide(candidates, in _rules, before);

        if (_decision.Servers.Count == 0)
        {
            _published = Published.Empty;
        }
        else
        {
            Server[] servers = new Server[_decision.Servers.Count];
            int[] weights = new int[servers.Length];
            for (int i = 0; i < servers.Length; i++) (servers[i], weights[i]) = (_decision.Servers[i].Server, _decision.Servers[i].Weight);
            PoolSnapshot snapshot = new(servers, weights, ++_version);
            _published = new Published(snapshot, Build(snapshot), _decision.Mode);
        }

        // The first decision is no change, unless it is bad news.
        bool begins = !_begun && _decision.Mode == PoolMode.Normal;
        _begun = true;
        if (before.Mode != _decision.Mode && !begins)
            _events?.Publish(new PoolModeChanged(_time.GetUtcNow(), Name, before.Mode, _decision.Mode, _decision.Servers.Count));
        if (_queue.Count > 0) Grant();
    }
}

/// <summary>What became of a removal.</summary>
public enum RemoveResult
{
    /// <summary>The server is out of the pool.</summary>
    Removed,

    /// <summary>The server is not in this pool.</summary>
    NotFound,

    /// <summary>Refused: put it in maintenance first, or force it.</summary>
    NotInMaintenance,

    /// <summary>Refused: it has open leases or callers that wait for it.</summary>
    HasConnections,
}
