using Lb.Contracts.Policies;

namespace Lb.Core.Tests.Scheduling.Lvs;

/// <summary>Policies that go by the client's or the destination's address get another one each time.</summary>
public abstract class AddressedContract : SchedulingPolicyContract
{
    protected override PickContext Context(int n) => new()
    {
        Source = PeerAddress.FromV4(0x0A000000u + (uint)n, 1234),
        Destination = PeerAddress.FromV4(0xC0000200u + (uint)(n & 0xFF), 80),
    };
}

[Trait("Row", "S1")]
public sealed class LvsRoundRobinContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsRoundRobin();
}

[Trait("Row", "S3")]
public sealed class LvsWeightedRoundRobinContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => true;

    protected override double Tolerance => 0;

    protected override ISchedulingPolicy Create(int seed) => new LvsWeightedRoundRobin();
}

// Picks that end at once leave every server idle: the load-aware policies then take the first or the heaviest each time.
[Trait("Row", "S6")]
public sealed class LvsLeastConnectionsContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsLeastConnections();
}

[Trait("Row", "S6")]
public sealed class LvsWeightedLeastConnectionsContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsWeightedLeastConnections();
}

[Trait("Row", "S7")]
public sealed class LvsShortestExpectedDelayContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsShortestExpectedDelay();
}

[Trait("Row", "S7")]
public sealed class LvsNeverQueuingContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsNeverQueuing();
}

[Trait("Row", "S7")]
public sealed class LvsFailoverContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsFailover();
}

[Trait("Row", "S7")]
public sealed class LvsOverflowContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsOverflow();
}

[Trait("Row", "S7")]
public sealed class LvsTwoChoicesContract : SchedulingPolicyContract
{
    // The first server has one chance too many, which is much when the weights are small.
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsTwoChoices(new Random(seed));
}

[Trait("Row", "S8")]
public sealed class LvsSourceHashContract : AddressedContract
{
    // 256 buckets don't divide by the sum of the weights.
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsSourceHash();
}

[Trait("Row", "S8")]
public sealed class LvsSourceHashFallbackContract : AddressedContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsSourceHash(port: true, fallback: true);
}

[Trait("Row", "S9")]
public sealed class LvsDestinationHashContract : AddressedContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsDestinationHash();
}

[Trait("Row", "S18")]
public sealed class LvsMaglevContract : AddressedContract
{
    protected override bool HonoursWeights => true;

    // 100 servers have some 20 slots for each unit of weight, so one slot more or less is 5 %; the rest is the hash's.
    protected override double Tolerance => 0.15;

    protected override ISchedulingPolicy Create(int seed) => new LvsMaglev();
}

[Trait("Row", "S18")]
public sealed class LvsMaglevFallbackContract : AddressedContract
{
    protected override bool HonoursWeights => true;

    protected override double Tolerance => 0.15;

    protected override ISchedulingPolicy Create(int seed) => new LvsMaglev(port: true, fallback: true, tableSize: 16381);
}

[Trait("Row", "S14")]
public sealed class LvsLocalityLeastConnectionsContract : AddressedContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsLocalityLeastConnections();
}

[Trait("Row", "S14")]
public sealed class LvsLocalityWithReplicationContract : AddressedContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LvsLocalityWithReplication();
}

[Trait("Row", "S4")]
public sealed class StaticRoundRobinContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => true;

    protected override double Tolerance => 0;

    protected override ISchedulingPolicy Create(int seed) => new StaticRoundRobin();
}

[Trait("Row", "S26")]
public sealed class StickyContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new Sticky();
}
