namespace Lb.Benchmarks;

public class MaglevBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new Maglev();
}

public class KetamaBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new Ketama();
}

/// <summary>16 Ki points at least, the default.</summary>
public class HashRingBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new HashRing();
}

public class RendezvousBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new Rendezvous();
}

public class RendezvousWeightedBenchmarks : RendezvousBenchmarks
{
    protected override int Weights => 10;
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

public class KeyedHashBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => KeyedHash.ByKey();
}

public class StickyBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new Sticky();
}

public class StaticRoundRobinBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new StaticRoundRobin();
}
