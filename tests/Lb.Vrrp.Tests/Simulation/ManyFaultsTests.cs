using Lb.Testing;

namespace Lb.Vrrp.Tests;

/// <summary>Fault upon fault; then everything is mended, and must be as if nothing had been.</summary>
[Trait("Row", "X1")]
public sealed class ManyFaultsTests
{
    [Fact]
    [Trait("Row", "B6")]
    public void Whatever_has_happened_once_it_is_mended_the_best_node_has_the_address_and_the_client_its_answer()
    {
        for (int seed = 0; seed < 300; seed++) Play(seed);
    }

    private static void Play(int seed)
    {
        Random random = new(seed);
        double interval = random.Next(3) == 0 ? 0.1 : 1;
        VrrpSimulation lan = new(seed) { Jitter = TimeSpan.FromMilliseconds(1), Loss = 0.02, Duplication = 0.02 };
        int count = random.Next(2, 6);
        bool second = random.Next(2) == 0;
        for (int i = 0; i < count; i++)
        {
            int priority = 100 + (10 * i);
            lan.AddNode($"n{i}", $"192.0.2.{i + 1}", o =>
            {
                (o.Priority, o.AdvertisementInterval, o.HeartbeatInterface) = (priority, Lan.Seconds(interval), second ? "second" : null);
                o.Track.Add(new RouterTrackOptions { Pool = "web", Weight = -60 });
            });
            lan.Nodes[i].Report(0, isWell: true);
        }

        List<string> script = [];
        for (int i = 0; i < 25; i++)
        {
            VrrpNode node = lan.Nodes[random.Next(count)], other = lan.Nodes[random.Next(count)];
            int what = random.Next(15);
            script.Add($"{lan.Now} {what} {node.Name} {other.Name}");
            switch (what)
            {
                case 0: node.Kill(); break;
                case 1: node.PowerOff(); break;
                case 2: node.Stop(); break;
                case 3: node.LinkDown(); break;
                case 4: node.LinkUp(); break;
                case 5: node.Isolate(); break;
                case 6: node.Rejoin(); break;
                case 7: node.Pause(Lan.Seconds(random.NextDouble() * 10 * interval)); break;
                case 8: node.Suspend(Lan.Seconds(random.NextDouble() * 10 * interval)); break;
                case 9: lan.Partition(node, other); break;
                case 10: lan.CutOneWay(node, other, random.Next(2)); break;
                case 11: lan.Heal(); break;
                case 12: node.DeleteAddress(); break;
                case 13 when node.IsRunning: node.Report(0, isWell: random.Next(2) == 0); break;
                default: node.Start(); break;
            }

            lan.Run(Lan.Seconds(random.NextDouble() * 6 * interval));
        }

        lan.Run(Lan.Seconds(10 * interval));
        lan.Heal();
        lan.Loss = 0;
        foreach (VrrpNode node in lan.Nodes)
        {
            node.LinkUp();
            node.Rejoin();
            node.Start();
            node.Report(0, isWell: true);
        }

        lan.Run(Lan.Seconds((10 * interval) + 12));
        string told = $"seed {seed}, {count} nodes:\n{string.Join('\n', script)}";
        string active = $"n{count - 1}";
        Assert.True(lan.ActiveNodes is [var only] && only == active, $"Active: {string.Join(' ', lan.ActiveNodes)}; {told}");
        Assert.True(lan.Holders is [var holder] && holder == active, $"Holders: {string.Join(' ', lan.Holders)}; {told}");
        Assert.True(lan.Address(1).IsAnswered && lan.Address(1).Believed == active, $"The client asks {lan.Address(1).Believed}; {told}");
    }
}
