using System.Net;
using Lb.Health;
using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Health;

/// <summary>One check of a real peer: by us and by HAProxy.</summary>
internal static class Ask
{
    public const int Limit = 120_000;

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>How we find it.</summary>
    public static async Task<ProbeResult> UsAsync(IHealthChecker checker, EndPoint endPoint)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Long);
        return await checker.CheckAsync(new ProbeTarget("s", endPoint, Long, Long), limit.Token);
    }

    /// <summary>How HAProxy finds it: <c>L7STS/404</c>.</summary>
    /// <param name="endPoint">The peer.</param>
    /// <param name="backend">Lines of the backend.</param>
    /// <param name="server">Words of the server line.</param>
    public static async Task<string> HaproxyAsync(EndPoint endPoint, string backend, string server = "")
    {
        Peer.Demand(Haproxy.Need);
        CancellationToken ct = TestContext.Current.CancellationToken;
        using PeerHome home = new();
        await using Haproxy haproxy = await Haproxy.StartAsync(
            home, $"backend b\n  mode tcp\n  timeout connect 30s\n  timeout server 30s\n  timeout check 30s\n  {backend}\n  server s {endPoint} check inter 30s {server}");
        Dictionary<string, string> row = (await haproxy.WhenCheckedAsync(ct))["b/s"];
        return Word(row["check_status"], row["check_code"]);
    }

    /// <summary>Our verdict in the same form.</summary>
    public static string Word(ProbeResult result) => Word(new CheckReport(result.Status, result.Code, default, "", default, 1).Word, $"{result.Code}");

    private static string Word(string status, string code) => code is "" or "0" ? status : $"{status}/{code}";
}
