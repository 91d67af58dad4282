using FsCheck;
using FsCheck.Fluent;
using Lb.Testing;

namespace Lb.Vrrp.Tests;

/// <summary>Whatever happens once, at whatever moment, to networks of two to five nodes: the times of the RFC hold.</summary>
[Trait("Row", "X1")]
[Trait("Row", "V2")]
[Trait("Point", "32")]
public sealed class SingleFaultTests
{
    private static readonly double[] Intervals = [0.01, 0.03, 0.1, 0.25, 1];
    private static readonly string[] Faults = ["kill", "off", "stop", "link", "isolate", "pause", "suspend", "fault"];

    [Fact]
    public void After_any_single_fault_exactly_one_is_Active_within_three_intervals_and_the_skew()
    {
        Gen<int> any = Gen.Choose(0, int.MaxValue - 1);
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000).WithReplay(20300101, 1), Prop.ForAll(any.ToArbitrary(), Holds));
    }

    private static void Holds(int seed)
    {
        Random random = new(seed);
        int count = random.Next(2, 6);
        int version = random.Next(4) == 0 ? 2 : 3;
        TimeSpan interval = Lan.Seconds(version == 2 ? 1 : Intervals[random.Next(Intervals.Length)]);
        VrrpSimulation lan = new(seed) { Jitter = TimeSpan.FromMilliseconds(1) };
        int[] priorities = [.. Enumerable.Range(0, count).Select(_ => random.Next(1, 255))];
        for (int i = 0; i < count; i++)
        {
            int priority = priorities[i];
            lan.AddNode($"n{i}", $"192.0.2.{i + 1}", o => (o.Priority, o.Version, o.AdvertisementInterval) = (priority, version, interval));
        }

        // Two that begin together may both be Active for a moment; then there is one of the highest priority.
        lan.Run((Lan.Down(version, 1, interval) * 2) + Lan.Seconds(0.1));
        int best = IndexOf(Assert.Single(lan.ActiveNodes));
        Assert.Equal(priorities.Max(), priorities[best]);

        lan.Run(interval * random.NextDouble() * 3);
        string fault = Faults[random.Next(Faults.Length)];
        bool isBest = random.Next(3) > 0;
        int hit = isBest ? best : random.Next(count);
        VrrpNode node = lan.Nodes[hit];
        TimeSpan at = lan.Now;
        TimeSpan down = Lan.Down(version, Enumerable.Range(0, count).Where(i => i != best).Max(i => priorities[i]), interval);
        TimeSpan latest = down + TimeSpan.FromMilliseconds(5);
        switch (fault)
        {
            case "kill": node.Kill(); break;
            case "off": node.PowerOff(); break;
            case "stop": node.Stop(); break;
            case "link": node.LinkDown(); break;
            case "isolate": node.Isolate(); break;
            case "pause": node.Pause(latest * 2); break;
            case "suspend": node.Suspend(latest * 2); break;
            default: node.Drive(static (r, now) => r.SetFault("test", now)); break;
        }

        lan.Run(latest);
        string what = $"seed {seed}: {fault} of n{hit}, {count} nodes, version {version}, interval {interval.TotalSeconds} s";

        // Who can't be reached or does not run may think what it likes.
        string[] others = [.. lan.ActiveNodes.Where(n => n != node.Name || (hit != best && fault != "isolate"))];
        int next = hit != best ? best : Enumerable.Range(0, count).Where(i => i != best).MaxBy(i => (priorities[i], i));
        Assert.True(others.Length == 1 && priorities[IndexOf(others[0])] == priorities[next], $"{what}: {string.Join(' ', others)} instead of n{next}");
        Assert.True(lan.Address(1).IsAnswered, $"{what}: the client is not answered");
        Assert.All(lan.Outages.Where(o => o.To > at), o => Assert.True(o.To - at <= latest, $"{what}: no answer until {o.To - at}"));
    }

    private static int IndexOf(string node) => node[1] - '0';

    [Fact]
    [Trait("Row", "B6")]
    public void Two_are_Active_only_while_they_can_not_hear_each_other_and_a_little_longer()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Random random = new(seed);
            double interval = Intervals[random.Next(Intervals.Length)];
            (VrrpSimulation lan, VrrpNode a, VrrpNode b) = Lan.Pair(interval, seed);
            List<VrrpSimulationSpan> apart = [];
            for (int i = 0; i < 5; i++)
            {
                TimeSpan from = lan.Now;
                if (random.Next(2) == 0) lan.Partition(a, b);
                else if (random.Next(2) == 0) lan.CutOneWay(a, b);
                else lan.CutOneWay(b, a);
                lan.Run(Lan.Seconds(interval * 10 * random.NextDouble()));
                lan.Heal();
                apart.Add(new VrrpSimulationSpan(from, lan.Now + Lan.Seconds(interval) + Lan.Skew(3, 100, Lan.Seconds(interval))));
                lan.Run(Lan.Seconds(interval * (2 + (10 * random.NextDouble()))));
            }

            // A change of hands takes as long as a packet does.
            Assert.All(lan.Address(1).DualActive.Where(static d => d.Length > TimeSpan.FromMilliseconds(1)),
                d => Assert.True(apart.Exists(s => d.From >= s.From && d.To <= s.To), $"seed {seed}: two Active from {d.From} to {d.To}"));
        }
    }
}
