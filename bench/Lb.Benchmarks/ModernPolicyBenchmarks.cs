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
