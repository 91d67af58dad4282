namespace Lb;

/// <summary>
/// Entries in the order of their ends, as a wheel of 64 lists, each for 1/32 of the timeout. A refresh moves nothing; an entry moves when it is come upon
/// and its end turns out to be later, so that everything is O(1) however many there are. Only under its owner's lock, but for <see cref="Count"/>.
/// </summary>
internal sealed class SourceDeadlines(long timeout)
{
    private const int Lists = 64;

    private readonly long _step = Math.Max(1, timeout / (Lists / 2));
    private readonly SourceEntry?[] _first = new SourceEntry?[Lists];
    private readonly SourceEntry?[] _last = new SourceEntry?[Lists];

    // No entry is filed before it.
    private long _hand;
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>When the first list is due; null when there is nothing.</summary>
    public long? NextDue => First() is { } entry ? entry.Filed * _step : null;

    public void Add(SourceEntry entry, long now)
    {
        if (_count == 0) _hand = now / _step;
        Volatile.Write(ref _count, _count + 1);
        Link(entry, List(entry.Deadline));
    }

    public void Remove(SourceEntry entry)
    {
        Unlink(entry);
        Volatile.Write(ref _count, _count - 1);
    }

    /// <summary>The entry filed first.</summary>
    public SourceEntry? First()
    {
        if (_count == 0) return null;
        while (_first[Index(_hand)] is null) _hand++;
        return _first[Index(_hand)];
    }

    /// <summary>The entry filed first if its list is due; its end may be later all the same.</summary>
    public SourceEntry? Due(long now) => First() is { } entry && entry.Filed <= now / _step ? entry : null;

    /// <summary>Files an entry by its end; false when it stands where it belongs, unless it is to move behind the others of its list.</summary>
    public bool Move(SourceEntry entry, long deadline, bool always = false)
    {
        long list = List(deadline);
        if (list <= entry.Filed && !always) return false;
        Unlink(entry);
        Link(entry, list);
        return true;
    }

    // The first list that is due no earlier than the end. One too far ahead goes into the last list, and on from there.
    private long List(long deadline) => Math.Clamp(((deadline - 1) / _step) + 1, _hand, _hand + Lists - 1);

    private static int Index(long list) => (int)(list & (Lists - 1));

    private void Link(SourceEntry entry, long list)
    {
        int index = Index(list);
        entry.Filed = list;
        entry.Before = _last[index];
        entry.After = null;
        if (entry.Before is null) _first[index] = entry;
        else entry.Before.After = entry;
        _last[index] = entry;
    }

    private void Unlink(SourceEntry entry)
    {
        int index = Index(entry.Filed);
        if (entry.Before is null) _first[index] = entry.After;
        else entry.Before.After = entry.After;
        if (entry.After is null) _last[index] = entry.Before;
        else entry.After.Before = entry.Before;
        entry.Before = entry.After = null;
    }
}
