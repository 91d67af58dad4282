namespace Lb.Core.Tests.Properties;

/// <summary>Any sequence of picks, ends and changes: the pool does what the model says, step by step.</summary>
[Trait("Row", "S28")]
[Trait("Row", "S29")]
[Trait("Row", "P16")]
[Trait("Row", "X8")]
public sealed class PoolModelProperties
{
    private static readonly string[] Policies = [.. SchedulingPolicies.BuiltIn.Names];

    [Fact]
    public void A_pool_does_what_its_model_says() => Cases.Check(Cases.Script(80), 120, 20300401, static script => Run(script));

    // Every policy has scripts of its own that don't change it, so that each is met in all situations.
    [Fact]
    public void So_it_does_with_every_policy()
    {
        foreach (string policy in Policies) Cases.Check(Cases.Script(60), 6, 20300402, script => Run(script, policy));
    }

    [Fact]
    public void The_model_notices_a_pool_that_errs()
    {
        // A test of the test: the model's pool has one more lease than the pool.
        Runner runner = new("roundrobin");
        runner.Step(Pick);
        runner.Model.Members[0].Open.Clear();
        Assert.ThrowsAny<Exception>(() => runner.Step(Pick));
    }

    private const int Pick = 0;

    private static void Run(int[] script, string? onlyPolicy = null)
    {
        Runner runner = new(onlyPolicy ?? "p2c");
        foreach (int step in script) runner.Step(step, changesPolicy: onlyPolicy is null);
        runner.CompleteAll();
    }

    private sealed class Runner
    {
        private readonly ServerPool _pool;
        private ISchedulingPolicy _policy;
        private int _added;

        public Runner(string policy)
        {
            _policy = Make(policy);
            _pool = TestPool.Create(4, _policy, static o =>
            {
                o.Servers[1].Weight = 3;
                o.Servers[2].MaxConnections = 2;
                o.Servers[3].Backup = true;
            });
            foreach (Server server in _pool.Servers) Model.Members.Add(new ModelServer(server, server.Weight, server.MaxConnections, server.Backup));
        }

        public PoolModel Model { get; } = new();

        /// <summary>The step's low digits say what to do, the others with what.</summary>
        public void Step(int step, bool changesPolicy = true)
        {
            int kind = step % 24, a = step / 24 % 1000, b = step / 24_000 % 1000;
            switch (kind)
            {
                case < 9: PickOne(a, b); break;
                case < 14: CompleteOne(a, b); break;
                case 14: SetHealth(a, b); break;
                case 15: SetAdmin(a, b); break;
                case 16: SetWeight(a, b); break;
                case 17: SetMaxConnections(a, b); break;
                case 18: Add(a, b); break;
                case 19: Remove(a, b); break;
                case 20 or 21: Reconcile(a, b); break;
                case 22 when changesPolicy: SetPolicy(Policies[a % Policies.Length]); break;
                case 22: SetPolicy(null); break;
                default: AllWeights(b); break;
            }

            Compare();
        }

        public void CompleteAll()
        {
            foreach (ModelServer server in Model.All)
            {
                foreach (ServerLease lease in server.Open) lease.Complete(LeaseOutcome.Success);
                server.Open.Clear();
            }

            Compare();
        }

        private void PickOne(int a, int b)
        {
            Server[] all = [.. Model.All.Select(static s => s.Server)];
            ServerSet excluded = default;
            for (int i = 0; b % 5 == 1 && i < all.Length; i++)
            {
                if ((a >> i & 1) != 0 && Model.Members.Exists(s => s.Server == all[i])) excluded = excluded.With(all[i]);
            }

            PickContext context = new()
            {
                Key = a % 2 == 0 ? AffinityKey.From($"key-{a}") : default,
                Source = a % 3 == 0 ? default : PeerAddress.FromV4(0x0A000000u + (uint)a, (ushort)(1024 + b)),
                Destination = PeerAddress.FromV4(0xC0000200u + (uint)(b % 16), 80),
                Prefer = b % 4 == 0 && all.Length > 0 ? all[a % all.Length] : null,
                Avoid = b % 4 == 1 && all.Length > 0 ? all[a % all.Length] : null,
                Excluded = excluded,
            };
            bool preserves = (_policy.Traits & PolicyTraits.PreservesAffinity) != 0;
            _pool.TryPick(in context, out ServerLease lease, out PickFailure failure);
            string? expected = Model.Judge(in context, lease.Server, failure, preserves);
            Assert.True(expected is null, $"{_pool.PolicyName}: expected {expected}, but was {lease.Server?.Name ?? failure.ToString()}");
            if (lease.Server is null) return;
            ModelServer server = Model.Of(lease.Server);
            server.Open.Add(lease);
            server.Total++;
            if (b % 3 == 0) lease.Responded();
        }

        private void CompleteOne(int a, int b)
        {
            ModelServer[] busy = [.. Model.All.Where(static s => s.Open.Count > 0)];
            if (busy.Length == 0) return;
            ModelServer server = busy[a % busy.Length];
            ServerLease lease = server.Open[b % server.Open.Count];
            server.Open.RemoveAt(b % server.Open.Count);
            LeaseOutcome outcome = (b % 3) switch { 0 => LeaseOutcome.Success, 1 => LeaseOutcome.Failure(FailureKind.Connect), _ => LeaseOutcome.Ignored };
            lease.Complete(outcome);
            if (outcome.IsFailure) server.Failures++;
            if (outcome.IsIgnored) server.Ignored++;
        }

        // One that has left is among those asked for: nothing may happen then.
        private ModelServer? Any(int a, out bool isMember)
        {
            ModelServer[] all = [.. Model.All];
            isMember = all.Length > 0 && a % all.Length < Model.Members.Count;
            return all.Length == 0 ? null : all[a % all.Length];
        }

