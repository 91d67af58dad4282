namespace Lb.Testing;

/// <summary>
/// The built-in scenarios: what balancers meet, one thing at a time. Unless said otherwise ten servers of eight workers, 10 ms of exponential work a
/// request (800 requests a second each), 70 % load, one balancer, 0.25 ms each way.
/// </summary>
public static class SimulationScenarios
{
    // Requests a second that a server of the default kind can do.
    private const double Capacity = 800;

    private static readonly ServerCondition Antagonist = ServerCondition.Antagonists(TimeSpan.FromSeconds(0.5), chance: 0.2, speed: 0.4);

    /// <summary>All of them, in the order of the documentation.</summary>
    public static IReadOnlyList<SimulationScenario> All { get; } =
    [
        Fleet("homog70", "Equal servers at 70 % load."),
        Fleet("homog90", "Equal servers at 90 % load.", load: 0.9),
        Fleet("hetero", "Half of the servers are half as fast, and nobody has said so; 75 % of what they can do together.", load: 0.75 * 0.75)
            with { Servers = [.. Server(5), .. Server(5, speed: 0.5)] },
        Fleet("hetero-weights", "The same with weights of 2 and 1.", load: 0.75 * 0.75)
            with { Servers = [.. Server(5, weight: 2), .. Server(5, speed: 0.5)] },
        WithOne("slow1", "One server is ten times as slow for four seconds; 55 % load.", ServerCondition.Slow(At(5), At(9), 0.1), load: 0.55),
        WithOne("gc1", "One server stands still for a second.", ServerCondition.Pause(At(5), At(6))),
        Fleet("antagonist", "Every server is slow (0.4 of its speed) one half second in five, by chance; 55 % load.", load: 0.55)
            with { Servers = Server(10, condition: Antagonist) },
        Fleet("bursty", "Every second 130 % of what the servers can do, for 100 ms.")
            with { Arrivals = Arrivals.Bursts(0.7 * 10 * Capacity, 1.3 * 10 * Capacity, TimeSpan.FromMilliseconds(100), At(1)) },
        Fleet("heavy-tail", "Work of very different size: lognormal with a sigma of 1.5.")
            with { Servers = [.. Enumerable.Repeat(new SimulatedServer { Service = ServiceTime.LogNormal(TimeSpan.FromMilliseconds(10), 1.5) }, 10)] },
        WithOne("fail1", "One server answers everything with an error after 1 ms, for four seconds; 55 % load.", ServerCondition.FailFast(At(5), At(9), TimeSpan.FromMilliseconds(1)), load: 0.55),
        WithOne("cold1", "One server begins at 15 % of its speed and needs four seconds to full speed.", ServerCondition.ColdStart(At(2), At(4), 0.15)),
        Fleet("b10", "Ten balancers without a common view; 80 % load.", load: 0.8, balancers: 10),
        Fleet("b100", "A hundred balancers: each has less than one request open at a server; 80 % load.", load: 0.8, balancers: 100),
        Fleet("n100", "A hundred servers; 80 % load.", servers: 100, load: 0.8) with { WarmUp = At(0.25), Requests = 100_000 },
        Fleet("n1000", "A thousand servers; 80 % load.", servers: 1000, load: 0.8) with { WarmUp = At(0.15), Requests = 100_000 },
        Fleet("n100b100", "A hundred servers and a hundred balancers; 80 % load.", servers: 100, load: 0.8, balancers: 100)
            with { WarmUp = At(0.5), Requests = 100_000 },
        Fleet("antag100", "The same with slow half seconds as in antagonist; 80 % load.", servers: 100, load: 0.8, balancers: 100)
            with { Servers = Server(100, condition: Antagonist), Requests = 200_000 },
        Linkerd(),
    ];

    /// <summary>The scenario of that name, or null. Names are compared without regard to case.</summary>
    /// <param name="name">The name.</param>
    public static SimulationScenario? Find(string name) => All.FirstOrDefault(s => string.Equals(s.Name, name, StringComparison.OrdinalIgnoreCase));

    // Linkerd's published experiment ("Beyond Round Robin: Load Balancing for Latency", 2016): eleven servers that replay latencies with a median of 167 ms
    // and a deviation of 5 ms, 1000 requests a second, one minute; from 15 s to 45 s one of them needs 2 s for everything.
    private static SimulationScenario Linkerd()
    {
        SimulatedServer server = new()
        {
            Workers = int.MaxValue,
            Service = ServiceTime.Normal(TimeSpan.FromMilliseconds(167), TimeSpan.FromMilliseconds(5)),
        };
        return new SimulationScenario
        {
            Name = "linkerd",
            Description = "Linkerd's experiment: eleven servers of 167 ms, one of which needs 2 s for half of a minute; 1000 requests a second.",
            Servers = [server with { Conditions = [ServerCondition.FixedTime(At(15), At(45), At(2))] }, .. Enumerable.Repeat(server, 10)],
            Arrivals = Arrivals.Poisson(1000),
            WarmUp = TimeSpan.Zero,
        };
    }

    private static SimulationScenario Fleet(string name, string description, int servers = 10, double load = 0.7, int balancers = 1) => new()
    {
        Name = name,
        Description = description,
        Servers = Server(servers),
        Balancers = balancers,
        Arrivals = Arrivals.Poisson(load * servers * Capacity),
    };

    private static SimulationScenario WithOne(string name, string description, ServerCondition condition, double load = 0.7) =>
        Fleet(name, description, load: load) with { Servers = [.. Server(1, condition: condition), .. Server(9)] };

    private static IReadOnlyList<SimulatedServer> Server(int count, double speed = 1, int weight = 1, ServerCondition? condition = null) =>
        [.. Enumerable.Repeat(new SimulatedServer { Speed = speed, Weight = weight, Conditions = condition is null ? [] : [condition] }, count)];

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
