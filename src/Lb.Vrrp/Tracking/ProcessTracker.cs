using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>
/// Counts processes by their name (keepalived <c>track_process</c>, without its events of the kernel): it is well while there are enough. Zombies do not count.
/// </summary>
/// <remarks>
/// A name is compared with <c>/proc/PID/comm</c>, which has 15 bytes; one with a slash with the first word of the command line. The processes found last
/// are looked at first, so that all of /proc is read only when one of them is gone.
/// </remarks>
internal sealed class ProcessTracker : JudgedTracker
{
    private const int LongestName = 15;
    private readonly string _process;
    private readonly int _quorum;
    private readonly TimeSpan _delay;
    private readonly string _proc;
    private List<int> _found = [];
    private TimeSpan? _lostAt;
    private bool _wasThere;

    public ProcessTracker(RouterTrackOptions options, TimeProvider time, ILogger logger, string proc = "/proc")
        : base(options, time, logger)
    {
        _process = options.Process!;
        _quorum = options.Quorum;
        _delay = options.Delay;
        _proc = proc;
    }

    public override string Name => $"process {_process}";

    protected override ValueTask<(bool Passed, string Text)> LookAsync(CancellationToken limit)
    {
        _found = [.. _found.Where(Matches)];
        if (_found.Count < _quorum) _found = Search(limit);
        string text = string.Create(CultureInfo.InvariantCulture, $"{_found.Count} of {_quorum} processes");
        if (_found.Count >= _quorum)
        {
            (_lostAt, _wasThere) = (null, true);
            return new((true, text));
        }

        TimeSpan now = Time.GetElapsedTime(0);
        _lostAt ??= now;
        return new((_wasThere && now - _lostAt.Value < _delay, text));
    }

    private List<int> Search(CancellationToken limit)
    {
        List<int> found = [];
        foreach (string directory in Directory.EnumerateDirectories(_proc))
        {
            limit.ThrowIfCancellationRequested();
            if (!int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int id) || !Matches(id)) continue;
            found.Add(id);
            if (found.Count == _quorum) break;
        }

        return found;
    }

    private bool Matches(int id)
    {
        try
        {
            // "12 (name) S …": the name may have brackets and blanks of its own.
            string directory = Path.Combine(_proc, id.ToString(CultureInfo.InvariantCulture));
            string stat = File.ReadAllText(Path.Combine(directory, "stat"));
            int open = stat.IndexOf('('), close = stat.LastIndexOf(')');
            if (open < 0 || close < open || close + 2 >= stat.Length || stat[close + 2] is 'Z' or 'X') return false;
            if (!_process.Contains('/', StringComparison.Ordinal))
                return stat.AsSpan(open + 1, close - open - 1).SequenceEqual(_process.AsSpan(0, Math.Min(_process.Length, LongestName)));
            string line = File.ReadAllText(Path.Combine(directory, "cmdline"));
            return line.AsSpan(0, line.IndexOf('\0') is var end && end >= 0 ? end : line.Length).SequenceEqual(_process);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It has ended meanwhile.
            return false;
        }
    }
}
