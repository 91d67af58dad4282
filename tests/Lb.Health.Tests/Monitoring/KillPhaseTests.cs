using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

/// <summary>How long it takes until a dead server is out, and until one that lives again is in: at any time of its death.</summary>
public sealed class KillPhaseTests
{
    // In milliseconds; all times of these tests are whole steps.
    private const int Step = 50;

    // The interval of the seeds, every 100 ms of it.
    public static TheoryData<int> Phases => [.. Enumerable.Range(0, 20).Select(static i => i * 100)];

    [Theory]
    [Trait("Row", "H1")]
    [MemberData(nameof(Phases))]
    public async Task Killed_at_any_time_it_is_down_after_8_to_10_s_and_up_2_to_4_s_after_its_revival(int phase)
    {
        using ProbeRig rig = new(checks: new CheckOptions { Interval = TimeSpan.FromSeconds(2), Rise = 2, Fall = 5 });
        rig.Start();
        rig.Time.Advance(TimeSpan.FromMilliseconds(10_000 + phase));
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);

        // The next check is the first that fails, the fifth decides.
        Assert.Equal(2000 - phase + 8000, Until(rig, ServerStatus.Down));
        rig.Time.Advance(TimeSpan.FromMilliseconds(20_000 + phase));
        int toNext = 2000 - ((int)(rig.Time.GetUtcNow() - ManualTimeProvider.Start).TotalMilliseconds % 2000);
        rig.Checker.Answer("s1", FakeHealthChecker.Pass);
        int revived = Until(rig, ServerStatus.Up);
        Assert.Equal(toNext + 2000, revived);
        Assert.InRange(revived, 2001, 4000);
        rig.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["s1 Down: L4CON: connection refused, 5/5 failed", "s1 Up: L7OK/200: OK, 2/2 passed"], await rig.CausesAsync());
    }

    [Theory]
    [Trait("Row", "H3")]
    [MemberData(nameof(Phases))]
    public async Task One_that_falls_silent_takes_an_interval_more(int phase)
    {
        using ProbeRig rig = new(checks: new CheckOptions { Interval = TimeSpan.FromSeconds(2), Rise = 2, Fall = 5 });
        rig.Start();
        rig.Time.Advance(TimeSpan.FromMilliseconds(10_000 + phase));
        rig.Checker.Hold("s1");

        // Each check lasts for the whole interval.
        Assert.Equal(2000 - phase + 10_000, Until(rig, ServerStatus.Down));
        Assert.Equal(["s1 Down: L7TOUT: held by the test, 5/5 failed"], await rig.CausesAsync());
    }

    public static TheoryData<int, int?, int?, int, int> Schedules
    {
        get
        {
            TheoryData<int, int?, int?, int, int> all = [];
            foreach (int? fast in (int?[])[null, 500, 1000])
            {
                foreach (int? down in (int?[])[null, 1000, 5000])
                {
                    foreach ((int rise, int fall) in ((int, int)[])[(1, 1), (2, 3), (2, 5), (3, 1), (1, 4)]) all.Add(3000, fast, down, rise, fall);
                }
            }

            return all;
        }
    }

    [Theory]
    [Trait("Row", "H2")]
    [MemberData(nameof(Schedules))]
    public void Fast_and_down_intervals_change_it_as_reckoned(int interval, int? fast, int? down, int rise, int fall)
    {
        CheckOptions check = new() { Interval = TimeSpan.FromMilliseconds(interval), FastInterval = Span(fast), DownInterval = Span(down), Rise = rise, Fall = fall };
        for (int killed = 20_000; killed < 20_000 + interval; killed += 350)
        {
            foreach (int dead in (int[])[400, 4_100, 16_050, 31_300])
            {
                using ProbeRig rig = new(checks: check);
                rig.Start();
                List<(int At, ServerStatus Status)> seen = [];
                ServerStatus last = rig.S1.Status;
                for (int now = 0; now < 90_000; now += Step)
                {
                    if (now == killed) rig.Checker.Answer("s1", FakeHealthChecker.Fail);
                    if (now == killed + dead) rig.Checker.Answer("s1", FakeHealthChecker.Pass);
                    rig.Time.Advance(TimeSpan.FromMilliseconds(Step));
                    if (rig.S1.Status == last) continue;
                    seen.Add((now + Step, last = rig.S1.Status));
                }

                Assert.Equal(Reckon(interval, fast ?? interval, down ?? interval, rise, fall, t => t <= killed || t > killed + dead, 90_000), seen);
            }
        }
    }

    /// <summary>The rule in plain words: each check's time, result and interval, one after the other. A server that is up and sound at the beginning.</summary>
    private static List<(int At, ServerStatus Status)> Reckon(int interval, int fast, int down, int rise, int fall, Func<int, bool> isWell, int end)
    {
        List<(int At, ServerStatus Status)> changes = [];
        bool up = true;
        int against = 0;
        for (int now = 0; now <= end;)
        {
            bool well = isWell(now);
            against = well == up ? 0 : against + 1;
            if (against == (up ? fall : rise))
            {
                up = !up;
                against = 0;
                changes.Add((now, up ? ServerStatus.Up : ServerStatus.Down));
            }

            now += against > 0 ? fast : up ? interval : down;
        }

        return changes;
    }

    private static int Until(ProbeRig rig, ServerStatus status)
    {
        int waited = 0;
        for (; rig.S1.Status != status && waited < 60_000; waited += Step) rig.Time.Advance(TimeSpan.FromMilliseconds(Step));
        return waited;
    }

    private static TimeSpan? Span(int? milliseconds) => milliseconds is { } value ? TimeSpan.FromMilliseconds(value) : null;
}
