using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Lb.Health;
using Lb.Testing;

namespace Lb.Contracts.Checkers;

/// <summary>What every health checker that connects over a stream has to do. Inherit it, and say how to make the checker and a server it likes.</summary>
[Trait("Row", "H5")]
public abstract class HealthCheckerContract
{
    protected const int Limit = 60_000;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Makes the checker.</summary>
    protected abstract IHealthChecker Create(TimeProvider time);

    /// <summary>Serves one connection in the way that passes.</summary>
    protected abstract Task ServeWellAsync(Socket socket, CancellationToken ct);

    protected static ProbeTarget Target(EndPoint endPoint) => new("s1", endPoint, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30));

    [Fact(Timeout = Limit)]
    public async Task Passes_on_a_good_server()
    {
        await using ProbeServer server = ProbeServer.Start(ServeWellAsync);
        ProbeResult result = await Create(TimeProvider.System).CheckAsync(Target(server.EndPoint), Ct);
        Assert.True(result.Passed, $"{result}");
    }

    [Fact(Timeout = Limit)]
    public async Task Passes_on_a_good_server_behind_a_Unix_socket()
    {
        await using ProbeServer server = ProbeServer.StartUnix(ServeWellAsync);
        ProbeResult result = await Create(TimeProvider.System).CheckAsync(Target(server.EndPoint), Ct);
        Assert.True(result.Passed, $"{result}");
    }

    [Fact(Timeout = Limit)]
    public async Task A_refused_connection_is_told_as_such()
    {
        await using ProbeServer server = ProbeServer.Refusing();
        ProbeResult result = await Create(TimeProvider.System).CheckAsync(Target(server.EndPoint), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Connection, 0, "connection refused"), result);
    }

    [Fact(Timeout = Limit)]
    public async Task A_Unix_socket_that_is_not_there_is_told_as_such()
    {
        string path = Path.Combine(Path.GetTempPath(), $"lb-none-{Guid.NewGuid():N}");
        ProbeResult result = await Create(TimeProvider.System).CheckAsync(Target(new UnixDomainSocketEndPoint(path)), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Connection, 0, "no such socket"), result);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H3")]
    public async Task A_server_that_does_not_answer_the_connection_ends_with_the_token()
    {
        await using ProbeServer server = await ProbeServer.BlackHoleAsync(Ct);
        using CancellationTokenSource limit = new();
        Task<ProbeResult> check = Create(new ManualTimeProvider()).CheckAsync(Target(server.EndPoint), limit.Token).AsTask();
        Assert.False(check.IsCompleted);
        await limit.CancelAsync();
        Assert.Equal(CheckStatus.Layer4Timeout, (await check).Status);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H3")]
    public async Task A_server_that_does_not_answer_the_connection_ends_with_the_connect_time_out()
    {
        await using ProbeServer server = await ProbeServer.BlackHoleAsync(Ct);
        ManualTimeProvider time = new();
        Task<ProbeResult> check = Create(time).CheckAsync(Target(server.EndPoint), Ct).AsTask();
        time.Advance(TimeSpan.FromSeconds(30) - TimeSpan.FromTicks(1));
        Assert.False(check.IsCompleted);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(CheckStatus.Layer4Timeout, (await check).Status);
        Assert.Equal(0, time.ActiveTimers);
    }

    [Fact(Timeout = Limit)]
    public async Task A_check_that_is_cancelled_before_it_starts_does_not_throw()
    {
        await using ProbeServer server = ProbeServer.Start(ServeWellAsync);
        ProbeResult result = await Create(TimeProvider.System).CheckAsync(Target(server.EndPoint), new CancellationToken(canceled: true));
        Assert.Contains(result.Status, (CheckStatus[])[CheckStatus.Layer4Timeout, CheckStatus.Layer6Timeout, CheckStatus.Layer7Timeout]);
    }

    [Fact(Timeout = Limit)]
    public virtual async Task Leaves_no_connection_open()
    {
        await using ProbeServer server = ProbeServer.Start(ServeWellAsync);
        IHealthChecker checker = Create(TimeProvider.System);
        for (int i = 0; i < 3; i++)
        {
            await checker.CheckAsync(Target(server.EndPoint), Ct);
            await server.WhenLeftAsync(Ct);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Serves_many_checks_at_a_time()
    {
        await using ProbeServer server = ProbeServer.Start(ServeWellAsync);
        IHealthChecker checker = Create(TimeProvider.System);
        ProbeResult[] results = await Task.WhenAll(
            Enumerable.Range(0, 64).Select(_ => Task.Run(() => checker.CheckAsync(Target(server.EndPoint), Ct).AsTask(), Ct)));
        Assert.All(results, r => Assert.True(r.Passed, $"{r}"));
    }

    [Fact(Timeout = Limit)]
    public async Task Does_not_depend_on_the_culture()
    {
        CultureInfo strange = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        strange.NumberFormat.NegativeSign = "~";
        strange.NumberFormat.NumberGroupSeparator = "_";
        strange.NumberFormat.NumberDecimalSeparator = "!";
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = strange;
            await using ProbeServer server = ProbeServer.Start(ServeWellAsync);
            ProbeResult result = await Create(TimeProvider.System).CheckAsync(Target(server.EndPoint), Ct);
            Assert.True(result.Passed, $"{result}");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
