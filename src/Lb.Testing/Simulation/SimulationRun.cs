using System.Globalization;
using System.Numerics;

namespace Lb.Testing;

/// <summary>One run of the simulator: the loop over events. Not thread-safe; played once.</summary>
internal sealed class SimulationRun
{
    private const ulong PerBalancer = 1, PerServer = 2, ArrivalsPart = 3, TurnsPart = 4;

    private readonly SimulationScenario _scenario;
    private readonly ManualTimeProvider _clock = new();
    private readonly long _start;
    private readonly EventQueue _events = new();
    private readonly ServerSimulation[] _servers;
    private readonly ServerPool[] _pools;
    private readonly (AffinityKey Key, PeerAddress Source)[] _clients;
    private readonly string _policy;
    private readonly long _delay;
    private readonly long _warmUp;
    private readonly long[] _latencies;

    // Requests under way, by number; numbers are used again.
    private readonly Stack<int> _free = new();
    private Request[] _requests = new Request[256];
    private int _used;

    private SimulationRandom _arrivals;
    private int _arrived;
    private int _counted;
    private int _answered;
    private int _errors;
    private ulong _trace = 14695981039346656037;

    public SimulationRun(SimulationScenario scenario, Action<PoolOptions, SimulatedBalancer> configure)
    {
        _scenario = scenario;
        _start = _clock.GetTimestamp();
        _delay = scenario.OneWayDelay.Ticks;
        _warmUp = scenario.WarmUp.Ticks;
        _latencies = new long[scenario.Requests];
        ulong seed = (ulong)scenario.Seed;
        _arrivals = new SimulationRandom(SimulationRandom.Seed(seed, ArrivalsPart));
        _servers = new ServerSimulation[scenario.Servers.Count];
        for (int i = 0; i < _servers.Length; i++)
            _servers[i] = new ServerSimulation(scenario.Servers[i], scenario.Balancers, SimulationRandom.Seed(seed, PerServer + ((ulong)i << 8)));

        _clients = new (AffinityKey, PeerAddress)[scenario.Clients];
        for (int i = 0; i < _clients.Length; i++)
            _clients[i] = (AffinityKey.From(string.Create(CultureInfo.InvariantCulture, $"client{i}")), PeerAddress.FromV4(0x0A000001u + (uint)i, 40000));

        _policy = "";
        _pools = new ServerPool[scenario.Balancers];
        SimulationRandom turns = new(SimulationRandom.Seed(seed, TurnsPart));
        for (int b = 0; b < _pools.Length; b++)
        {
            SimulatedBalancer balancer = new(b, (int)SimulationRandom.Seed(seed, PerBalancer + ((ulong)b << 8)));
            _pools[b] = CreatePool(balancer, configure, out _policy);

            // Balancers that were started together would all begin with the same server.
            if (_pools.Length > 1) Turn(_pools[b], turns.Next(_servers.Length));
        }
    }

    public SimulationResult Play()
    {
        ScheduleArrival(0);
        while (_events.TryTake(out EventQueue.Event next))
        {
            switch (next.Kind)
            {
                case EventKind.Arrived:
                    Arrive(next.Time);
                    break;
                case EventKind.ReachedServer:
                    if (_servers[_requests[next.Subject].Server].Enter(next.Subject)) Serve(next.Subject, next.Time);
                    break;
                case EventKind.Served:
                    _events.Add(next.Time + _delay, EventKind.Answered, next.Subject);
                    if (_servers[_requests[next.Subject].Server].Leave(out int waiting)) Serve(waiting, next.Time);
                    break;
                default:
                    Answer(next.Subject, next.Time);
                    break;
            }
        }

        return Result();
    }

    private ServerPool CreatePool(SimulatedBalancer balancer, Action<PoolOptions, SimulatedBalancer> configure, out string policy)
    {
        PoolOptions options = new();
        for (int i = 0; i < _servers.Length; i++)
        {
            SimulatedServer server = _scenario.Servers[i];
            options.Servers.Add(new ServerOptions
            {
                Name = NameOf(i),
                Address = $"198.18.{(i >> 8) & 255}.{i & 255}:80",
                Weight = server.Weight,
                MaxConnections = server.MaxConnections,
            });
        }

        configure(options, balancer);
        options.Random ??= balancer.CreateRandom();

        // On one machine all balancers would have the same name, and choose the same servers.
        SubsetOptions subset = options.Subset;
        options.Subset = new SubsetOptions
        {
            Type = subset.Type,
            Size = subset.Size,
            Client = subset.Client ?? string.Create(CultureInfo.InvariantCulture, $"balancer{balancer.Index}"),
            ClientIndex = subset.ClientIndex ?? balancer.Index,
        };
        ServerPool pool = new(_scenario.Name, options, time: _clock);
        policy = pool.PolicyName;
        return pool;
    }

