namespace Lb.Benchmarks;

public class MaglevBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new Maglev();
}

public class KetamaBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new Ketama();
}

public class HashRingBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new HashRing();
}

public class RendezvousBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new Rendezvous();
}

public class JumpHashBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new JumpHash();
}

public class AnchorHashBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new AnchorHash();
}

public class ConsistentHashBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new SourceHash(new HashOptions(Consistent: true, Avalanche: true));
}

public class PeakEwmaBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new PeakEwmaChoices();
}

public class StaticRoundRobinBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new StaticRoundRobin();
}
