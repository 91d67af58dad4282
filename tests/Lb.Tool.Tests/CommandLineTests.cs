namespace Lb.Tool.Tests;

public sealed class CommandLineTests
{
    [Fact]
    public async Task Help_names_every_verb()
    {
        ToolResult result = await Tool.RunAsync("--help");
        Assert.Equal(0, result.ExitCode);
        foreach (string verb in (string[])["run", "check", "play", "demo"]) Assert.Matches($@"(?m)^  {verb}\b", result.Output);
    }

    [Fact]
    public async Task Version_is_the_package_version()
    {
        ToolResult result = await Tool.RunAsync("--version");
        Assert.Equal(0, result.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+", result.Output);
    }

    [Theory]
    [InlineData("check")]
    [InlineData("run")]
    [InlineData("play", "--pool", "web")]
    [InlineData("nonsense")]
    [InlineData("demo", "--seconds", "2")]
    [InlineData("demo", "--driver", "carrier-pigeon")]
    public async Task A_wrong_command_line_is_refused(params string[] args)
    {
        ToolResult result = await Tool.RunAsync(args);
        Assert.Equal(1, result.ExitCode);
        Assert.NotEmpty(result.Error);
    }
}
