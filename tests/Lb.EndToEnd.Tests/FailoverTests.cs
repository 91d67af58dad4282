using System.Net.Sockets;

namespace Lb.EndToEnd.Tests;

/// <summary>Clients, a gateway with health checks, and servers that die and come back.</summary>
public sealed class FailoverTests
{
    private const int Clients = 200;

    [Theory(Timeout = 120_000)]
    [InlineData("epoll")]
    [InlineData("io_uring")]
    [InlineData("managed")]
    [Trait("Row", "H1")]
    [Trait("Row", "H5")]
    [Trait("Row", "R6")]
    public async Task A_server_dies_under_load_and_returns_and_no_client_sees_more_than_one_error(string driver)
    {
        using NamedServer a = new('a'), b = new('b'), c = new('c');
        await using Lab lab = await Lab.StartAsync(Json(driver, """{ "Type": "tcp", "Interval": "50ms", "Rise": 2, "Fall": 3 }""", a, b, c));
        Server dying = lab.Pool.Find("b")!;
        Crowd crowd = new(lab);
        await crowd.EveryoneAsync(2);

        b.Kill();
        await lab.Events.WhenAsync("b", ServerStatus.Down);
        await crowd.EveryoneAsync(2);

        // Down: from here on nobody is sent there.
        Assert.Equal(ServerHealth.Down, dying.Health);
        (long leases, long retries) = (dying.TotalLeases, lab.Gateway.Retries);
        await crowd.EveryoneAsync(5);
        Assert.Equal((leases, retries), (dying.TotalLeases, lab.Gateway.Retries));

        b.Revive();
        await lab.Events.WhenAsync("b", ServerStatus.Up);
        await crowd.EveryoneAsync(3);
        Assert.True(dying.TotalLeases > leases);
        int[] errors = await crowd.EndAsync();
        Assert.All(errors, static count => Assert.InRange(count, 0, 1));

        // Alone again, so that the order can be seen: it has its share back.
        Dictionary<string, int> shares = [];
        for (int i = 0; i < 30; i++)
        {
            string name = await Request.SendAsync(lab.EndPoint);
            shares[name] = shares.GetValueOrDefault(name) + 1;
        }

        Assert.Equal((10, 10, 10), (shares["a"], shares["b"], shares["c"]));

        // Its callers may have had it ejected before the checks found out.
        Assert.All(lab.Events.Changes, static e => Assert.Equal("b", e.Server));
        Assert.Equal([ServerStatus.Down, ServerStatus.Up], lab.Events.Changes.Select(static e => e.To).Where(static to => to != ServerStatus.Ejected));
    }

    /// <summary>Acceptance lab "002 HAProxy RR": the configuration of the document, six requests, strictly one after the other.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData("epoll")]
    [InlineData("io_uring")]
    [InlineData("managed")]
    [Trait("Row", "S1")]
    [Trait("Row", "H1")]
    public async Task HAProxy_round_robin_gives_six_requests_to_two_servers_in_turn(string driver)
    {
        using NamedServer a = new('a'), b = new('b');
        await using Lab lab = await Lab.StartAsync(Json(driver, """{ "Type": "tcp", "Interval": 2000, "Rise": 2, "Fall": 5 }""", a, b));
        List<string> served = [];
        for (int i = 0; i < 6; i++) served.Add(await Request.SendAsync(lab.EndPoint));
        Assert.Equal(["a", "b", "a", "b", "a", "b"], served);
        Assert.Equal((3L, 3L), (lab.Pool.Servers[0].TotalLeases, lab.Pool.Servers[1].TotalLeases));
        Assert.All(lab.Pool.Servers, static s => Assert.Equal((0, ServerStatus.Up), (s.TotalFailures, s.Status)));
    }

    private static string Json(string driver, string check, params NamedServer[] servers) => $$"""
        {
          "Lb": {
            "Transport": { "Driver": "{{driver}}" },
            "Pools": {
              "web": {
                "Balance": "roundrobin",
                "Servers": [ {{string.Join(", ", servers.Select(static s => $$"""{ "Name": "{{s.Name}}", "Address": "127.0.0.1:{{s.Port}}" }"""))}} ],
                "Checks": [ {{check}} ]
              }
            },
            "Gateways": { "front": { "Mode": "tcp", "Listen": [ "127.0.0.1:0" ], "Pool": "web" } }
          }
        }
        """;

    /// <summary>Clients that send one request after the other until told to end; each counts its own errors.</summary>
    private sealed class Crowd
    {
        private readonly int[] _errors = new int[Clients];
        private readonly int[] _requests = new int[Clients];
        private readonly Task[] _clients;
        private volatile bool _end;

        public Crowd(Lab lab) => _clients = [.. Enumerable.Range(0, Clients).Select(i => RunAsync(lab, i))];

        /// <summary>Ends when every client has finished so many further requests.</summary>
        public async Task EveryoneAsync(int requests)
        {
            int[] from = [.. _requests];
            while (Enumerable.Range(0, Clients).Any(i => Volatile.Read(ref _requests[i]) < from[i] + requests))
            {
                if (Array.Find(_clients, static c => c.IsFaulted) is { } faulted) await faulted;
                await Task.Delay(1);
            }
        }

        public async Task<int[]> EndAsync()
        {
            _end = true;
            await Task.WhenAll(_clients);
            return _errors;
        }

        private async Task RunAsync(Lab lab, int client)
        {
            while (!_end)
            {
                try
                {
                    await Request.SendAsync(lab.EndPoint);
                    Interlocked.Increment(ref _requests[client]);
                }
                catch (SocketException)
                {
                    _errors[client]++;
                }
            }
        }
    }
}
