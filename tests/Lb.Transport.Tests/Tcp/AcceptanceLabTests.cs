using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>The tutorials' LVS labs, with real connections through a gateway: features.md, section 20.</summary>
public sealed class AcceptanceLabTests : GatewayTests
{
    private const int Timeout = 60_000;

    /// <summary>"LVS wrr": weights 1:2, no persistence, six requests.</summary>
    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "S4")]
    [Trait("Row", "T1")]
    public async Task Weights_one_and_two_share_six_requests_as_two_and_four(string driver)
    {
        (GatewayLab lab, TestServer[] servers) = await StartLabAsync(driver, persistence: false);

        for (int i = 0; i < 6; i++) await RequestAsync(lab, servers);

        Assert.Equal([2, 4], lab.Pool.Servers.Select(static s => s.TotalLeases));
    }

    /// <summary>"LVS persistence": the same with <c>persistence_timeout 60</c>.</summary>
    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "K6")]
    public async Task With_persistence_six_requests_go_to_one_server_and_after_a_minute_of_silence_to_the_next(string driver)
    {
        (GatewayLab lab, TestServer[] servers) = await StartLabAsync(driver, persistence: true);

        for (int i = 0; i < 6; i++) await RequestAsync(lab, servers);
        Assert.Equal([0, 6], lab.Pool.Servers.Select(static s => s.TotalLeases).Order());

        long[] before = [.. lab.Pool.Servers.Select(static s => s.TotalLeases)];
        await lab.AdvanceAsync(TimeSpan.FromSeconds(61));

        // A new choice: wrr goes on where it was, so three of them show both servers.
        for (int i = 0; i < 3; i++)
        {
            await RequestAsync(lab, servers);
            await lab.AdvanceAsync(TimeSpan.FromSeconds(61));
        }

        long[] after = [.. lab.Pool.Servers.Select(static s => s.TotalLeases)];
        Assert.Equal([1, 2], after.Zip(before, static (a, b) => a - b).Order());
    }

    private async Task<(GatewayLab Lab, TestServer[] Servers)> StartLabAsync(string driver, bool persistence)
    {
        TestServer[] servers = [];
        GatewayLab lab = await StartAsync(driver, l =>
        {
            servers = [l.AddServer("light", static s => s.Weight = 1), l.AddServer("heavy", static s => s.Weight = 2)];
            l.SetPool(p =>
            {
                p.Balance = "wrr";
                p.Policy = null;
                if (!persistence) return;
                p.Persistence.Type = "source";
                p.Persistence.Timeout = TimeSpan.FromSeconds(60);
            });
        });
        return (lab, servers);
    }

    private static async Task RequestAsync(GatewayLab lab, TestServer[] servers)
    {
        long before = lab.Pool.Servers.Sum(static s => s.TotalLeases);
        using Socket client = await lab.ClientAsync();
        await Wait.UntilAsync(() => lab.Pool.Servers.Sum(static s => s.TotalLeases) > before, "a server was picked");
        TestServer picked = servers.First(s => lab.Pool.Servers.Any(p => p.InFlight > 0 && p.EndPoint.Equals(s.EndPoint)));
        using Socket accepted = await picked.AcceptAsync();
        await client.SendAllAsync(new byte[10]);
        await accepted.ReadAsync(10);
        accepted.Shutdown(SocketShutdown.Send);
        client.Shutdown(SocketShutdown.Send);
        await client.ShouldEndAsync();
        await accepted.ShouldEndAsync();
        await lab.OpenAsync(0);
    }
}
