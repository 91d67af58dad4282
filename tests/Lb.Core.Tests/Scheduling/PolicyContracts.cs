using Lb.Contracts.Policies;

namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S1")]
[Trait("Row", "S2")]
public sealed class RoundRobinContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => true;

    protected override double Tolerance => 0;

    protected override ISchedulingPolicy Create(int seed) => new RoundRobin();
}

[Trait("Row", "S5")]
public sealed class LeastConnectionsContract : SchedulingPolicyContract
{
    // Picks that end at once leave every server idle, and idle servers take turns whatever their weights.
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LeastConnections();
}

[Trait("Row", "S15")]
public sealed class PowerOfTwoChoicesContract : SchedulingPolicyContract
{
    // The heavier of two idle servers wins, so it gets more than its share.
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new PowerOfTwoChoices(new Random(seed));
}

[Trait("Row", "S15")]
public sealed class RandomDrawsContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new RandomDraws(2, new Random(seed));
}

[Trait("Row", "S15")]
public sealed class PlainRandomContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => true;

    protected override double Tolerance => 0.15;

    protected override ISchedulingPolicy Create(int seed) => new RandomDraws(1, new Random(seed));
}

[Trait("Row", "S22")]
public sealed class FirstContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new First();
}

[Trait("Row", "S8")]
public sealed class SourceHashContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => true;

    protected override ISchedulingPolicy Create(int seed) => new SourceHash();

    protected override PickContext Context(int n) => new() { Source = PeerAddress.FromV4(0x0A000000u + (uint)n, 1234) };
}

[Trait("Row", "S8")]
public sealed class SourceHashAvalancheContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => true;

    protected override double Tolerance => 0.15;

    protected override ISchedulingPolicy Create(int seed) => new SourceHash(new HashOptions(Avalanche: true));

    protected override PickContext Context(int n) => new() { Source = PeerAddress.FromV4(0x0A000000u + (uint)n, 1234) };
}

/// <summary>A policy as a user would write one.</summary>
[Trait("Row", "S28")]
public sealed class CustomPolicyContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new LastOne();
}

/// <summary>Always the last server declared.</summary>
internal sealed class LastOne : ISchedulingPolicy
{
    public IScheduler Build(PoolSnapshot snapshot) => new Scheduler(snapshot.Servers[^1]);

    private sealed class Scheduler(Server server) : IScheduler
    {
        public Server Pick(in PickContext context, long now) => server;
    }
}
