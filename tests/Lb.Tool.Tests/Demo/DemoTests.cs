using System.Net;
using System.Net.Sockets;

namespace Lb.Tool.Tests;

public sealed class DemoTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory(Timeout = 120_000)]
    [InlineData("auto")]
    [InlineData("managed")]
    [Trait("Row", "D10")]
    public async Task The_demo_shows_a_failover_and_ends_well(string driver)
    {
        await using LbProcess lb = new("demo", "--seconds", "3", "--driver", driver);
        Assert.True(await lb.ExitCodeAsync() == 0, lb.Text);

        // Output is no terminal: lines, in order of what happens.
        const string story = @"gateway on 127\.0\.0\.1:\d+.*b is killed.*b is DOWN after \d+ ms.*b is revived.*b is UP after \d+ ms.*Summary";
        Assert.Matches("(?s)" + story, lb.Text);
        Assert.Matches(@"(?m)^ +\d+ s  a UP \d+ \(\d+ %\)  b \w+ \d+ \(\d+ %\)  c UP \d+ \(\d+ %\)  requests \d+  errors \d+$", lb.Text);
        Assert.Matches(@"(?m)^  requests +[1-9]\d+$", lb.Text);
        Assert.Matches(@"(?m)^  time to detect +\d+ ms$", lb.Text);
        Assert.Matches(@"(?m)^  time to return +\d+ ms$", lb.Text);
        Assert.Matches(@"(?m)^  share per server +a [\d.]+ %   b [\d.]+ %   c [\d.]+ %$", lb.Text);
        Assert.EndsWith("  result              good", lb.Text);
        Assert.DoesNotContain("\u001b", lb.Text);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_demo_can_be_stopped()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix signals are what is tested.");
        await using LbProcess lb = new("demo", "--seconds", "3600");
        await lb.LineWithAsync("1 s  a UP");
        await lb.SignalAsync("INT");
        Assert.Equal(0, await lb.ExitCodeAsync());
        Assert.EndsWith("  result              good, stopped before the end", lb.Text);
    }

    [Fact]
    public void A_client_that_saw_two_errors_or_a_server_that_stayed_away_is_not_good()
    {
        DemoStatus.Row[] rows = [new("a", ServerStatus.Up, 10, 0.5, 0), new("b", ServerStatus.Up, 10, 0.5, 3)];
        TimeSpan found = TimeSpan.FromMilliseconds(250);
        DemoResult good = new(new DemoStatus(default, rows, 23, 3, 7, []), found, found, WorstClient: 1, "b", Stopped: false);
        Assert.True(good.IsGood);
        Assert.Contains("  errors clients saw  3 (in flight when b was killed; nobody saw two)", good.Lines());
        Assert.False((good with { WorstClient = 2 }).IsGood);
        Assert.False((good with { Detected = null }).IsGood);
        Assert.False((good with { Returned = null }).IsGood);
        Assert.False((good with { Status = good.Status with { Servers = [rows[0], rows[1] with { Answers = 0 }] } }).IsGood);
        Assert.True((good with { Returned = null, Stopped = true }).IsGood);
        Assert.False((good with { WorstClient = 2, Stopped = true }).IsGood);
        Assert.Equal("  result              NOT GOOD", (good with { WorstClient = 2 }).Lines().Last());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_demo_server_answers_dies_and_comes_back_on_its_port()
    {
        using DemoServer server = new("x", TimeProvider.System);
        Assert.Null(await AskAsync(server.EndPoint));
        for (int life = 0; life < 3; life++)
        {
            server.Start();
            Assert.Equal("x\n", await AskAsync(server.EndPoint));
            using TcpClient open = new();
            await open.ConnectAsync(server.EndPoint, Ct);
            await open.GetStream().WriteAsync("wh"u8.ToArray(), Ct);
            Assert.Equal("x\n", await AskAsync(server.EndPoint));

            server.Kill();
            Assert.Null(await AskAsync(server.EndPoint));
            byte[] buffer = new byte[1];
            await Assert.ThrowsAsync<IOException>(async () => await open.GetStream().ReadExactlyAsync(buffer, Ct));
        }
    }

    private static async Task<string?> AskAsync(IPEndPoint endPoint)
    {
        try
        {
            using TcpClient client = new();
            await client.ConnectAsync(endPoint, Ct);
            await client.GetStream().WriteAsync("who\n"u8.ToArray(), Ct);
            using StreamReader reader = new(client.GetStream());
            return await reader.ReadToEndAsync(Ct);
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
