using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Lb.Tool;

/// <summary>Reads a configuration file again when it changes and on SIGHUP; what is wrong with it is logged.</summary>
internal sealed class ConfigurationFollower : IDisposable
{
    // Editors write in several steps; the last one counts.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(250);

    private readonly ConfigurationFile _file;
    private readonly string _name;
    private readonly ILogger _logger;
    private readonly ITimer _settled;
    private readonly FileSystemWatcher? _watcher;
    private readonly PosixSignalRegistration? _hangUp;

    public ConfigurationFollower(ConfigurationFile file, TimeProvider time, ILogger logger)
    {
        _file = file;
        _logger = logger;
        string full = Path.GetFullPath(file.Path);
        _name = Path.GetFileName(full);
        _settled = time.CreateTimer(_ => Reload(evenIfSame: false), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        // On Windows the signal means that the console closes.
        if (!OperatingSystem.IsWindows())
        {
            _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                Reload(evenIfSame: true);
            });
        }

        try
        {
            _watcher = new FileSystemWatcher(Path.GetDirectoryName(full)!);
            _watcher.Changed += OnChange;
            _watcher.Created += OnChange;
            _watcher.Deleted += OnChange;
            _watcher.Renamed += OnChange;
            _watcher.Error += OnError;
            _watcher.EnableRaisingEvents = true;
        }
        catch (Exception error) when (error is IOException or ArgumentException or UnauthorizedAccessException)
        {
            ToolLog.NotFollowed(logger, file.Path, error.Message);
        }
    }

    public void Dispose()
    {
        _hangUp?.Dispose();
        _watcher?.Dispose();
        _settled.Dispose();
    }

    // Kubernetes changes a mounted file by swapping a directory link whose name begins with two dots.
    private void OnChange(object sender, FileSystemEventArgs change)
    {
        bool isFile = change.Name == _name || (change as RenamedEventArgs)?.OldName == _name;
        bool isLink = change.Name?.StartsWith("..", StringComparison.Ordinal) == true;
        if (isFile || isLink) _settled.Change(Settle, Timeout.InfiniteTimeSpan);
    }

    // Events were lost; perhaps one of ours was among them.
    private void OnError(object sender, ErrorEventArgs error) => _settled.Change(Settle, Timeout.InfiniteTimeSpan);

    private void Reload(bool evenIfSame)
    {
        if (_file.Read(evenIfSame) is { } fault) ToolLog.FileRefused(_logger, fault);
    }
}