    private void Turn(ServerPool pool, int picks)
    {
        PickContext context = new() { Now = _start };
        for (int i = 0; i < picks; i++)
        {
            if (pool.TryPick(in context, out ServerLease lease, out _)) lease.Complete(LeaseOutcome.Ignored);
        }
    }

    private void ScheduleArrival(long previous)
    {
        long next = _counted == _scenario.Requests ? long.MaxValue : _scenario.Arrivals.Next(_arrived, previous, ref _arrivals);
        if (next != long.MaxValue) _events.Add(next, EventKind.Arrived, -1);
    }

    private void Arrive(long time)
    {
        _arrived++;
        bool counts = time >= _warmUp;
        if (counts) _counted++;
        SimulationRandom random = new(_arrivals.Next());
        int balancer = _pools.Length == 1 ? 0 : random.Next(_pools.Length);
        (AffinityKey key, PeerAddress source) = _clients[random.Next(_clients.Length)];

        PickContext context = new() { Now = MoveClock(time), Key = key, Source = source };
        if (_pools[balancer].TryPick(in context, out ServerLease lease, out PickFailure failure))
        {
            int server = lease.Server.Id - 1;
            _servers[server].Picked(balancer, counts);
            int request = Take();
            _requests[request] = new Request(lease, time, random, balancer, server, counts, Fails: false);
            _events.Add(time + _delay, EventKind.ReachedServer, request);
            Trace(time, balancer, server);
        }
        else
        {
            if (counts) _errors++;
            Trace(time, balancer, -(int)failure);
        }

        ScheduleArrival(time);
    }

    private void Serve(int request, long time)
    {
        ref Request served = ref _requests[request];
        long end = _servers[served.Server].Finish(time, served.Random, out bool fails);
        served = served with { Fails = fails };
        _events.Add(end, EventKind.Served, request);
    }

    private void Answer(int request, long time)
    {
        Request answered = _requests[request];
        long now = MoveClock(time);
        if (answered.Fails)
        {
            if (answered.Counts) _errors++;
            _servers[answered.Server].Failed(answered.Counts);
        }
        else
        {
            answered.Lease.Responded(now);
            if (answered.Counts) _latencies[_answered++] = time - answered.Arrived;
        }

        answered.Lease.Complete(answered.Fails ? LeaseOutcome.Failure(FailureKind.Status) : LeaseOutcome.Success);
        Trace(time, answered.Balancer, answered.Server);
        _free.Push(request);
    }

    private long MoveClock(long time)
    {
        long now = _start + time;
        _clock.Advance(TimeSpan.FromTicks(now - _clock.GetTimestamp()));
        return now;
    }

    private int Take()
    {
        if (_free.TryPop(out int request)) return request;
        if (_used == _requests.Length) Array.Resize(ref _requests, _used * 2);
        return _used++;
    }

    private void Trace(long time, int balancer, int server)
    {
        _trace = BitOperations.RotateLeft((_trace ^ (ulong)time) * 0x9E3779B97F4A7C15, 27);
        _trace = (_trace ^ ((ulong)(uint)balancer << 32 | (uint)server)) * 1099511628211;
    }

    private SimulationResult Result()
    {
        long[] latencies = _latencies[.._answered];
        Array.Sort(latencies);
        long threshold = _scenario.Threshold.Ticks;
        return new SimulationResult(latencies)
        {
            Scenario = _scenario.Name,
            Policy = _policy,
            Requests = _counted,
            Errors = _errors,
            Late = latencies.Count(latency => latency > threshold),
            Servers = [.. _servers.Select(static (s, i) => new SimulatedServerResult(NameOf(i), s.Requests, s.Errors, s.Peak, s.Balancers))],
            Trace = _trace,
        };
    }

    private static string NameOf(int server) => string.Create(CultureInfo.InvariantCulture, $"s{server + 1}");

    private readonly record struct Request(
        ServerLease Lease, long Arrived, SimulationRandom Random, int Balancer, int Server, bool Counts, bool Fails);
}
