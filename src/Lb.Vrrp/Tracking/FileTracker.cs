using System.Globalization;

namespace Lb.Vrrp;

/// <summary>
/// Reads a number from a file when the file changes, and at each interval (keepalived <c>track_file</c>). A file that is missing, empty or without a number
/// counts as 0; a number beyond 32 bits is ignored. An ordinary file: reading a pipe would wait for its writer.
/// </summary>
internal sealed class FileTracker(RouterTrackOptions options, TimeProvider time) : ITracker
{
    private const int MostRead = 127;
    private readonly string _file = options.File!;
    private readonly TrackReports _reports = new();
    private readonly CancellationTokenSource _stop = new();
    private volatile TaskCompletionSource _changed = Signal();
    private FileSystemWatcher? _watcher;
    private int _value;
    private bool _wasEmpty;

    public string Name => $"file {_file}";

    /// <summary>The loop; ends some time after <see cref="Dispose"/>.</summary>
    internal Task Ended { get; private set; } = Task.CompletedTask;

    public void Start(Action<TrackReport> report)
    {
        _reports.Open(report);
        _watcher = Watch();
        _wasEmpty = true;
        Look();
        CancellationToken ct = _stop.Token;
        Ended = Task.Run(() => WatchAsync(ct), CancellationToken.None);
    }

    public void Dispose()
    {
        _reports.Close();
        _stop.Cancel();
        _watcher?.Dispose();
    }

    private static TaskCompletionSource Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private FileSystemWatcher? Watch()
    {
        try
        {
            FileSystemWatcher watcher = new(Path.GetDirectoryName(_file)!, Path.GetFileName(_file));
            watcher.Changed += (_, _) => _changed.TrySetResult();
            watcher.Created += (_, _) => _changed.TrySetResult();
            watcher.Deleted += (_, _) => _changed.TrySetResult();
            watcher.Renamed += (_, _) => _changed.TrySetResult();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception error) when (error is ArgumentException or IOException)
        {
            // No such directory yet, or no inotify left: the look at each interval has to do.
            return null;
        }
    }

    private async Task WatchAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            await _changed.Task.WaitAsync(options.Interval, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ct.IsCancellationRequested) return;

            // A new signal before the look: what changes while it is read is read again.
            _changed = Signal();
            Look();
        }
    }

    private void Look()
    {
        string text = Read();

        // A file is empty for a moment while it is written anew; it is believed when it stays so.
        bool isEmpty = text.Length == 0 && File.Exists(_file);
        if (isEmpty && !_wasEmpty)
        {
            _wasEmpty = true;
            return;
        }

        _wasEmpty = isEmpty;
        if (TrackFileValue.TryParse(text, out int value)) _value = value;
        _reports.Tell(new TrackReport(_value == 0, _value, string.Create(CultureInfo.InvariantCulture, $"holds {_value}")));
    }

    private string Read()
    {
        try
        {
            using StreamReader reader = new(_file);
            Span<char> text = stackalloc char[MostRead];
            return new string(text[..reader.ReadBlock(text)]);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
