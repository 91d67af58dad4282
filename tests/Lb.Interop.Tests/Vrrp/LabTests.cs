using System.Net.Sockets;

namespace Lb.Interop.Tests.Vrrp;

/// <summary>The acceptance labs of two directors: real processes, real packets, and a client.</summary>
public sealed class LabTests
{
    private static readonly RouterSpec s_router = new(86);

    /// <summary>Lab "002 LVS HA": the first director stops, and returns.</summary>
    [Fact(Timeout = 120_000)]
    [Trait("Row", "V4")]
    [Trait("Row", "V25")]
    public async Task A_director_stops_and_its_clients_go_on_at_the_other_one()
    {
        const string Pool = """ "Pools": { "web": { "Servers": [ { "Name": "w", "Address": "10.77.0.3:8000" } ] } } """;
        const string Gateway = """ "Gateways": { "front": { "Mode": "tcp", "Listen": [ "0.0.0.0:80" ], "Pool": "web" } } """;
        await using HostNetwork network = new(3);
        network.Open(3, static () => new WebServer(8000, "web"));
        await using LbNode first = new LbNode(network, 1).With([s_router.ForLb(1, 200)], Pool, Gateway);
        await using LbNode second = new LbNode(network, 2).With([s_router.ForLb(2, 100)], Pool, Gateway);
        first.Start();
        second.Start();
        await second.WhenIsAsync(s_router, "Backup");
        await first.WhenAnswersAsync(s_router);
        await network.Addresses.WhenHeldByAsync(s_router.Address, 1);

        using CancellationTokenSource end = new();
        Task<(int Answers, int Errors)> client = ClientAsync(network, end.Token);
        await first.EndAsync();
        await second.WhenAnswersAsync(s_router);
        await network.Addresses.WhenHeldByAsync(s_router.Address, 2);
        Assert.Equal("web", await WebServer.AskAsync(network, s_router.Address, 80, TestContext.Current.CancellationToken));
        await end.CancelAsync();
        (int answers, int errors) = await client;
        Assert.NotEqual(0, answers);

        // The one that was under way when the address left.
        Assert.InRange(errors, 0, 1);

        first.Start();
        await first.WhenAnswersAsync(s_router);
        await network.Addresses.WhenHeldByAsync(s_router.Address, 1);
        await second.WhenIsAsync(s_router, "Backup");
        Assert.Equal("web", await WebServer.AskAsync(network, s_router.Address, 80, TestContext.Current.CancellationToken));
    }

    /// <summary>Lab "002 web HA": the service beside the first director fails its checks, and is well again.</summary>
    [Fact(Timeout = 120_000)]
    [Trait("Row", "V7")]
    [Trait("Row", "N3")]
    public async Task A_pool_that_fails_its_checks_takes_the_address_along()
    {
        const string Pool = """
            "Pools": { "web": { "Servers": [ { "Name": "w", "Address": "127.0.0.1:9000" } ], "Checks": [ { "Type": "tcp", "Interval": "100ms", "Rise": 1, "Fall": 2 } ] } }
            """;
        const string Track = """ "Track": [ { "Pool": "web", "Weight": -150 } ] """;
        await using Pair pair = new();
        WebServer web = pair.Network.Host(1).Run(static () => new WebServer(9000, "1"));
        pair.Network.Open(2, static () => new WebServer(9000, "2"));
        pair.First.With([s_router.ForLb(1, 200, Track)], Pool);
        pair.Second.With([s_router.ForLb(2, 100, Track)], Pool);
        await pair.StartAsync(s_router);

        int from = pair.First.Lines.Count;
        web.Dispose();
        await pair.Second.WhenAnswersAsync(s_router);
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 2);
        await pair.First.WhenSaysAsync("priority 200 -> 50", from);

