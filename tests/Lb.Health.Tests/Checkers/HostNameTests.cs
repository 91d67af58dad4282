using System.Net;
using System.Net.Security;
using System.Text;
using Lb.Contracts.Checkers;
using Lb.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Health.Tests.Checkers;

/// <summary>Servers that are given by name are asked by it, though it has been looked up.</summary>
public sealed class HostNameTests
{
    private const int Limit = 60_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory(Timeout = Limit)]
    [Trait("Row", "H7")]
    [InlineData(null, null, "named.example:")]
    [InlineData("other.example", null, "other.example\r\n")]
    [InlineData(null, 1, "named.example:")]
    public async Task The_host_header_is_the_name(string? host, int? port, string expected)
    {
        TaskCompletionSource<string> heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            byte[] bytes = new byte[1024];
            heard.TrySetResult(Encoding.ASCII.GetString(bytes.AsSpan(0, await socket.ReceiveAsync(bytes, ct))));
            await socket.SendAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), ct);
        });
        CheckOptions options = new() { Type = "http", Host = host };
        if (port is not null) options.Requests.Add(new CheckRequestOptions { Port = ((IPEndPoint)server.EndPoint).Port });
        await new HttpChecker(options).CheckAsync(Target(port is null ? server.EndPoint : new IPEndPoint(IPAddress.Loopback, 1)), Ct);
        Assert.Contains($"Host: {expected}", await heard.Task, StringComparison.Ordinal);
    }

    [Theory(Timeout = Limit)]
    [Trait("Row", "H9")]
    [InlineData("named.example", null, true)]
    [InlineData("other.example", null, false)]
    [InlineData("other.example", "other.example", true)]
    public async Task The_certificate_is_for_the_name(string certified, string? sni, bool passes)
    {
        SslServerAuthenticationOptions shows = new() { ServerCertificate = Certificates.One.Make(certified) };
        await using ProbeServer server = ProbeServer.Start(Certificates.Serve(shows));
        CheckOptions options = new() { Type = "tls", Tls = new CheckTlsOptions { CaFile = Certificates.One.CaFile, Sni = sni } };
        ProbeResult result = await new TlsChecker(options).CheckAsync(Target(server.EndPoint), Ct);
        Assert.Equal(passes ? "" : "certificate is not for named.example but for other.example", result.Text);
        Assert.Equal(passes, result.Passed);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H26")]
    public async Task The_loop_tells_the_checker_unless_the_check_goes_elsewhere()
    {
        ManualTimeProvider time = new();
        FakeHealthChecker checker = new(time);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddServerPool("web").AddServer("localhost:1", name: "named").AddServer("127.0.0.1:1", name: "numbered").AddCheck(checker);
        builder.Services.AddServerPool("far").AddServer("localhost:1", name: "elsewhere").AddCheck(checker, static c => c.Address = "127.0.0.9");
        using IHost host = builder.Build();
        await host.StartAsync(Ct);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(
            ["elsewhere  127.0.0.9:1", "named localhost 127.0.0.1:1", "numbered  127.0.0.1:1"],
            checker.Calls.Select(static c => $"{c.Server} {c.Target.HostName} {c.Target.EndPoint}".Replace("[::1]", "127.0.0.1", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal));
        await host.StopAsync(Ct);
    }

    private static ProbeTarget Target(EndPoint endPoint) =>
        new("s", endPoint, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(40)) { HostName = "named.example" };
}
