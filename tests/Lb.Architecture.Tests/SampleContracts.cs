using Lb.Contracts.Policies;
using Samples.CustomPolicy;

namespace Lb.Architecture.Tests;

/// <summary>A policy that is not ours keeps the contract of those that are: they use no door that it can't use.</summary>
[Trait("Row", "S28")]
public sealed class CustomPolicyContract : SchedulingPolicyContract
{
    // Price decides, not weight.
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new CheapestFirst(new Dictionary<string, int>(StringComparer.Ordinal), comfortable: 2);
}
