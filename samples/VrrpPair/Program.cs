using Lb;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Samples.VrrpPair;

// dotnet run --project samples/VrrpPair                                   two nodes in this process, no rights: who has the address, and why
// sudo dotnet run --project samples/VrrpPair -- eth0 10.0.0.100/24 150    one node of a real pair; the other gets 100 for its priority
if (args is not [var device, var address, var priority]) return await Rehearsal.RunAsync();

HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);

#region pair
builder.Services.AddServerPool("web").AddServer("127.0.0.1:18081").AddTcpCheck();
builder.Services.AddTcpGateway(listen: "0.0.0.0:18080", pool: "web");
builder.Services.AddVirtualRouter("edge", router =>
    {
        router.Interface = device;             // "eth0"
        router.RouterId = 51;                  // the same on both nodes
        router.Priority = int.Parse(priority); // 150 here, 100 on the other node
        router.Addresses.Add(new VirtualAddressOptions { Address = address });
    })
    .TrackPool("web", weight: -100);
#endregion

await builder.Build().RunAsync();
return 0;
