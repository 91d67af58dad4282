using System.Collections.Concurrent;

namespace Lb.Core.Tests.Properties;

/// <summary>Eight callers pick, end and give up while the pool is reloaded, flipped and given other policies all the time.</summary>
[Trait("Row", "S28")]
[Trait("Row", "S29")]
[Trait("Row", "P16")]
[Trait("Row", "X8")]
public sealed class PoolConcurrencyProperties
{
    private const int Callers = 8;

    private static readonly string[] Policies = [.. SchedulingPolicies.BuiltIn.Names];

    [Theory(Timeout = 120_000)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Nothing_is_lost_and_nobody_gets_a_server_that_had_left(int seed)
    {
        World world = new();
        Task changes = Task.Run(() => world.Change(new Random(seed), rounds: 250), TestContext.Current.CancellationToken);
        Task<long>[] callers = [.. Enumerable.Range(1, Callers).Select(n => Task.Run(() => world.Call(new Random((seed * 100) + n)), TestContext.Current.CancellationToken))];
        await changes;
        long[] picks = await Task.WhenAll(callers);

        Assert.Empty(world.Faults);
        Assert.All(picks, static n => Assert.True(n > 0));
        Assert.Equal((0, 0L), (world.Pool.QueueLength, world.Pool.LeaseMisuses));
        Assert.All(world.Met.Keys, static s => Assert.Equal((0, 0), (s.InFlight, s.Queued)));
        Assert.Equal(picks.Sum(), world.Met.Keys.Sum(static s => s.TotalLeases));
    }

    private sealed class World
    {
        private readonly ConcurrentDictionary<Server, long> _leftAt = new();
        private long _clock;
        private int _isOver;

        public World()
        {
            Pool = TestPool.Create(6, new RoundRobin(), static o =>
            {
                o.QueueTimeout = TimeSpan.FromDays(24);
                foreach (ServerOptions server in o.Servers) server.MaxConnections = 3;
            });
            Meet();
        }

        public ServerPool Pool { get; }

        /// <summary>Every server there ever was.</summary>
        public ConcurrentDictionary<Server, bool> Met { get; } = new();

        public ConcurrentQueue<string> Faults { get; } = new();

        /// <summary>Ten names: some reloads leave none usable.</summary>
        public void Change(Random random, int rounds)
        {
            try
            {
                for (int n = 0; n < rounds; n++)
                {
                    ChangeOnce(random);
                    Meet();
                    Thread.Yield();
                }
            }
            catch (Exception error)
            {
                Faults.Enqueue(error.ToString());
            }
            finally
            {
                // The end is a pool with room: nobody need wait for ever.
                Pool.Reconcile([TestPool.Server("end")]);
                Meet();
                Volatile.Write(ref _isOver, 1);
            }
        }

        private void ChangeOnce(Random random)
        {
            IReadOnlyList<Server> before = Pool.Servers;
            Server? one = before.Count == 0 ? null : before[random.Next(before.Count)];
            switch (random.Next(6))
            {
                case 0 or 1:
                    ServerOptions[] wanted = [.. Enumerable.Range(0, 10).Where(i => random.Next(3) != 0 || i == 5)
                        .Select(i => TestPool.Server(TestPool.Name(i), random.Next(4), backup: i == 9, maxConnections: 1 + random.Next(4)))];
                    Pool.Reconcile(wanted);
                    break;
                case 2 when one is not null:
                    Pool.SetHealth(one, one.Health == ServerHealth.Up ? ServerHealth.Down : ServerHealth.Up);
                    break;
                case 3 when one is not null:
                    Pool.SetAdmin(one, (ServerAdmin)random.Next(3));
                    break;
                case 4 when one is not null:
                    Pool.Remove(one, force: true);
                    break;
                default:
                    string name = Policies[random.Next(Policies.Length)];
                    Pool.SetPolicy(SchedulingPolicies.BuiltIn.Create(new PoolOptions { Balance = name, BalanceOptions = { Header = "x", Parameter = "p", TableSize = name is "mh" or "maglev" ? 251 : null } }), name);
                    break;
            }

            // The change has returned: from here on no pick may begin that ends with one of these.
            foreach (Server gone in before.Except(Pool.Servers)) _leftAt[gone] = Interlocked.Increment(ref _clock);
        }

        private void Meet()
        {
            foreach (Server server in Pool.Servers) Met[server] = true;
        }

        public async Task<long> Call(Random random)
        {
            long picks = 0;
            List<ServerLease> open = [];
            List<(Task<ServerLease> Wait, CancellationTokenSource GiveUp)> waits = [];
            try
            {
                while (Volatile.Read(ref _isOver) == 0)
                {
                    // Never more waits than two, nor leases than three: callers hold slots that others wait for.
                    int step = random.Next(10);
                    if (step < 4 && open.Count < 3)
                    {
                        if (TryPick(random) is { } lease) open.Add(lease);
                    }
                    else if (step < 6 && waits.Count < 2)
                    {
                        CancellationTokenSource giveUp = new();
                        waits.Add((Pool.AcquireAsync(Context(random), giveUp.Token).AsTask(), giveUp));
                    }
                    else if (step < 8 && open.Count > 0)
                    {
                        int index = random.Next(open.Count);
                        End(open[index], random);
                        open.RemoveAt(index);
                        picks++;
                    }
                    else if (waits.Count > 0)
                    {
                        picks += await EndWait(waits[0], random.Next(2) == 0, random);
                        waits.RemoveAt(0);
                        await Task.Yield();
                    }
                }

                foreach ((Task<ServerLease> Wait, CancellationTokenSource GiveUp) wait in waits) picks += await EndWait(wait, gives: true, random);
                open.ForEach(l => End(l, random));
                picks += open.Count;
            }
            catch (Exception error)
            {
                Faults.Enqueue(error.ToString());
            }

            return picks;
        }

        private ServerLease? TryPick(Random random)
        {
            PickContext context = Context(random);
            long begin = Interlocked.Increment(ref _clock);
            if (!Pool.TryPick(in context, out ServerLease lease, out PickFailure failure))
            {
                if (failure == PickFailure.None) Faults.Enqueue("a pick failed without a reason");
                return null;
            }

            if (_leftAt.TryGetValue(lease.Server, out long left) && left < begin) Faults.Enqueue($"{lease.Server} had left at {left}, the pick began at {begin}");
            return lease;
        }

        // Gives up, or waits in earnest if nothing is in the way.
        private static async Task<long> EndWait((Task<ServerLease> Wait, CancellationTokenSource GiveUp) wait, bool gives, Random random)
        {
            using CancellationTokenSource giveUp = wait.GiveUp;
            if (gives || !wait.Wait.IsCompleted) giveUp.Cancel();
            try
            {
                End(await wait.Wait, random);
                return 1;
            }
            catch (OperationCanceledException)
            {
                return 0;
            }
            catch (NoServerException)
            {
                return 0;
            }
        }

        private PickContext Context(Random random)
        {
            // Also one that left long ago, as a cookie may name it.
            IReadOnlyList<Server> servers = random.Next(4) == 0 ? [.. Met.Keys] : Pool.Servers;
            Server? one = servers.Count == 0 ? null : servers[random.Next(servers.Count)];
            int kind = random.Next(6);
            return new PickContext
            {
                Key = kind < 3 ? AffinityKey.From($"key-{random.Next(100)}") : default,
                Source = PeerAddress.FromV4((uint)random.Next(), 1024),
                Destination = PeerAddress.FromV4((uint)random.Next(64), 80),
                Prefer = kind == 4 ? one : null,
                Avoid = kind == 5 ? one : null,
            };
        }

        private static void End(ServerLease lease, Random random)
        {
            lease.Responded();
            lease.Complete(random.Next(4) switch { 0 => LeaseOutcome.Failure(FailureKind.Reset), 1 => LeaseOutcome.Ignored, _ => LeaseOutcome.Success });
        }
    }
}
