using System.Net;
using System.Text;

namespace Lb.Health.Tests.Checkers;

/// <summary>Programs that start others and hang: all of them end with their check.</summary>
[Collection(nameof(Alone))]
[Trait("Row", "H15")]
public sealed class HostileProgramTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Programs_that_fork_and_hang_leave_no_process_and_no_descriptor()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "programs are run as checks on Linux only");
        string directory = Directory.CreateTempSubdirectory("lb-hang-").FullName, script = Path.Combine(directory, "hang.sh"), mark = Guid.NewGuid().ToString("N");

        // It ignores the polite signal, and so does what it starts.
        await File.WriteAllTextAsync(script, "#!/bin/sh\ntrap '' TERM\n(sleep 1000; sleep 1000) &\nsleep 1000\nsleep 1000\n", Ct);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(script, (UnixFileMode)0b111_101_101);
        CommandChecker checker = new(new CheckOptions { Command = { script, mark } });
        await RoundAsync(checker, mark);
        int before = Directory.GetFiles("/proc/self/fd").Length;
        for (int i = 0; i < 3; i++) await RoundAsync(checker, mark);
        while (Directory.GetFiles("/proc/self/fd").Length > before)
        {
            Ct.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Directory.Delete(directory, recursive: true);
    }

    private static async Task RoundAsync(CommandChecker checker, string mark)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        Task<ProbeResult>[] checks = [.. Enumerable.Range(0, 5).Select(_ => checker.CheckAsync(new ProbeTarget("s1", new IPEndPoint(IPAddress.Loopback, 80), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30)), limit.Token).AsTask())];

        // The script itself and its sub-shell: both have the mark among their arguments.
        await WhenAsync(mark, count => count >= 10);
        await limit.CancelAsync();
        Assert.All(await Task.WhenAll(checks), static r => Assert.Equal(new ProbeResult(CheckStatus.Layer7Timeout, 0, "did not end in time"), r));
        await WhenAsync(mark, static count => count == 0);
    }

    private static async Task WhenAsync(string mark, Func<int, bool> condition)
    {
        byte[] text = Encoding.ASCII.GetBytes(mark);
        while (!condition(Directory.GetDirectories("/proc").Count(d => char.IsAsciiDigit(d[6]) && CommandLine(d).AsSpan().IndexOf(text) >= 0)))
        {
            Ct.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static byte[] CommandLine(string process)
    {
        try
        {
            return File.ReadAllBytes(Path.Combine(process, "cmdline"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
