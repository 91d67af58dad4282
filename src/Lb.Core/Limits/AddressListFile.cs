namespace Lb;

/// <summary>
/// Keeps a list as a file says: one network a line as in HAProxy's files of patterns, empty lines and what follows a <c>#</c> ignored. The file is looked at
/// each second and read when it has changed and then stayed the same for a second, so that half of it is never believed. One with a fault changes nothing: the
/// list stays as it was. Any thread.
/// </summary>
public sealed class AddressListFile : IDisposable
{
    private const int MostErrors = 20;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly Lock _lock = new();
    private readonly AddressList _list;
    private readonly TimeProvider _time;
    private ITimer? _timer;
    private Action<IReadOnlyList<ConfigurationError>>? _told;
    private Stamp _read;
    private Stamp _seen;

    /// <summary>Makes it; nothing is read yet.</summary>
    /// <param name="path">The file.</param>
    /// <param name="list">The list that it fills.</param>
    /// <param name="time">The clock for <see cref="Follow"/>; default <see cref="TimeProvider.System"/>.</param>
    public AddressListFile(string path, AddressList list, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(list);
        Path = path;
        _list = list;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Reads networks as such a file holds them.</summary>
    /// <param name="reader">The text.</param>
    /// <param name="name">Its name, for errors.</param>
    /// <param name="errors">Gets what can't be read, as <c>name:line</c>, at most 20 faults.</param>
    /// <returns>The networks of the other lines.</returns>
    public static IReadOnlyList<AddressPrefix> Read(TextReader reader, string name, ICollection<ConfigurationError> errors)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(errors);
        List<AddressPrefix> networks = [];
        int line = 0, faults = 0;
        while (reader.ReadLine() is { } text)
        {
            line++;
            int comment = text.IndexOf('#', StringComparison.Ordinal);
            string value = (comment < 0 ? text : text[..comment]).Trim();
            if (value.Length == 0) continue;
            if (AddressPrefix.TryParse(value, out AddressPrefix network, out string? error)) networks.Add(network);
            else if (++faults <= MostErrors) errors.Add(new($"{name}:{line}", value, error));
        }

        if (faults > MostErrors) errors.Add(new(name, null, $"{faults - MostErrors} further lines can't be read"));
        return networks;
    }

    /// <summary>Reads the file now. With a fault in it the list stays as it was.</summary>
    /// <returns>The faults; none when the list is as the file says.</returns>
    public IReadOnlyList<ConfigurationError> Load()
    {
        lock (_lock)
        {
            List<ConfigurationError> errors = [];
            _seen = _read = Stamp.Of(Path);
            try
            {
                using StreamReader reader = new(Path);
                IReadOnlyList<AddressPrefix> networks = Read(reader, Path, errors);
                if (errors.Count == 0) _list.Replace(networks);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                errors.Add(new(Path, null, $"can't be read: {error.Message}"));
            }

            return errors;
        }
    }

    /// <summary>Follows the file from now on, until <see cref="Dispose"/>.</summary>
    /// <param name="told">Hears of every reading after a change: its faults, or none. Called on a thread of the pool.</param>
    public void Follow(Action<IReadOnlyList<ConfigurationError>>? told = null)
    {
        lock (_lock)
        {
            _told = told;
            _timer ??= _time.CreateTimer(static state => ((AddressListFile)state!).Look(), this, Interval, Interval);
        }
    }

    /// <summary>Ends following; the list stays as it is.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void Look()
    {
        Stamp now = Stamp.Of(Path);
        lock (_lock)
        {
            bool isQuiet = now == _seen;
            _seen = now;
            if (_timer is null || now == _read || !isQuiet) return;
        }

        IReadOnlyList<ConfigurationError> errors = Load();
        _told?.Invoke(errors);
    }

    /// <summary>What tells a file that has changed. Of the file itself, not of a link to it: whole directories are exchanged by their link.</summary>
    private readonly record struct Stamp(DateTime Written, long Length)
    {
        public static Stamp Of(string path)
        {
            try
            {
                using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path);
                return new Stamp(File.GetLastWriteTimeUtc(file), RandomAccess.GetLength(file));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return default;
            }
        }
    }
}
