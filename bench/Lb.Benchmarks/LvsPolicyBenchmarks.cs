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

public class LvsRoundRobinBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsRoundRobin();
}

public class LvsLeastConnectionsBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsLeastConnections();
}

public class LvsShortestExpectedDelayBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsShortestExpectedDelay();
}

public class LvsNeverQueuingBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsNeverQueuing();
}

public class LvsFailoverBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsFailover();
}

public class LvsOverflowBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsOverflow();
}

public class LvsTwoChoicesBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsTwoChoices();
}

public class LvsDestinationHashBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsDestinationHash();
}

public class LvsLocalityBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsLocalityLeastConnections();
}

public class LvsLocalityWithReplicationBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LvsLocalityWithReplication();
}
