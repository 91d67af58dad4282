using System.Net;
using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>What all gateways of a host share, and the pace at which one accepts.</summary>
public sealed class SharedLimitTests : GatewayTests
{
    private const int Timeout = 120_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "L1")]
    public async Task All_gateways_together_have_one_limit(string driver)
    {
        TestServer server = null!;
        int limit = 2;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            (l.Loops, server) = (2, l.AddServer());
            l.Configure.Add(o =>
            {
                o.Transport.MaxConnections = limit;
                o.Gateways["second"] = new GatewayOptions { Pool = "web" };
                o.Gateways["second"].Listen.Add("127.0.0.1:0");
            });
        });
        EndPoint other = lab.Gateways["second"].EndPoints[0];
        (Socket first, _) = await lab.PairAsync(server);
        Socket second = await lab.ClientAsync(other);
        await Wait.UntilAsync(() => lab.Gateways["second"].OpenConnections == 1, "the other gateway has one");
        await server.AcceptAsync();
        await lab.TurnsAsync();

        Socket third = await lab.ClientAsync();
        Socket fourth = await lab.ClientAsync(other);
        await lab.TurnsAsync();
        Assert.Equal((2, 2L), (lab.Gateway.Limits.Open, lab.Gateway.TotalConnections + lab.Gateways["second"].TotalConnections));

        // Either of the two that wait may come first; both come in the end.
        first.Reset();
        await server.AcceptAsync();
        second.Reset();
        await server.AcceptAsync();
        await lab.TurnsAsync();
        Assert.Equal((2, 4L), (lab.Gateway.Limits.Open, lab.Gateway.TotalConnections + lab.Gateways["second"].TotalConnections));

        limit = 3;
        Assert.Empty(await lab.ReloadAsync());
        await lab.PairAsync(server);
        third.Reset();
        fourth.Reset();
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "L7")]
    public async Task Who_comes_too_fast_waits_and_nobody_is_refused(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g => g.SessionRate = 5);
        });

        // A whole window without anybody: the next one begins with the first of them.
        await lab.AdvanceAsync(TimeSpan.FromSeconds(10));
        Socket[] clients = [.. await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => lab.ClientAsync()))];
        await lab.TurnsAsync();
        Assert.Equal(5, lab.Gateway.TotalConnections);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(0.9));
        Assert.Equal(5, lab.Gateway.TotalConnections);

        // In the next second the window slides off the first five, one each fifth of a second.
        List<long> seen = [];
        for (int n = 0; n < 15; n++)
        {
            await lab.AdvanceAsync(TimeSpan.FromSeconds(0.1));
            await lab.TickAsync();
            seen.Add(lab.Gateway.TotalConnections);
        }

        Assert.All(seen.Zip(seen.Skip(10)), static pair => Assert.InRange(pair.Second - pair.First, 0, 6));
        Assert.Equal(seen.Order(), seen);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(2));
        await Wait.UntilAsync(
            () =>
            {
                lab.Time.Advance(TimeSpan.FromMilliseconds(50));
                return lab.Gateway.TotalConnections == 12;
            },
            "everybody came in");
        Assert.All(clients, static c => Assert.True(c.IsQuiet()));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "L10")]
    public async Task Above_the_memory_ceiling_nobody_is_accepted_and_nothing_is_lost(string driver)
    {
        const int Each = 16 << 20, Limit = 1 << 20;
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Configure.Add(static o => (o.Transport.MaxMemory, o.Transport.Splice) = (Limit, false));
        });
        ProcessLimits limits = lab.Gateway.Limits;
        byte[] data = new byte[Each];
        new Random(10).NextBytes(data);

        // Slow readers, one after the other, until what waits for them is too much. All are in before: later nobody is.
        List<(Socket Client, Socket Server)> pairs = [];
        for (int n = 0; n < 24; n++) pairs.Add(await lab.PairAsync(server, receiveBuffer: 128 * 1024));
        List<(Socket Client, Task Sent)> slow = [];
        while (!limits.IsFull)
        {
            long held = limits.Memory;
            slow.Add((pairs[slow.Count].Client, pairs[slow.Count].Server.SendAllAsync(data)));
            await Wait.UntilAsync(() => limits.IsFull || limits.Memory > held, "a buffer waits for the slow reader");
        }

        Assert.InRange(limits.Memory, Limit, Limit + (1 << 20));
        Assert.InRange(lab.Logged.Count(4502), 1, int.MaxValue);
        long before = lab.Gateway.TotalConnections;
        Socket late = await lab.ClientAsync();
        await lab.TurnsAsync();
        Assert.Equal(before, lab.Gateway.TotalConnections);

        await Task.WhenAll(slow.Select(async s =>
        {
            PlainSockets.ShouldBeSame(data, await s.Client.ReadAsync(Each));
            await s.Sent;
        }));
        await late.SendAllAsync("!"u8.ToArray());
        Assert.Equal("!"u8.ToArray(), await (await server.AcceptAsync()).ReadAsync(1));
        await Wait.UntilAsync(() => limits.Memory == 0, () => $"no buffer is left, there are {limits.Memory} bytes");

        // Those who were in went on meanwhile, and may have filled it more than once.
        Assert.Equal((false, lab.Logged.Count(4502)), (limits.IsFull, lab.Logged.Count(4503)));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "L10")]
    public async Task Slow_readers_that_go_away_give_their_memory_back(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Configure.Add(static o => o.Transport.Splice = false);
        });
        (Socket client, Socket serverSide) = await lab.PairAsync(server, receiveBuffer: 8192);
        Task sending = serverSide.SendAllAsync(new byte[32 << 20]);
        await Wait.UntilAsync(() => lab.Gateway.Limits.Memory > 0, "a buffer waits");
        client.Reset();
        await Assert.ThrowsAsync<SocketException>(() => sending);
        await lab.OpenAsync(0);
        await Wait.UntilAsync(() => lab.Gateway.Limits.Memory == 0, () => $"no buffer is left, there are {lab.Gateway.Limits.Memory} bytes");
    }
}