        pair.Network.Open(1, static () => new WebServer(9000, "1"));
        await pair.First.WhenAnswersAsync(s_router);
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 1);
        await pair.First.WhenSaysAsync("priority 50 -> 200", from);
    }

    /// <summary>The guide's "Ask the gateway": a node that reaches the majority of its witnesses no more gives the address up.</summary>
    [Fact(Timeout = 90_000)]
    [Trait("Row", "B2")]
    public async Task A_node_that_does_not_reach_the_gateway_has_no_address()
    {
        const string Witnesses = """
            "Pools": { "witnesses": { "Quorum": 2,
              "Servers": [
                { "Name": "gateway", "Address": "10.77.0.100:1", "InitState": "fully-down" }, { "Name": "switch", "Address": "10.77.0.3:1", "InitState": "fully-down" },
                { "Name": "gone", "Address": "10.77.0.99:1", "InitState": "fully-down" } ],
              "Checks": [ { "Type": "icmp", "Interval": "200ms", "Rise": 2, "Fall": 2 } ] } }
            """;
        const string Track = """ "Track": [ { "Pool": "witnesses", "Weight": 0 } ] """;
        await using HostNetwork network = new(3);
        await using LbNode first = new LbNode(network, 1).With([s_router.ForLb(1, 200, Track)], Witnesses);
        await using LbNode second = new LbNode(network, 2).With([s_router.ForLb(2, 100, Track)], Witnesses);
        first.Start();
        second.Start();
        await first.WhenAnswersAsync(s_router);
        await second.WhenIsAsync(s_router, "Backup");

        // Cut off, it must not take the address for itself alone either.
        int from = first.Lines.Count;
        network.Mute(1);
        await first.WhenIsAsync(s_router, "Fault", from);
        await second.WhenAnswersAsync(s_router);
        await network.Addresses.WhenHeldByAsync(s_router.Address, 2);
        Assert.Equal([2], network.Addresses.Holders(s_router.Address));

        network.Unmute(1);
        await first.WhenAnswersAsync(s_router);
        await network.Addresses.WhenHeldByAsync(s_router.Address, 1);
    }

    /// <summary>Lab "000 script weight -10": 100 against 95, and a script that takes 10 off.</summary>
    [Fact(Timeout = 120_000)]
    [Trait("Row", "V3")]
    [Trait("Row", "V6")]
    [Trait("Point", "53")]
    public async Task A_script_that_fails_takes_ten_off_the_priority()
    {
        await using Pair pair = new();
        string file = pair.First.Home.Write("well", "");
        string track = $$""" "Track": [ { "Command": [ "/usr/bin/test", "-e", "{{file}}" ], "Weight": -10, "Interval": "100ms" } ] """;
        pair.First.With([s_router.ForLb(1, 100, track)]);
        pair.Second.With([s_router.ForLb(2, 95)]);
        await pair.StartAsync(s_router);

        File.Delete(file);
        await pair.Second.WhenAnswersAsync(s_router);
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 2);
        await pair.First.WhenSaysAsync("priority 100 -> 90");

        File.WriteAllText(file, "");
        await pair.First.WhenAnswersAsync(s_router);
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 1);
        await pair.First.WhenSaysAsync("priority 90 -> 100");
    }

    /// <summary>Lab "003 active-active": two addresses, one on each director while both live.</summary>
    [Fact(Timeout = 120_000)]
    [Trait("Row", "V14")]
    public async Task Two_directors_have_an_address_each_and_the_survivor_has_both()
    {
        RouterSpec other = new(87);
        await using Pair pair = new();
        pair.First.With([s_router.ForLb(1, 200), other.ForLb(1, 100)]);
        pair.Second.With([s_router.ForLb(2, 100), other.ForLb(2, 200)]);
        await pair.StartAsync(s_router);
        await pair.Second.WhenAnswersAsync(other);
        await pair.Network.Addresses.WhenHeldByAsync(other.Address, 2);

        await pair.First.KillAsync();
        await pair.Second.WhenAnswersAsync(s_router);
        await pair.Second.WhenAnswersAsync(other);
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 2);

        pair.First.Start();
        await pair.First.WhenAnswersAsync(s_router);
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 1);
        Assert.Equal([2], pair.Network.Addresses.Holders(other.Address));
    }

    /// <summary>Lab "004 restart watch": a service that dies is started again; when that does not help, the address moves.</summary>
    [Fact(Timeout = 120_000)]
    [Trait("Row", "V26")]
    public async Task A_service_is_started_again_before_the_address_moves()
    {
        await using Pair pair = new();
        string service = pair.First.Home.Write("service", ""), attempts = pair.First.Home.PathOf("attempts"), broken = pair.First.Home.PathOf("broken");
        string restart = pair.First.Home.Script("restart", $"echo again >>{attempts}\n[ -e {broken} ] || : >{service}");
        string track = $$"""
            "Track": [ { "Command": [ "/usr/bin/test", "-e", "{{service}}" ], "Interval": "100ms", "Restart": [ "{{restart}}" ], "RestartAttempts": 2, "RestartBackOff": "200ms" } ]
            """;
        pair.First.With([s_router.ForLb(1, 200, track)]);
        pair.Second.With([s_router.ForLb(2, 100)]);
        await pair.StartAsync(s_router);

        // Died, and was started again: nobody outside has seen anything.
        int changes = pair.Network.Addresses.Changes.Count;
        using FileSystemWatcher watcher = new(pair.First.Home.Directory) { EnableRaisingEvents = true };
        TaskCompletionSource back = new(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Created += (_, file) =>
        {
            if (file.Name == "service") back.TrySetResult();
        };
        File.Delete(service);
        await back.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["again"], await File.ReadAllLinesAsync(attempts, TestContext.Current.CancellationToken));
        Assert.Equal(changes, pair.Network.Addresses.Changes.Count);

        File.WriteAllText(broken, "");
        File.Delete(service);
        await pair.Second.WhenAnswersAsync(s_router);
        await pair.Network.Addresses.WhenHeldByAsync(s_router.Address, 2);
        Assert.InRange((await File.ReadAllLinesAsync(attempts, TestContext.Current.CancellationToken)).Length, 2, 3);
    }

    /// <summary>One request after the other until the end; those that are refused or cut off are counted.</summary>
    private static async Task<(int Answers, int Errors)> ClientAsync(HostNetwork network, CancellationToken end)
    {
        int answers = 0, errors = 0;
        while (!end.IsCancellationRequested)
        {
            try
            {
                await WebServer.AskAsync(network, s_router.Address, 80, end);
                answers++;
            }
            catch (SocketException)
            {
                errors++;
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        return (answers, errors);
    }
}
