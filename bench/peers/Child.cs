using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Lb.Peers;

/// <summary>A process that we started: its id, its output, its end. Ended by its id and by nothing else.</summary>
internal sealed class Child : IAsyncDisposable
{
    private const int KeptOutput = 64 * 1024;

    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private Child(string name, Process process)
    {
        Name = name;
        _process = process;
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
    }

    public string Name { get; }

    /// <summary>taskset and ip netns exec replace themselves by the command, so this is the command's own id.</summary>
    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public StreamWriter Input => _process.StandardInput;

    /// <summary>Standard output and standard error so far.</summary>
    public string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

    /// <summary>Starts a command on one processor (null: wherever the kernel likes) with its output kept.</summary>
    public static Child Start(string name, int? cpu, IReadOnlyList<string> command)
    {
        ProcessStartInfo info = cpu is null ? new(command[0], command.Skip(1)) : new("taskset", ["-c", $"{cpu}", .. command]);
        info.RedirectStandardInput = true;
        info.RedirectStandardOutput = true;
        info.RedirectStandardError = true;
        info.Environment["LC_ALL"] = "C";
        try
        {
            Child child = new(name, Process.Start(info) ?? throw new BenchException($"{name} did not start"));
            child._process.BeginOutputReadLine();
            child._process.BeginErrorReadLine();
            return child;
        }
        catch (Win32Exception e)
        {
            throw new BenchException($"{name}: {e.Message}");
        }
    }

    /// <summary>Runs a command to its end, at most <paramref name="limit"/>.</summary>
    public static async Task<Child> RunAsync(string name, int? cpu, IReadOnlyList<string> command, TimeSpan limit, TimeProvider time, CancellationToken ct)
    {
        Child child = Start(name, cpu, command);
        await using (child)
        {
            using CancellationTokenSource late = new(limit, time);
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
            try
            {
                await child.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                throw new BenchException($"{name} took longer than {limit.TotalSeconds:0} s and was ended");
            }
        }

        return child;
    }

    /// <summary>Until it has ended and all its output is read.</summary>
    public Task WaitAsync(CancellationToken ct) => _process.WaitForExitAsync(ct);

    public async ValueTask DisposeAsync()
    {
        if (_process.HasExited) return; // Not disposed: exit code and output stay readable.
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    private void Keep(object sender, DataReceivedEventArgs e)
    {
        if (e.Data is null) return;
        lock (_output)
        {
            if (_output.Length > KeptOutput) _output.Remove(0, _output.Length / 2);
            _output.Append(e.Data).Append('\n');
        }
    }
}
