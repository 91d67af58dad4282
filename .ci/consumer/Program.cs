// A stranger's project: only what the packages bring. A client goes through a gateway to a checked server, and a virtual router without a peer is elected.
using System.Net;
using System.Net.Sockets;
using Lb;
using Lb.Testing;
using Lb.Transport;
using Lb.Vrrp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
using TcpListener server = new(IPAddress.Loopback, 0);
server.Start();
_ = ServeAsync();

HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
builder.Services.AddServerPool("web").AddServer(server.LocalEndpoint.ToString()!, name: "only").UseRoundRobin().AddTcpCheck();
builder.Services.AddTcpGateway(listen: "127.0.0.1:0", pool: "web", name: "front");
builder.Services.AddVirtualRouter("edge", router =>
{
    router.Interface = "lo";
    router.RouterId = 51;
    router.AdvertisementInterval = TimeSpan.FromMilliseconds(10);
    router.AssignAddresses = false;
    router.Addresses.Add(new VirtualAddressOptions { Address = "192.0.2.100/32", OffLink = true });
    router.Unicast = new RouterUnicastOptions { Source = "127.0.0.1", Peers = { "127.0.0.2" }, UdpPort = 18113 };
}).TrackPool("web", weight: -50);
using IHost host = builder.Build();
await host.StartAsync(limit.Token);

using (Socket client = new(SocketType.Stream, ProtocolType.Tcp))
{
    await client.ConnectAsync(host.Services.GetRequiredService<Gateways>()["front"].EndPoints[0], limit.Token);
    await client.SendAsync("ping"u8.ToArray(), limit.Token);
    byte[] answer = new byte[16];
    int length = await client.ReceiveAsync(answer, limit.Token);
    if (!answer.AsSpan(0, length).SequenceEqual("ping"u8)) throw new InvalidOperationException("The answer is not what was sent.");
}

VirtualRouters routers = host.Services.GetRequiredService<VirtualRouters>();
while (routers.Find("edge")!.State != RouterState.Active) await Task.Delay(10, limit.Token);
await host.StopAsync(limit.Token);
ManualTimeProvider time = new();
time.Advance(TimeSpan.FromHours(1));
Console.WriteLine("the packages work");
return 0;

// Echoes what each connection sends; the checks send nothing.
async Task ServeAsync()
{
    while (!limit.IsCancellationRequested)
    {
        Socket socket = await server.AcceptSocketAsync(limit.Token);
        _ = EchoAsync(socket);
    }
}

async Task EchoAsync(Socket socket)
{
    using (socket)
    {
        byte[] buffer = new byte[16];
        try
        {
            for (int length; (length = await socket.ReceiveAsync(buffer, limit.Token)) > 0;) await socket.SendAsync(buffer.AsMemory(0, length), limit.Token);
        }
        catch (SocketException)
        {
            // A check closes with a reset.
        }
    }
}
