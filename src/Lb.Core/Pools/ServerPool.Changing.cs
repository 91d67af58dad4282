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
        Server server;
        lock (_lock)
        {
            if (Find(options.NameOrAddress) is not null)
                throw new ArgumentException($"Pool '{Name}' already has a server '{options.NameOrAddress}'.", nameof(options));
            server = Join(options);
            _all = [.. _servers];
            server.Admin = admin;
            Publish();
        }

        TellWatchers();
        return server;
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
            if (server.Sorry) return RemoveResult.IsSorryServer;
            if (!force && server.Admin != ServerAdmin.Maintenance) return RemoveResult.NotInMaintenance;
            if (!force && server.Load > 0) return RemoveResult.HasConnections;
            Part(server);
            _all = [.. _servers];
            Publish();
        }

        TellWatchers();
        return RemoveResult.Removed;
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
            if (_servers.Find(static s => s.Sorry) is { } sorry && servers.Any(s => string.Equals(s.NameOrAddress, sorry.Name, StringComparison.OrdinalIgnoreCase)))
                throw new ArgumentException($"'{sorry.Name}' is the name of the sorry server of pool '{Name}'.", nameof(servers));
            ReconcileLocked(servers, addresses: null);
            Publish();
        }

        TellWatchers();
    }

    /// <summary>Replaces the algorithm while the pool runs. Open leases and counters stay; the new one starts its turn afresh.</summary>
    /// <param name="policy">The new algorithm, for a pool of one priority level whose zones don't count.</param>
    /// <param name="name">Its name for people; default: its type's.</param>
    /// <exception cref="InvalidOperationException">The pool's levels and zones need a policy each: use the other overload.</exception>
    public void SetPolicy(ISchedulingPolicy policy, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(policy);
        bool given = false;
        SetPolicy(
            () => given ? throw new InvalidOperationException($"Pool '{Name}' has several levels or zones, which need a policy each: hand in a way to make them.") : policy,
            name ?? policy.GetType().Name,
            () => given = true);
    }

    /// <summary>Replaces the algorithm while the pool runs. Open leases and counters stay; the new one starts its turn afresh.</summary>
    /// <param name="make">Makes the new algorithm, once for each priority level and zone.</param>
    /// <param name="name">Its name for people; default: its type's.</param>
    public void SetPolicy(Func<ISchedulingPolicy> make, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(make);
        SetPolicy(make, name, made: null);
    }

    private void SetPolicy(Func<ISchedulingPolicy> make, string? name, Action? made)
    {
        lock (_lock)
        {
            Placement placement = Place(make);
            made?.Invoke();

            // One that can't be built is the caller's error, and nothing has changed.
            if (_published.Snapshot is { } snapshot) placement.Build(snapshot, _placementRules with { Levels = LevelsOf(_decision) });
            _placement = placement;
            PolicyName = name ?? placement.Policy.GetType().Name;
            _servers.ForEach(static s => s.Attach(mirror: null));
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
            _protections = PoolProtections.From(options, TimestampsPerSecond);
            _placementRules = PlacementRules.From(options);
            _subset = options.Subset;
            if (_protections.WatchesAll) _servers.ForEach(static s => s.Watch());
            FollowRetryBudget(options.RetryBudget);
            FollowPersistence(options.Persistence);
            _rules = new Eligibility.Rules(options.AllBackups, options.Failback, options.PanicThreshold, options.AllDown);
            bool samePolicy = SchedulingPolicies.IsSame(_policyOptions, options);
            if (!samePolicy)
            {
                if (_policyOptions is not null) _placement = Place(() => policies.Create(options));
                PolicyName = options.Policy is null ? options.Balance : _placement.Policy.GetType().Name;
                _servers.ForEach(static s => s.Attach(mirror: null));
            }

            _policyOptions = options;
            ObserveAs(options);

            // Without checks nobody would ever say "up".
            bool isChecked = options.Checks.Count > 0;
            if (_checked && !isChecked) _servers.ForEach(s => ChangeAndTell(s, "no checks any more", static s => s.Health = ServerHealth.Up));
            _checked = isChecked;
            FollowSorryServer(options.SorryServer, addresses);
            ReconcileLocked([.. options.Servers], addresses);
            FollowEjections();
            if (!_protections.JudgesRates && !_protections.Outlier.Enabled) Volatile.Write(ref _nextInterval, 0);
            Publish();
        }

        TellWatchers();
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

        TellWatchers();
    }

    private void ChangeAndTell(Server server, string? cause, Action<Server> change)
    {
        ServerStatus before = server.Status;
        ServerHealth health = server.Health;
        change(server);
        if (server.Health != health) HealthChanged(server, health);
        if (server.Status == before) return;
        StatusChanged(server, before);
        server.LastChange = _time.GetUtcNow();
        Note(server, before, server.Status);
        _events?.Publish(new ServerStatusChanged(server.LastChange, Name, server.Name, before, server.Status, cause));
    }

    private void ReconcileLocked(IReadOnlyList<ServerOptions> wanted, IReadOnlyDictionary<string, IPAddress>? addresses)
    {
        HashSet<Server> kept = [];
        Dictionary<string, Server> present = _servers.Where(static s => !s.Sorry).ToDictionary(static s => s.Name, StringComparer.OrdinalIgnoreCase);
        foreach (ServerOptions options in wanted)
        {
            Server? server = present.GetValueOrDefault(options.NameOrAddress);
            if (server is not null) ChangeAndTell(server, "configuration", s => Update(s, options, addresses));
            kept.Add(server ?? Join(options, addresses));
        }

        foreach (Server server in _servers.Where(s => !s.Sorry && !kept.Contains(s)).ToArray()) Part(server);

        // Ids keep the order of joining; the list follows it, so a reload that only moves lines changes nobody's turn.
        _all = [.. _servers];
    }

    private readonly List<bool> _slots = [];
    private int _firstFree;

    private void Update(Server server, ServerOptions options, IReadOnlyDictionary<string, IPAddress>? addresses)
    {
        (int Weight, int MaxConnections, string Address)? before = server.Configured;
        if (before?.Weight != options.Weight) server.Weight = options.Weight;
        if (before?.MaxConnections != options.MaxConnections) server.MaxConnections = options.MaxConnections;
        if (before?.Address != options.Address)
        {
            EndPoint given = ParseEndPoint(options.Address);
            server.HostName = (given as DnsEndPoint)?.Host;
            server.EndPoint = given;
        }

        if (server.EndPoint is DnsEndPoint name && addresses?.TryGetValue(name.Host, out IPAddress? address) == true)
            server.EndPoint = new IPEndPoint(address, name.Port);
        server.Backup = options.Backup;
        server.Priority = options.Priority;
        server.Zone = options.Zone;
        server.SendProxy = ProxySendingWords.Read(options);
        server.MaxQueue = options.MaxQueue;
        server.MinConnections = options.MinConnections;

        // The same object as long as it says the same: whoever has prepared something from it sees by that whether it still holds.
        ServerConnecting connecting = ServerConnecting.From(options);
        if (connecting != server.Connecting) server.Connecting = connecting;
        server.InhibitOnFailure = options.InhibitOnFailure;
        server.InitState = InitStateOf(options);
        if (server.Track != options.Track) Note(server: null);
        server.Track = options.Track;

        // The values, not the object: the caller may change that and hand it in again.
        server.Configured = (options.Weight, options.MaxConnections, options.Address);
    }

    private Server Join(ServerOptions options, IReadOnlyDictionary<string, IPAddress>? addresses = null, bool isSorry = false, ServerAdmin admin = ServerAdmin.Ready)
    {
        Server server = new(this, _nextId++, TakeSlot(), options, ParseEndPoint(options.Address))
        {
            Health = isSorry ? ServerHealth.Up : FirstHealth(options),
            LastChange = _time.GetUtcNow(),
            InUse = true,
            Sorry = isSorry,
            Admin = admin,
            WasAdded = _begun,
        };
        Update(server, options, addresses);
        if (_protections.WatchesAll) server.Watch();
        if (server.Status == ServerStatus.Up) StatusChanged(server, ServerStatus.Maintenance);
        _servers.Add(server);
        Note(server: null);
        _events?.Publish(new ServerJoined(server.LastChange, Name, server.Name));
        return server;
    }

    // The lowest that is free: sets of servers are bits by slot.
    private int TakeSlot()
    {
        while (_firstFree < _slots.Count && _slots[_firstFree]) _firstFree++;
        if (_firstFree == _slots.Count) _slots.Add(false);
        _slots[_firstFree] = true;
        return _firstFree++;
    }

    private ServerHealth FirstHealth(ServerOptions options)
    {
        if (!_checked) return ServerHealth.Up;
        bool known = _parted.Remove(options.NameOrAddress, out ServerHealth health);
        if (options.InitState == InitState.None) return known ? health : ServerHealth.Down;
        return InitStateOf(options) is InitState.Down or InitState.FullyDown ? ServerHealth.Down : ServerHealth.Up;
    }

    // keepalived's alpha: what is taken for up is taken for down instead. Who is surely up stays so.
    private InitState InitStateOf(ServerOptions options) =>
        options.InitState == InitState.Up && _policyOptions is { Alpha: true } ? InitState.Down : options.InitState;

    private void Part(Server server)
    {
        server.InUse = false;
        if (_checked && server.InitState == InitState.None) _parted[server.Name] = server.Health;
        _servers.Remove(server);
        _slots[server.Slot] = false;
        if (server.Slot < _firstFree) _firstFree = server.Slot;
        _affinity?.Forget(server);
        Note(server: null);
        _events?.Publish(new ServerLeft(_time.GetUtcNow(), Name, server.Name));
    }
}
