using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Lb;
using Lb.Vrrp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Samples.VrrpPair;

/// <summary>
/// Two nodes on the loopback interface that send their adverts over UDP and put no address anywhere, so that no right is needed. The better one loses
/// its server, gets it back, and stops.
/// </summary>
internal static class Rehearsal
{
    private const int Port = 18112;

    /// <returns>0 when each step ended as it should, within a minute altogether.</returns>
    public static async Task<int> RunAsync()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(1));
        Channel<(string Node, RouterState State)> states = Channel.CreateUnbounded<(string Node, RouterState State)>();
        TcpListener server = new(IPAddress.Loopback, 0);
        server.Start();
        IPEndPoint where = (IPEndPoint)server.LocalEndpoint;
        using IHost a = Build("a", 150, "127.0.0.1", "127.0.0.2", where, states.Writer);
        using IHost b = Build("b", 100, "127.0.0.2", "127.0.0.1", where: null, states.Writer);
        await a.StartAsync(limit.Token);
        await UntilAsync("a", RouterState.Active);
        await b.StartAsync(limit.Token);
        await UntilAsync("b", RouterState.Backup);

        Console.WriteLine("--- the server of a dies");
        server.Stop();
        await UntilAsync("b", RouterState.Active);

        Console.WriteLine("--- and returns");
        server = new TcpListener(where);
        server.Start();
        await UntilAsync("a", RouterState.Active);

        Console.WriteLine("--- a is stopped");
        await a.StopAsync(limit.Token);
        await UntilAsync("b", RouterState.Active);
        await b.StopAsync(limit.Token);
        server.Stop();
        return 0;

        async Task UntilAsync(string node, RouterState state)
        {
            while (await states.Reader.ReadAsync(limit.Token) != (node, state))
            {
                // Another step on the way.
            }
        }
    }

    /// <param name="where">The node's only server; null = it has one that never fails.</param>
    private static IHost Build(string node, int priority, string own, string peer, IPEndPoint? where, ChannelWriter<(string Node, RouterState State)> states)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<INotifier>(new Diary(node, states));
        IServerPoolBuilder pool = builder.Services.AddServerPool("web").AddServer(where?.ToString() ?? "192.0.2.1:80");
        if (where is not null)
        {
            pool.AddTcpCheck(check =>
            {
                check.Interval = TimeSpan.FromMilliseconds(200);
                (check.Rise, check.Fall) = (2, 2);
            });
        }

        #region rehearsal
        builder.Services.AddVirtualRouter("edge", router =>
            {
                router.Interface = "lo";
                router.RouterId = 51;
                router.Priority = priority;
                router.AdvertisementInterval = TimeSpan.FromMilliseconds(100);
                router.Unicast = new RouterUnicastOptions { Source = own, Peers = { peer }, UdpPort = Port };
                router.Addresses.Add(new VirtualAddressOptions { Address = "192.0.2.100/32", OffLink = true });
                router.AssignAddresses = false;
            })
            .TrackPool("web", weight: -100)
            .UseAddressOwner(_ => new CloudRoute(node, TimeProvider.System));
        #endregion

        return builder.Build();
    }
}