        private void SetHealth(int a, int b)
        {
            if (Any(a, out bool isMember) is not { } server) return;
            _pool.SetHealth(server.Server, b % 3 == 0 ? ServerHealth.Up : ServerHealth.Down);
            if (isMember) server.IsUp = b % 3 == 0;
        }

        private void SetAdmin(int a, int b)
        {
            if (Any(a, out bool isMember) is not { } server) return;
            ServerAdmin admin = (b % 4) switch { 0 => ServerAdmin.Drain, 1 => ServerAdmin.Maintenance, _ => ServerAdmin.Ready };
            _pool.SetAdmin(server.Server, admin);
            if (isMember) server.Admin = admin;
        }

        private void SetWeight(int a, int b)
        {
            if (Any(a, out bool isMember) is not { } server) return;
            _pool.SetWeight(server.Server, b % 6);
            if (isMember) server.Weight = b % 6;
        }

        private void SetMaxConnections(int a, int b)
        {
            if (Any(a, out bool isMember) is not { } server) return;
            _pool.SetMaxConnections(server.Server, b % 4);
            if (isMember) server.MaxConnections = b % 4;
        }

        private void AllWeights(int b)
        {
            foreach (ModelServer server in Model.Members)
            {
                server.Weight = b % 2 == 0 ? 0 : 1 + (b % 5);
                _pool.SetWeight(server.Server, server.Weight);
            }

            if (b % 2 == 0) Assert.Equal(PickFailure.NoServer, _pool.FailToPick());
        }

        private void Add(int a, int b)
        {
            if (Model.Members.Count >= 8) return;
            ServerAdmin admin = a % 3 == 0 ? ServerAdmin.Maintenance : ServerAdmin.Ready;
            Server server = _pool.Add(Options($"n{++_added}", a, b), admin);
            Model.Members.Add(new ModelServer(server, a % 5, b % 3, backup: a % 7 == 0) { Admin = admin });
        }

        private void Remove(int a, int b)
        {
            if (Any(a, out bool isMember) is not { } server) return;
            bool force = b % 2 == 0;
            RemoveResult expected =
                !isMember ? RemoveResult.NotFound
                : !force && server.Admin != ServerAdmin.Maintenance ? RemoveResult.NotInMaintenance
                : !force && server.Open.Count > 0 ? RemoveResult.HasConnections
                : RemoveResult.Removed;
            Assert.Equal(expected, _pool.Remove(server.Server, force));
            if (expected == RemoveResult.Removed) Leave(server);
        }

        private void Reconcile(int a, int b)
        {
            // Some of those that are there, some old names, with other values or the same.
            List<ServerOptions> wanted = [];
            string[] names = [.. Model.Members.Select(static s => s.Name).Union(["a", "b", "c", "d"])];
            for (int i = 0; i < names.Length; i++)
            {
                if (((a + (a >> 5)) >> (i % 10) & 1) == 0) wanted.Add(Options(names[i], (a + i) % (1 + (b % 7)), b + i));
            }

            if (wanted.Count == 0)
            {
                // A configuration without servers is an error, and nothing has changed.
                Assert.Throws<ArgumentException>(() => _pool.Reconcile(wanted));
                return;
            }

            _pool.Reconcile(wanted);
            foreach (ModelServer gone in Model.Members.FindAll(s => !wanted.Exists(w => w.Name == s.Name))) Leave(gone);
            foreach (ServerOptions options in wanted)
            {
                if (Model.Members.Find(s => s.Name == options.Name) is not { } server)
                {
                    Model.Members.Add(new ModelServer(_pool.Get(options.Name!), options.Weight, options.MaxConnections, options.Backup));
                    continue;
                }

                // What was set at run time stays unless the configuration says something new.
                if (server.Configured.Weight != options.Weight) server.Weight = options.Weight;
                if (server.Configured.MaxConnections != options.MaxConnections) server.MaxConnections = options.MaxConnections;
                server.Configured = (options.Weight, options.MaxConnections);
                server.Backup = options.Backup;
            }
        }

        private void SetPolicy(string? name)
        {
            // The same objects, leases and counters afterwards: Compare looks at all of them.
            Server[] before = [.. _pool.Servers];
            if (name is not null) _policy = Make(name);
            _pool.SetPolicy(_policy, name ?? _pool.PolicyName);
            Assert.Equal(before, _pool.Servers);
        }

        private void Leave(ModelServer server)
        {
            Model.Members.Remove(server);
            Model.Gone.Add(server);
        }

        private void Compare()
        {
            Assert.Equal(Model.Members.Select(static s => s.Server), _pool.Servers);
            Assert.Equal(Model.Candidates.Select(static s => s.Server), _pool.Snapshot is null ? [] : _pool.Snapshot.Servers.ToArray());
            Assert.Equal((0L, 0), (_pool.LeaseMisuses, _pool.QueueLength));
            foreach (ModelServer server in Model.All)
            {
                Server real = server.Server;
                Assert.Equal((server.Open.Count, server.Total, server.Failures, server.Ignored), (real.InFlight, real.TotalLeases, real.TotalFailures, real.TotalIgnored));
                Assert.Equal((server.Weight, server.MaxConnections, server.Backup, server.Admin), (real.Weight, real.MaxConnections, real.Backup, real.Admin));
            }
        }

        private static ServerOptions Options(string name, int a, int b) => TestPool.Server(name, a % 5, backup: a % 7 == 0, maxConnections: b % 3);

        private static ISchedulingPolicy Make(string name) =>
            SchedulingPolicies.BuiltIn.Create(new PoolOptions { Balance = name, BalanceOptions = { Header = "x", Parameter = "p", TableSize = name is "mh" or "maglev" ? 251 : null } });
    }
}
