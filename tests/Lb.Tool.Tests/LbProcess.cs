using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Lb.Tool.Tests;

/// <summary>The built <c>lb</c> as a process of its own; ended with the test.</summary>
internal sealed class LbProcess : IAsyncDisposable
{
    private readonly Process _process = new();
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _read;

    public LbProcess(params string[] args)
        : this([], args)
    {
    }

    /// <summary>Started by other programs, each of which becomes the next one.</summary>
    public LbProcess(IReadOnlyList<string> wrapper, IReadOnlyList<string> args)
    {
        string dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        // A shell that runs the tests in the background lets them ignore signals, and children inherit that: env undoes it, then becomes lb.
        string[] command = [.. wrapper, "env", "--default-signal=INT,HUP,QUIT,TERM", dotnet, Path.Combine(AppContext.BaseDirectory, "lb.dll"), .. args];
        _process.StartInfo = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Everything it has written so far, both streams.</summary>
    public string Text
    {
        get
        {
            lock (_lock) return string.Join('\n', _lines);
        }
    }

    public int Id => _process.Id;

    /// <summary>The next line with this text in it, after the one found last.</summary>
    public async Task<string> LineWithAsync(string text)
    {
        while (true)
        {
            Task more;
            lock (_lock)
            {
                int found = _lines.FindIndex(_read, line => line.Contains(text, StringComparison.Ordinal));
                if (found >= 0)
                {
                    _read = found + 1;
                    return _lines[found];
                }

                more = _more.Task;
            }

            Task first = await Task.WhenAny(more, _process.WaitForExitAsync(Ct));
            await first.WaitAsync(Ct);
            Assert.True(first == more || Text.Contains(text, StringComparison.Ordinal), $"It ended without '{text}':\n{Text}");
        }
    }

    /// <summary>Where the gateway listens, as its log says.</summary>
    public async Task<IPEndPoint> ListensAsync()
    {
        string line = await LineWithAsync(" listens on ");
        await LineWithAsync("Running ");
        return IPEndPoint.Parse(Regex.Match(line, "listens on ([0-9.:]+)", RegexOptions.None, TimeSpan.FromSeconds(1)).Groups[1].Value);
    }

    public async Task SignalAsync(string signal)
    {
        string id = Id.ToString(CultureInfo.InvariantCulture);
        using Process kill = Process.Start(new ProcessStartInfo("kill", ["-" + signal, id]))!;
        await kill.WaitForExitAsync(Ct);
        Assert.Equal(0, kill.ExitCode);
    }

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync(Ct);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private void Add(string? line)
    {
        if (line is null) return;
        lock (_lock)
        {
            _lines.Add(line);
            _more.TrySetResult();
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
