using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Lb.Interop.Tests.Peers;

/// <summary>A real program as a child process: started, waited for until it can be connected to, ended by its id and with all that it started.</summary>
internal sealed class Peer : IAsyncDisposable
{
    private const int Kill = 9;
    private const int Terminate = 15;
    private const int KeptOutput = 64 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private Peer(Process process)
    {
        _process = process;
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
    }

    public int Id => _process.Id;

    /// <summary>Standard output and standard error so far.</summary>
    public string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

    /// <summary>What it writes, line by line, both streams.</summary>
    public Heard<string> Lines { get; } = new();

    /// <summary>What is not there, and what brings it; null when all is there.</summary>
    /// <param name="needs">Programs by their path, and the packages of Debian that have them.</param>
    public static string? Missing(params (string Program, string Package)[] needs)
    {
        if (!OperatingSystem.IsLinux()) return "real peers are run on Linux only";
        foreach ((string program, string package) in needs)
        {
            if (!File.Exists(program) && !Directory.Exists(program)) return $"{program} is not installed; it is in Debian's package {package}";
        }

        return null;
    }

    /// <summary>Skips the test, and says why, when something is not there.</summary>
    public static void Demand(params (string Program, string Package)[] needs)
    {
        string? missing = Missing(needs);
        Assert.SkipWhen(missing is not null, missing ?? "");
    }

    /// <summary>Starts a program.</summary>
    /// <param name="home">Its working directory.</param>
    /// <param name="command">The program as an absolute path, and its arguments.</param>
    /// <param name="user">The user it runs as, which needs root; null: ours.</param>
    public static Peer Start(PeerHome home, string[] command, string? user = null)
    {
        if (user is not null) command = ["/usr/bin/setpriv", $"--reuid={user}", $"--regid={user}", "--clear-groups", "--", .. command];
        ProcessStartInfo start = new(command[0], command[1..]) { WorkingDirectory = home.Directory, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        Peer peer = new(Process.Start(start)!);
        peer._process.BeginOutputReadLine();
        peer._process.BeginErrorReadLine();
        return peer;
    }

    /// <summary>Starts a program, and waits until it can be connected to.</summary>
    public static async Task<Peer> StartAsync(PeerHome home, EndPoint ready, string[] command, string? user = null)
    {
        Peer peer = Start(home, command, user);
        try
        {
            await peer.WhenReadyAsync(ready);
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a program to its end.</summary>
    /// <returns>What it wrote.</returns>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task<string> RunAsync(PeerHome home, string[] command, string? user = null)
    {
        await using Peer peer = Start(home, command, user);
        await peer._process.WaitForExitAsync(CancellationToken.None).WaitAsync(Patience);
        return peer._process.ExitCode == 0 ? peer.Output : throw new InvalidOperationException($"{string.Join(' ', command)} ended with {peer._process.ExitCode}:\n{peer.Output}");
    }

    /// <summary>Kills it and all that it has started, children first: nobody is left to say good-bye.</summary>
    public async Task KillAsync()
    {
        Stack<int> all = [];
        Collect(Id);
        foreach (int process in all) _ = Signal(process, Kill);
        await _process.WaitForExitAsync(CancellationToken.None);

        void Collect(int process)
        {
            all.Push(process);
            foreach (string thread in Directory.EnumerateDirectories($"/proc/{process}/task"))
            {
                foreach (string child in File.ReadAllText($"{thread}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)) Collect(int.Parse(child, System.Globalization.CultureInfo.InvariantCulture));
            }
        }
    }

    /// <summary>Asks it to end, and waits until it has.</summary>
    public async Task EndAsync()
    {
        _ = Signal(Id, Terminate);
        await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        // Asked first: a database that is killed leaves shared memory behind.
        if (!_process.HasExited) _ = Signal(Id, Terminate);
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(10));
        await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int process, int signal);

    private async Task WhenReadyAsync(EndPoint ready)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (!await IsReadyAsync(ready))
        {
            // Its end would be news too; there is none but to ask again for a port that opens.
            Task ended = _process.WaitForExitAsync(CancellationToken.None);
            await ended.WaitAsync(Pause).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended.IsCompletedSuccessfully) throw new InvalidOperationException($"The peer ended with {_process.ExitCode} before it was ready:\n{Output}");
            if (TimeProvider.System.GetElapsedTime(started) > Patience) throw new TimeoutException($"The peer does not listen on {ready}:\n{Output}");
        }
    }

    private static async Task<bool> IsReadyAsync(EndPoint ready)
    {
        using Socket socket = ready is UnixDomainSocketEndPoint
            ? new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(ready);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not { } text) return;
        lock (_output)
        {
            if (_output.Length < KeptOutput) _output.AppendLine(text);
        }

        Lines.Add(text);
    }
}
