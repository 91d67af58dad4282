namespace Lb.Vrrp.Tests;

/// <summary>What holds after any sequence of events.</summary>
[Trait("Row", "V2")]
public sealed class VrrpMachinePropertyTests
{
    public static TheoryData<int> Runs => [.. Enumerable.Range(1, 200)];

    [Theory]
    [MemberData(nameof(Runs))]
    public void States_addresses_and_deadlines_agree(int seed)
    {
        Random random = new(seed);
        byte configured = random.Next(4) == 0 ? (byte)255 : (byte)random.Next(1, 255);
        VrrpSettings settings = new()
        {
            Version = random.Next(2, 4),
            AlsoVersion2 = random.Next(4) == 0,
            Priority = configured,
            Interval = Election.S(random.Next(1, 3)),
            Preempt = random.Next(2) == 0,
            PreemptDelay = Election.S(random.Next(3)),
            StartupDelay = Election.S(random.Next(3)),
            Start = (RouterStart)random.Next(2),
            Handover = random.Next(2) == 0,
        };
        Election e = new(settings, ready: false);
        VrrpMachine machine = e.Machine;
        bool hasAddresses = false;
        double now = 0;
        for (int step = 0; step < 500; step++)
        {
            now += random.Next(4) == 0 ? random.NextDouble() * 6 : random.NextDouble();
            TimeSpan at = Election.S(now);
            RouterState before = machine.State;
            bool wasReady = machine.IsReady;
            VrrpActions actions = random.Next(14) switch
            {
                0 => machine.Start(at),
                1 => machine.Fault(at),
                2 => machine.Recover(at),
                3 when random.Next(4) == 0 => machine.Stop(at),
                4 => machine.Ready(at),
                5 => machine.SetPriority((byte)random.Next(256), at),
                6 => machine.Paused(Election.S(random.Next(3)), at),
                7 => machine.Follow((RouterState)random.Next(5), at),
                8 => machine.Reconfigure(settings with { Priority = (byte)random.Next(1, configured == 255 ? 256 : 255) }, at),
                < 11 => e.Hear((byte)random.Next(256), now, random.Next(2) == 0 ? Election.Lower : Election.Higher, random.NextDouble() * 40, random.Next(2, 4), now - random.NextDouble()),
                _ => machine.DeadlineReached(at),
            };

            // Addresses are taken and given up in turn, and here exactly while Active or resigning.
            Assert.False(actions.HasFlag(VrrpActions.AcquireAddresses) && hasAddresses);
            Assert.False(actions.HasFlag(VrrpActions.ReleaseAddresses) && !hasAddresses);
            Assert.False(actions.HasFlag(VrrpActions.AcquireAddresses) && actions.HasFlag(VrrpActions.ReleaseAddresses));
            hasAddresses = (hasAddresses || actions.HasFlag(VrrpActions.AcquireAddresses)) && !actions.HasFlag(VrrpActions.ReleaseAddresses);
            Assert.Equal(machine.State is RouterState.Active or RouterState.Resigning, hasAddresses);

            // Every change of state is told, once, and nothing else is.
            VrrpActions became = actions & (VrrpActions.BecameInitialize | VrrpActions.BecameBackup | VrrpActions.BecameActive | VrrpActions.BecameFault | VrrpActions.BecameResigning);
            Assert.Equal(machine.State == before ? VrrpActions.None : Became(machine.State), became);

            // Only who has or had the addresses speaks, and only when ready.
            if (actions.HasFlag(VrrpActions.SendAdvertisement)) Assert.Equal(RouterState.Active, machine.State);
            if (machine.State == RouterState.Active) Assert.True(machine.IsReady && (wasReady || before != RouterState.Active));

            bool waits = machine.State == RouterState.Backup && !machine.IsReady;
            if (machine.State is RouterState.Initialize or RouterState.Fault) Assert.Equal(TimeSpan.MaxValue, machine.Deadline);
            else if (!waits) Assert.NotEqual(TimeSpan.MaxValue, machine.Deadline);
            Assert.InRange(machine.EffectivePriority, (byte)1, (byte)255);
            Assert.True(machine.ActiveInterval <= settings.LongestLearned && machine.ActiveInterval > TimeSpan.Zero);
        }
    }

    private static VrrpActions Became(RouterState state) => state switch
    {
        RouterState.Initialize => VrrpActions.BecameInitialize,
        RouterState.Backup => VrrpActions.BecameBackup,
        RouterState.Active => VrrpActions.BecameActive,
        RouterState.Fault => VrrpActions.BecameFault,
        _ => VrrpActions.BecameResigning,
    };
}
