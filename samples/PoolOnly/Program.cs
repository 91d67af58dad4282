using System.Net;
using System.Net.Sockets;
using Lb;
using Microsoft.Extensions.DependencyInjection;

// A pool without gateway and host: one of the two servers is not there, and no caller notices.
using TcpListener server = new(IPAddress.Loopback, 0);
server.Start();
using TcpListener gone = new(IPAddress.Loopback, 0);
gone.Start();
string goneAddress = gone.LocalEndpoint.ToString()!;
gone.Stop();
_ = GreetAsync(server);

#region pool
ServiceCollection services = new();
services.AddServerPool("greeters")
    .AddServer(server.LocalEndpoint.ToString()!, name: "here")
    .AddServer(goneAddress, name: "gone")
    .UseRoundRobin();
await using ServiceProvider provider = services.BuildServiceProvider();
ServerPool pool = provider.GetRequiredKeyedService<ServerPool>("greeters");
#endregion

for (int n = 0; n < 4; n++) Console.WriteLine(await AskAsync(pool, CancellationToken.None));
foreach (Server member in pool.Servers) Console.WriteLine($"{member.Name}: {member.TotalLeases} leases, {member.TotalFailures} failures, {member.InFlight} open");
return pool.Find("gone")!.TotalFailures > 0 && pool.Servers.All(static s => s.InFlight == 0) ? 0 : 1;

#region lease
static async Task<string> AskAsync(ServerPool pool, CancellationToken ct)
{
    ServerSet tried = default;
    for (int attempt = 0; ; attempt++)
    {
        // Waits only if all servers are full.
        ServerLease lease = await pool.AcquireAsync(new PickContext { Excluded = tried }, ct);

        // A caller that is cancelled says nothing about the server.
        LeaseOutcome outcome = LeaseOutcome.Ignored;
        try
        {
            using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(lease.Server.EndPoint, ct);
            lease.Responded();
            byte[] answer = new byte[64];
            int length = await socket.ReceiveAsync(answer, ct);
            outcome = LeaseOutcome.Success;
            return System.Text.Encoding.UTF8.GetString(answer, 0, length);
        }
        catch (SocketException)
        {
            outcome = LeaseOutcome.Failure(FailureKind.Connect);
            tried = tried.With(lease.Server);
            if (attempt == pool.Settings.Retries) throw;
        }
        finally
        {
            // The one end, where the work ends.
            lease.Complete(outcome);
        }
    }
}
#endregion

static async Task GreetAsync(TcpListener listener)
{
    for (int n = 1; ; n++)
    {
        using Socket client = await listener.AcceptSocketAsync();
        await client.SendAsync(System.Text.Encoding.UTF8.GetBytes($"hello, caller {n}"));
    }
}
