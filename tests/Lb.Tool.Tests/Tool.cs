namespace Lb.Tool.Tests;

/// <summary>Runs a command line in this process.</summary>
internal static class Tool
{
    public static async Task<ToolResult> RunAsync(params string[] args)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter error = new() { NewLine = "\n" };
        int exitCode = await LbCommand.InvokeAsync(args, output, error);
        return new ToolResult(exitCode, output.ToString(), error.ToString());
    }
}

internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
