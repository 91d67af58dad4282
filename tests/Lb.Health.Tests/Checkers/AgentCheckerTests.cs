using System.Net.Sockets;
using System.Text;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H20")]
public sealed class AgentCheckerTests : HealthCheckerContract
{
    protected override IHealthChecker Create(TimeProvider time) => new AgentChecker(new CheckOptions { Port = 1 }, time);

    protected override Task ServeWellAsync(Socket socket, CancellationToken ct) => Scripted.Banner("up ready 75%\n")(socket, ct);

    [Fact(Timeout = Limit)]
    public async Task Sends_its_text_and_passes_the_words_on()
    {
        string said = "";
        ProbeResult result = await Scripted.CheckAsync(new AgentChecker(new CheckOptions { Port = 1, AgentSend = @"web1\n" }), async (s, ct) =>
        {
            said = await Scripted.LineAsync(s, ct);
            await Scripted.Banner("drain, 50%\tmaxconn:30 # going home\r\nnot read")(s, ct);
        }, Ct);
        Assert.Equal("web1", said);
        Assert.Equal(CheckStatus.Layer7Ok, result.Status);
        Assert.Equal("drain 50% maxconn:30: going home", result.Text);
        Assert.Equal(new ProbeAdvice { State = ServerAdmin.Drain, WeightPercent = 50, MaxConnections = 30 }, result.Advice);
    }

    [Theory(Timeout = Limit)]
    [InlineData("")]
    [InlineData("down")]
    public async Task A_line_without_an_end_says_nothing(string line) =>
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, "no whole line"), await Scripted.CheckAsync(Create(TimeProvider.System), Scripted.Banner(line), Ct));

    [Theory]
    [InlineData("up", CheckStatus.Layer7Ok, ServerHealth.Up)]
    [InlineData("UP", CheckStatus.Layer7Ok, ServerHealth.Up)]
    [InlineData("down", CheckStatus.Layer7Status, ServerHealth.Down)]
    [InlineData("failed", CheckStatus.Layer7Status, ServerHealth.Down)]
    [InlineData("fail", CheckStatus.Layer7Status, ServerHealth.Down)]
    [InlineData("stopped #by hand", CheckStatus.Layer7Status, ServerHealth.Down)]
    [InlineData("down up", CheckStatus.Layer7Ok, ServerHealth.Up)]
    [InlineData("100%", CheckStatus.Layer7Ok, null)]
    [InlineData("ready", CheckStatus.Layer7Ok, null)]
    [InlineData("ready #down", CheckStatus.Layer7Ok, null)]
    public void Reads_the_words_of_health(string line, CheckStatus status, ServerHealth? health)
    {
        ProbeResult result = AgentWords.Read(Encoding.ASCII.GetBytes(line));
        Assert.Equal(status, result.Status);
        Assert.Equal(health, result.Advice?.Health);
    }

    [Theory]
    [InlineData("0%", null, 0)]
    [InlineData("75%", null, 75)]
    [InlineData("99999%", null, 25_600)]
    [InlineData("weight:12", 12, null)]
    [InlineData("weight:12%", null, 12)]
    [InlineData("10%,20%", null, 20)]
    [InlineData("weight:12 20%", null, 20)]
    public void Reads_weights(string line, int? weight, int? percent)
    {
        ProbeAdvice? advice = AgentWords.Read(Encoding.ASCII.GetBytes(line)).Advice;
        Assert.Equal(new ProbeAdvice { Weight = weight, WeightPercent = percent }, advice);
    }

    [Theory]
    [InlineData("ready", ServerAdmin.Ready)]
    [InlineData("drain", ServerAdmin.Drain)]
    [InlineData("maint", ServerAdmin.Maintenance)]
    [InlineData("drain ready", ServerAdmin.Ready)]
    public void Reads_states(string line, ServerAdmin state) => Assert.Equal(state, AgentWords.Read(Encoding.ASCII.GetBytes(line)).Advice?.State);

    [Theory]
    [InlineData("", "no word")]
    [InlineData("#only a text", "no word")]
    [InlineData("75", "unknown word 75")]
    [InlineData("-5%", "unknown word -5%")]
    [InlineData("weight:300", "unknown word weight:300")]
    [InlineData("maxconn:", "unknown word maxconn:")]
    [InlineData("up#x", "unknown word up#x")]
    [InlineData("HTTP/1.1 400 Bad Request", "unknown word HTTP/1.1")]
    public void What_is_no_word_asks_for_nothing(string line, string text) =>
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, text), AgentWords.Read(Encoding.ASCII.GetBytes(line)));

    [Fact]
    public void The_other_words_of_a_line_hold_beside_one_that_is_not_known()
    {
        ProbeResult result = AgentWords.Read("drain what 5%"u8);
        Assert.Equal("unknown word what", result.Text);
        Assert.Equal(new ProbeAdvice { State = ServerAdmin.Drain, WeightPercent = 5 }, result.Advice);
    }

    [Fact]
    public void Lives_through_any_bytes()
    {
        foreach (byte[] junk in Scripted.Junk(4000, "up, 75% maxconn:3 weight:2% #x"u8.ToArray()))
        {
            ProbeAdvice? advice = AgentWords.Read(junk).Advice;
            Assert.InRange(advice?.WeightPercent ?? 0, 0, 25_600);
            Assert.InRange(advice?.Weight ?? 0, 0, 256);
            Assert.InRange(advice?.MaxConnections ?? 0, 0, 16_000_000);
        }
    }

    [Fact]
    public void Needs_a_port_and_a_text_that_can_be_understood()
    {
        Assert.Contains("Port", Assert.Throws<ArgumentException>(() => new AgentChecker(new CheckOptions())).Message, StringComparison.Ordinal);
        Assert.Contains("AgentSend", Assert.Throws<ArgumentException>(() => new AgentChecker(new CheckOptions { Port = 1, AgentSend = @"a\x" })).Message, StringComparison.Ordinal);
    }
}
