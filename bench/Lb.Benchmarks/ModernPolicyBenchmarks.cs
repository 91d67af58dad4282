namespace Lb.Benchmarks;

public class OrcaBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new OrcaRoundRobin();
}

/// <summary>Without anybody who asks: three servers are drawn.</summary>
public class RifBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new RifProbing();
}

/// <summary>With answers that come at once.</summary>
public class ProbedRifBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new RifProbing(probe: new OwnLeases());

    private sealed class OwnLeases : ILoadProbe
    {
        public void Ask(Server server, ILoadAnswers answers) => answers.Answer(server, server.InFlight);
    }
}

public class BoundedMaglevBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new BoundedLoads(new Maglev(), 125);
}

/// <summary>Two priority levels: what drawing the level adds to the draw within it.</summary>
public class PlacedBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new Placed();

    private sealed class Placed : ISchedulingPolicy
    {
        private readonly Placement _placement = new(static () => new PowerOfTwoChoices());

        public IScheduler Build(PoolSnapshot snapshot)
        {
            foreach (Server server in snapshot.Servers) server.Priority = server.Id % 2;
            return _placement.Build(snapshot, new PlacementRules { Levels = [new(0, 6, 10)] });
        }
    }
}
