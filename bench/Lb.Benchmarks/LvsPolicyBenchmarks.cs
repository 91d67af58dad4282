namespace Lb.Benchmarks;

public class LvsWeightedRoundRobinBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsWeightedRoundRobin();
}

public class LvsWeightedLeastConnectionsBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsWeightedLeastConnections();
}

public class LvsSourceHashBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsSourceHash();
}

public class LvsMaglevBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsMaglev();
}
