using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Lb.Transport.Tests.Operations;

/// <summary>How connections are spread over the loops.</summary>
[Trait("Row", "T5")]
public sealed class LoopShareTests : GatewayTests
{
    private const int Timeout = 60_000;

    // A Unix socket has one listener, on the first loop: without a hand-over all clients would be there.
    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Long_lived_connections_of_one_listener_are_spread_over_all_loops(string driver)
    {
        string path = $"/tmp/lb-{Guid.NewGuid():N}.sock";
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Loops = 4;
            l.Listen[0] = $"unix:{path}";
        });
        List<(Socket Client, Socket Server)> pairs = [];
        for (int i = 0; i < 64; i++)
        {
            Socket client = await lab.ClientAsync();
            pairs.Add((client, await server.AcceptAsync()));
        }

        await lab.OpenAsync(64);

        // The mean is 16: a loop keeps at most an eighth and one more than that.
        long[] counts = [.. ShardsOf(lab.Gateway).Select(static s => Volatile.Read(ref s.Counters.Total))];
        Assert.All(counts, static c => Assert.InRange(c, 16 - 3 * 3, 16 + 3));
        foreach ((Socket client, Socket accepted) in pairs)
        {
            await client.SendAllAsync("ping"u8.ToArray());
            await accepted.ReadAsync(4);
        }
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Long_lived_connections_of_a_shared_port_are_evened_out(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Loops = 4;
        });
        for (int i = 0; i < 64; i++)
        {
            _ = await lab.ClientAsync();
            await server.AcceptAsync();
        }

        await lab.OpenAsync(64);
        long[] counts = [.. ShardsOf(lab.Gateway).Select(static s => Volatile.Read(ref s.Counters.Total))];
        Assert.All(counts, static c => Assert.InRange(c, 16 - 3 * 3, 16 + 3));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task What_is_on_its_way_to_another_loop_when_the_gateway_stops_is_served_or_closed_and_never_forgotten(string driver)
    {
        string path = $"/tmp/lb-{Guid.NewGuid():N}.sock";
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Loops = 3;
            l.Listen[0] = $"unix:{path}";
            l.SetGateway(static g => g.DrainTimeout = TimeSpan.FromSeconds(5));
        });
        List<Task<Socket>> clients = [];
        for (int i = 0; i < 40; i++) clients.Add(lab.ClientAsync());
        await lab.StopSoonAsync();
        foreach (Task<Socket> connecting in clients)
        {
            try
            {
                await (await connecting).ReadToEndAsync();
            }
            catch (SocketException)
            {
                // Refused, or reset at the deadline: an end all the same.
            }
        }

        Assert.Equal(0, lab.Pool.Servers.Sum(static s => s.InFlight));
    }

    [Fact]
    public void A_loop_with_too_many_long_connections_gives_fresh_ones_to_the_one_with_the_fewest()
    {
        LoopShare[] shares = LoopShare.Make(4);
        int total = 0;
        for (int i = 0; i < 1000; i++)
        {
            int taker = shares[0].Relief(total++);
            if (taker >= 0) shares[taker].Came();
            shares[taker < 0 ? 0 : taker].Opened();
        }

        Assert.All(shares, static s => Assert.InRange(s.Load, 230, 283));
    }

    [Fact]
    public void Short_connections_stay_where_they_are_within_the_chance_of_the_kernels_hash()
    {
        // A seeded hash over two loops, 32 connections at a time, each ended before the next begins.
        LoopShare[] shares = LoopShare.Make(2);
        Random random = new(7);
        Queue<int> open = new();
        int given = 0;
        for (int i = 0; i < 20_000; i++)
        {
            int loop = random.Next(2), taker = shares[loop].Relief(open.Count);
            if (taker >= 0)
            {
                shares[taker].Came();
                if (i >= 1000) given++;
                loop = taker;
            }

            shares[loop].Opened();
            open.Enqueue(loop);
            if (open.Count == 32) shares[open.Dequeue()].Closed();
        }

        // 16 ± 2.8 a loop; the bound is 16 + 4 + 8.
        Assert.InRange(given, 0, 20);
    }

    [Fact]
    public void A_single_loop_keeps_everything()
    {
        LoopShare only = Assert.Single(LoopShare.Make(1));
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(-1, only.Relief(i));
            only.Opened();
        }
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Loops_keep_to_the_processors_they_are_given(string driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Processors are chosen on Linux only.");
        int last = ThreadAffinity.Allowed()[^1];
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.AddServer();
            l.Loops = 2;
            l.Configure.Add(o => o.Transport.CpuAffinity = $"{last}");
        });
        Assert.Equal(0, lab.Logged.Count(4600));
        string[] threads = [.. Directory.EnumerateDirectories("/proc/self/task").Where(static t => File.ReadAllText($"{t}/comm").StartsWith("lb-loop-", StringComparison.Ordinal))];
        int pinned = threads.Count(t => File.ReadAllLines($"{t}/status").Any(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal) && line.EndsWith($"\t{last}", StringComparison.Ordinal)));
        Assert.True(pinned >= 2, $"{pinned} of {threads.Length} loop threads keep to processor {last}.");
    }

    [Theory]
    [InlineData("none", "")]
    [InlineData("auto", "0,1,2,3,8")]
    [InlineData("1-2, 8", "1,2,8")]
    [InlineData("8,0", "8,0")]
    [InlineData("4", "processor 4 is not one that this process may use: 0,1,2,3,8")]
    [InlineData("3-1", "must be none, auto, or a list of processors such as 0-3,8")]
    [InlineData("x", "must be none, auto, or a list of processors such as 0-3,8")]
    [InlineData("", "must be none, auto, or a list of processors such as 0-3,8")]
    public void Lists_of_processors_are_read(string text, string expected)
    {
        bool isRead = CpuList.TryRead(text, [0, 1, 2, 3, 8], out IReadOnlyList<int>? processors, out string? error);
        Assert.Equal(expected, isRead ? string.Join(',', processors!) : error);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_shards")]
    private static extern ref TcpShard[] ShardsOf(TcpGateway gateway);
}
