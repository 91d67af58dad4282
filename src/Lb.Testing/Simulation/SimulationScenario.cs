namespace Lb.Testing;

/// <summary>
/// What a simulation plays: servers, what happens to them, balancers, and when requests come. Immutable; change one with <c>with</c>. The values not set
/// are those of the built-in scenarios: ten servers of eight workers, 10 ms of exponential work, 70 % load.
/// </summary>
public sealed record SimulationScenario
{
    /// <summary>A word for it.</summary>
    public string Name { get; init; } = "scenario";

    /// <summary>A sentence about it. Default empty.</summary>
    public string Description { get; init; } = "";

    /// <summary>The servers; at least one. Default ten of <see cref="SimulatedServer"/>'s defaults.</summary>
    public IReadOnlyList<SimulatedServer> Servers { get; init; } = [.. Enumerable.Repeat(new SimulatedServer(), 10)];

    /// <summary>Balancers that know nothing of each other, each with a pool of its own; a request comes to any of them by chance. 1 or more; default 1.</summary>
    public int Balancers { get; init; } = 1;

    /// <summary>When requests come. Default 5600 a second, independent of each other: 70 % of what the default servers can do.</summary>
    public Arrivals Arrivals { get; init; } = Arrivals.Poisson(5600);

    /// <summary>Requests that count: those that come after the warm-up. 1 to 100 000 000; default 60 000. The run ends with the last answer.</summary>
    public int Requests { get; init; } = 60_000;

    /// <summary>Time before the first request that counts. Default 1 s.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time from a balancer to a server, and the same back. Default 0.25 ms.</summary>
    public TimeSpan OneWayDelay { get; init; } = TimeSpan.FromMicroseconds(250);

    /// <summary>Answers that take longer are late: <see cref="SimulationResult.LateShare"/>. Default 1 s.</summary>
    public TimeSpan Threshold { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Clients that requests come from by chance: as many keys and source addresses, for policies that hash. 1 or more; default 1000.</summary>
    public int Clients { get; init; } = 1000;

    /// <summary>Where chance begins: the same seed gives the same run. Default 1.</summary>
    public int Seed { get; init; } = 1;
}

/// <summary>A server in a simulation: workers, and one queue before them, first come first served. Immutable.</summary>
public sealed record SimulatedServer
{
    /// <summary>Its weight in the pools, 0 to 256; default 1.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Most leases at a time of each balancer, 0 (no limit, the default) to 16 000 000.</summary>
    public int MaxConnections { get; init; }

    /// <summary>Requests it works on at a time; 1 or more, default 8. <see cref="int.MaxValue"/>: it never queues.</summary>
    public int Workers { get; init; } = 8;

    /// <summary>Speed against the others; above 0, default 1.</summary>
    public double Speed { get; init; } = 1;

    /// <summary>Work of a request. Default exponential, 10 ms.</summary>
    public ServiceTime Service { get; init; } = ServiceTime.Exponential(TimeSpan.FromMilliseconds(10));

    /// <summary>What happens to it. Default nothing.</summary>
    public IReadOnlyList<ServerCondition> Conditions { get; init; } = [];
}

/// <summary>One of the balancers of a simulation, when its pool is made.</summary>
/// <param name="Index">Number of the balancer, from 0.</param>
/// <param name="Seed">Its own seed, drawn from the scenario's.</param>
public readonly record struct SimulatedBalancer(int Index, int Seed)
{
    /// <summary>A source of chance for the balancer's policy; every call gives the same one, from its start.</summary>
    public Random CreateRandom() => new(Seed);
}
