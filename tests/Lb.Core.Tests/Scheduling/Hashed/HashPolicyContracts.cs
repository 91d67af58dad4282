using System.Globalization;
using Lb.Contracts.Policies;

namespace Lb.Core.Tests.Scheduling;

/// <summary>Every pick has a key of its own.</summary>
public abstract class KeyedContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => true;

    protected override double Tolerance => 0.25;

    protected override PickContext Context(int n) => new() { Key = AffinityKey.From(n.ToString("x8", CultureInfo.InvariantCulture)) };
}

[Trait("Row", "S18")]
public sealed class MaglevContract : KeyedContract
{
    protected override ISchedulingPolicy Create(int seed) => new Maglev();
}

[Trait("Row", "S16")]
public sealed class KetamaContract : KeyedContract
{
    protected override double Tolerance => 0.5;

    protected override ISchedulingPolicy Create(int seed) => new Ketama();
}

[Trait("Row", "S16")]
public sealed class HashRingContract : KeyedContract
{
    protected override ISchedulingPolicy Create(int seed) => new HashRing();
}

[Trait("Row", "S25")]
public sealed class RendezvousContract : KeyedContract
{
    protected override ISchedulingPolicy Create(int seed) => new Rendezvous();
}

[Trait("Row", "S16")]
public sealed class JumpHashContract : KeyedContract
{
    protected override ISchedulingPolicy Create(int seed) => new JumpHash();
}

[Trait("Row", "S16")]
public sealed class AnchorHashContract : KeyedContract
{
    protected override ISchedulingPolicy Create(int seed) => new AnchorHash();
}

[Trait("Row", "S17")]
public sealed class HashMapContract : KeyedContract
{
    protected override ISchedulingPolicy Create(int seed) => KeyedHash.ByKey(new HashOptions(Avalanche: true));
}

[Trait("Row", "S17")]
public sealed class ConsistentHashContract : KeyedContract
{
    // Sixteen points a unit of weight are few: HAProxy's manual asks for weights of 100.
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => KeyedHash.ByKey(new HashOptions(Consistent: true, Avalanche: true));
}

[Trait("Row", "S19")]
public sealed class BoundedHashContract : KeyedContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => KeyedHash.ByKey(new HashOptions(Consistent: true, Avalanche: true, BalanceFactor: 125));
}

[Trait("Row", "S23")]
public sealed class PeakEwmaContract : SchedulingPolicyContract
{
    // Without samples all cost the same, whatever their weight.
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new PeakEwmaChoices(new Random(seed));
}
