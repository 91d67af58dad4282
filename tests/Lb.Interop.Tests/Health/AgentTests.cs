using System.Net;
using System.Text;
using Lb.Contracts.Checkers;
using Lb.Interop.Tests.Peers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Interop.Tests.Health;

/// <summary>
/// What agents say to HAProxy and to us: two agents that say the same, one asked by each; the server's state, weight and limit must come out the same.
/// </summary>
public sealed class AgentVerdicts() : PeerFixture(Haproxy.Need)
{
    private readonly Dictionary<string, (string Ours, string Haproxys)> _verdicts = new(StringComparer.Ordinal);

    /// <summary>State, weight and limit after these lines.</summary>
    public (string Ours, string Haproxys) this[string lines] => _verdicts[lines];

    protected override async Task StartAsync(CancellationToken ct)
    {
        ProbeServer web = Keep(ProbeServer.Start(static (_, _) => Task.CompletedTask));
        StringBuilder sections = new("defaults\n  mode tcp\n  timeout connect 30s\n  timeout server 30s\n  timeout check 30s\n");
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLb().AddHealth();
        List<(string Lines, Agent Ours, Agent Haproxys)> cases = [];
        // A connection has an interval of time, so it is not short: a line that was not heard for that would be missed.
        foreach (string lines in AgentTests.Cases.Concat(AgentTests.Differences.Keys))
        {
            Agent ours = Keep(new Agent(lines)), haproxys = Keep(new Agent(lines));
            sections.Append($"backend b{cases.Count}\n  server s {web.EndPoint} weight 100 maxconn 50 check inter 2s agent-check agent-inter 2s agent-port {haproxys.Port}\n");
            string pool = $"b{cases.Count}";
            builder.Services.Configure<LbOptions>(o =>
            {
                PoolOptions made = o.Pools[pool] = new PoolOptions();
                made.Servers.Add(new ServerOptions { Name = "s", Address = $"{web.EndPoint}", Weight = 100, MaxConnections = 50 });
                made.Checks.Add(new CheckOptions { Timeout = TimeSpan.FromSeconds(30) });
                made.Checks.Add(new CheckOptions { Type = "agent", Port = ours.Port, Timeout = TimeSpan.FromSeconds(30) });
            });
            cases.Add((lines, ours, haproxys));
        }

        await using Haproxy haproxy = await Haproxy.StartAsync(Home, sections.ToString());
        using IHost host = builder.Build();
        await host.StartAsync(ct);
        foreach ((_, Agent ours, Agent haproxys) in cases)
        {
            await ours.WhenHeardAsync(ct);
            await haproxys.WhenHeardAsync(ct);
        }

        ServerPools pools = host.Services.GetRequiredService<ServerPools>();
        Dictionary<string, Dictionary<string, string>> stats = await haproxy.StatsAsync(ct);
        for (int i = 0; i < cases.Count; i++)
        {
            Server server = pools[$"b{i}"].Servers[0];
            Dictionary<string, string> row = stats[$"b{i}/s"];
            string status = row["status"] switch
            {
                "MAINT" => "Maintenance",
                ['D', 'R', ..] => "Drain",
                ['U', 'P', ..] => "Up",
                ['D', 'O', ..] => "Down",
                string other => other,
            };
            _verdicts[cases[i].Lines] = ($"{server.Status} {server.Weight} {server.MaxConnections}", $"{status} {row["weight"]} {(row["slim"] is "" ? "0" : row["slim"])}");
        }

        await host.StopAsync(ct);
    }

    /// <summary>An agent that says one line after the other, then the last one for ever.</summary>
    private sealed class Agent : IAsyncDisposable
    {
        private readonly ProbeServer _server;
        private readonly string[] _lines;
        private int _next;

        public Agent(string lines)
        {
            _lines = lines.Split('|');
            _server = ProbeServer.Start(async (socket, ct) =>
            {
                await ProbeServer.SendAsync(socket, $"{_lines[Math.Min(Interlocked.Increment(ref _next) - 1, _lines.Length - 1)]}\n", ct);
                socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            });
        }

        public int Port => ((IPEndPoint)_server.EndPoint).Port;

        /// <summary>Waits until all lines were taken in: the next question comes after that.</summary>
        public async Task WhenHeardAsync(CancellationToken ct)
        {
            for (int i = 0; i <= _lines.Length; i++) await _server.WhenAcceptedAsync(ct);
        }

        public ValueTask DisposeAsync() => _server.DisposeAsync();
    }
}

[Trait("Row", "H20")]
public sealed class AgentTests(AgentVerdicts verdicts) : IClassFixture<AgentVerdicts>
{
    // A bar stands between lines that follow each other.
    public static readonly string[] Cases =
    [
        "up", "ready", "75%", "1%", "100%", "200%", "256%", "300%", "50%,ready", "ready 50%", "up\t25%", "up, 10%",
        "maxconn:20", "maxconn:0", "maxconn:20 30%", "MAXCONN:9", "UP 40%", "Drain",
        "drain", "drain|ready", "drain|up", "maint", "maint|ready", "maint|drain", "maint|up", "drain 50%", "drain|50%",
        "down", "down #disk full", "fail", "stopped", "stopped # for lunch", "down|up", "down|ready", "down|50%", "down|ready up", "up down", "down up",
        "50%|", "drain|", "down|", "#all is well", "nonsense", "50% nonsense", "50%|nonsense", "nonsense 50%", "-5%", "5.5%", "50%%", "%", "50", "75%|maxconn:5",
    ];

    public static TheoryData<string> Lines => [.. Cases];

    // What comes out differently, as HAProxy has it and as we have it.
    public static readonly Dictionary<string, (string Haproxys, string Ours)> Differences = new(StringComparer.Ordinal)
    {
        // HAProxy 2.6 knows no weight but in percent, and no such word as failed.
        ["weight:30"] = ("Up 100 50", "Up 30 50"),
        ["weight:30%"] = ("Up 100 50", "Up 30 50"),
        ["weight:256"] = ("Up 100 50", "Up 256 50"),
        ["failed"] = ("Up 100 50", "Down 100 50"),

        // It calls a server UP that gets nothing for its weight; to us that is Drain, whoever has said it.
        ["0%"] = ("Up 0 50", "Drain 0 50"),
        ["weight:0"] = ("Up 100 50", "Drain 0 50"),
    };

    public static TheoryData<string> DifferentLines => [.. Differences.Keys];

    [Theory]
    [MemberData(nameof(DifferentLines))]
    public void Some_words_do_more_than_to_HAProxys(string lines)
    {
        verdicts.Demand();
        (string ours, string haproxys) = verdicts[lines];
        Assert.Equal(Differences[lines], (haproxys, ours));
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public void An_agent_does_to_our_server_what_it_does_to_HAProxys(string lines)
    {
        verdicts.Demand();
        (string ours, string haproxys) = verdicts[lines];
        Assert.Equal(haproxys, ours);
    }
}
