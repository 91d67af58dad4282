using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

/// <summary>What the first check makes of a server, and how many more it takes to change that: HAProxy's manual, <c>init-state</c>, in a table.</summary>
[Trait("Row", "P14")]
[Trait("Row", "H1")]
public sealed class InitStateTests
{
    public static TheoryData<InitState, int, int, bool> All
    {
        get
        {
            TheoryData<InitState, int, int, bool> all = [];
            foreach (InitState state in Enum.GetValues<InitState>())
            {
                for (int rise = 1; rise <= 3; rise++)
                {
                    for (int fall = 1; fall <= 3; fall++)
                    {
                        all.Add(state, rise, fall, true);
                        all.Add(state, rise, fall, false);
                    }
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_first_check_and_those_that_contradict_it(InitState state, int rise, int fall, bool passes)
    {
        // Up before the first check, up after it, and further checks of one kind until it is something else.
        bool before = state is InitState.Up or InitState.FullyUp;
        (bool after, int same, int other) = (state, passes) switch
        {
            (InitState.FullyUp, true) => (true, 0, fall),
            (InitState.FullyUp, false) => (fall > 1, fall > 1 ? fall - 1 : 0, fall > 1 ? 0 : rise),
            (InitState.FullyDown, true) => (rise == 1, rise > 1 ? rise - 1 : 0, rise > 1 ? 0 : fall),
            (InitState.FullyDown, false) => (false, 0, rise),

            // One check decides.
            (_, true) => (true, 0, fall),
            (_, false) => (false, 0, rise),
        };

        using ProbeRig rig = new(servers: 0, pool: p => p.Servers.Add(new ServerOptions { Name = "s1", Address = "127.0.0.1:1", InitState = state }), checks: new CheckOptions { Rise = rise, Fall = fall });
        Assert.Equal(before, IsUp(rig));
        rig.Checker.Answer("s1", passes ? FakeHealthChecker.Pass : FakeHealthChecker.Fail);
        rig.Start();
        rig.Advance(1);
        Assert.Equal(after, IsUp(rig));

        // More of the same change the state only if the first was not enough.
        if (same == 0) rig.Checker.Answer("s1", passes ? FakeHealthChecker.Fail : FakeHealthChecker.Pass);
        int needed = same == 0 ? other : same;
        for (int i = 1; i < needed; i++)
        {
            rig.Advance(2);
            Assert.Equal(after, IsUp(rig));
        }

        rig.Advance(2);
        Assert.Equal(!after, IsUp(rig));
    }

    private static bool IsUp(ProbeRig rig) => rig.S1.Health == ServerHealth.Up;
}
