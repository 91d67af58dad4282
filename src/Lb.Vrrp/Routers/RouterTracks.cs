namespace Lb.Vrrp;

/// <summary>What is known of everything that a router tracks. The driver's thread.</summary>
internal sealed class RouterTracks(RouterOptions options)
{
    /// <summary>How the reasons of faults begin that come from here.</summary>
    public const string FaultPrefix = "tracked: ";

    private readonly TrackedItem[] _items = [.. options.Track.Select(static t => new TrackedItem(t.Weight, IsWell: !t.InitFail, t.Reverse, t.File is null ? null : 0))];
    private readonly string[] _texts = [.. options.Track.Select(static t => t.InitFail ? "not looked at yet, and taken for not well" : "not looked at yet")];
    private readonly bool[] _known = new bool[options.Track.Count];

    /// <summary>True when everything was looked at once.</summary>
    public bool AllKnown => !_known.Contains(false);

    /// <summary>Takes in a report.</summary>
    /// <returns>True when something has changed by it.</returns>
    public bool Take(int index, bool isWell, int value, string text)
    {
        TrackedItem item = _items[index] with { IsWell = isWell, Number = _items[index].Number is null ? null : value };
        if (_known[index] && item == _items[index]) return false;
        _known[index] = true;
        _items[index] = item;
        _texts[index] = text;
        return true;
    }

    /// <summary>Takes over what is known of things that were tracked in the same way before.</summary>
    public void Adopt(RouterTracks before, RouterOptions beforeOptions)
    {
        for (int i = 0; i < _items.Length; i++)
        {
            string key = RouterChanges.Key(options.Track[i]);
            int at = beforeOptions.Track.ToList().FindIndex(t => RouterChanges.Key(t) == key);
            if (at < 0) continue;
            (_known[i], _texts[i]) = (before._known[at], before._texts[at]);
            _items[i] = _items[i] with { IsWell = before._items[at].IsWell, Number = before._items[at].Number };
        }
    }

    /// <summary>The priority that follows, and the faults.</summary>
    /// <param name="configured">As configured.</param>
    /// <param name="faults">Takes the reasons for a fault.</param>
    public byte Evaluate(byte configured, List<string> faults)
    {
        faults.Clear();
        byte priority = TrackedPriority.Of(configured, _items, out bool isFault);
        for (int i = 0; isFault && i < _items.Length; i++)
        {
            _ = TrackedPriority.Of(configured, _items.AsSpan(i, 1), out bool isThis);
            if (isThis) faults.Add($"{FaultPrefix}{Label(options.Track[i])}");
        }

        return priority;
    }

    public IReadOnlyList<string> Describe() => [.. _items.Select((item, i) => $"{Label(options.Track[i])}: {(item.IsWell ? "well" : "not well")}, weight {item.Weight}: {_texts[i]}")];

    /// <summary>What is tracked, in a few words.</summary>
    public static string Label(RouterTrackOptions track) =>
        track.Pool is { } pool ? $"pool {pool}"
        : track.Interface is { } device ? $"interface {device}"
        : track.Command.Count > 0 ? $"command {Path.GetFileName(track.Command[0])}"
        : track.Process is { } process ? $"process {process}"
        : track.File is { } file ? $"file {file}" : "code of the host's";
}
