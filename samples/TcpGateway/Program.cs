using Lb;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// dotnet run --project samples/TcpGateway                     the gateway from code
// dotnet run --project samples/TcpGateway -- configuration    the same gateway from appsettings.json
// Clients go to 127.0.0.1:18080; the servers, if they run, are 127.0.0.1:18081 and 127.0.0.1:18082.
HostApplicationBuilder builder = Host.CreateApplicationBuilder(
    new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });

if (args is ["configuration"])
{
    #region configuration
    builder.Services.AddLb(builder.Configuration.GetSection("Lb")).AddHealth().AddGateways();
    #endregion
}
else
{
    #region gateway
    builder.Services.AddServerPool("web")
        .AddServer("127.0.0.1:18081", weight: 2)
        .AddServer("127.0.0.1:18082")
        .UsePowerOfTwoChoices()
        .AddTcpCheck(check => check.Interval = TimeSpan.FromSeconds(2));
    builder.Services.AddTcpGateway(listen: "127.0.0.1:18080", pool: "web");
    #endregion
}

await builder.Build().RunAsync();
