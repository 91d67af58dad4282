namespace Lb.Health;

/// <summary>The last so many checks of one server. Holds values and not reports, so that a check leaves nothing behind for the collector. One thread at a time.</summary>
internal sealed class ReportRing
{
    private Entry[] _entries = [];
    private int _next;
    private int _count;

    /// <summary>Adds a check, in the place of the oldest.</summary>
    /// <param name="size">How many are kept; another number than before keeps the youngest.</param>
    /// <param name="check">Its kind.</param>
    /// <param name="report">How it ended.</param>
    /// <param name="verdict">What it says of the server.</param>
    /// <param name="flipped">Whether it said something else before.</param>
    public void Add(int size, string check, CheckReport report, ServerHealth verdict, bool flipped)
    {
        if (size != _entries.Length) Resize(size);
        if (size == 0) return;
        _entries[_next] = new Entry(check, report, verdict, flipped);
        _next = (_next + 1) % size;
        _count = Math.Min(_count + 1, size);
    }

    /// <summary>All of them, the oldest first.</summary>
    public IReadOnlyList<HealthRecord> Copy() => [.. Youngest(_count).Select(static e => e.ToRecord())];

    private void Resize(int size)
    {
        Entry[] kept = [.. Youngest(Math.Min(_count, size))];
        _entries = new Entry[size];
        kept.CopyTo(_entries, 0);
        _count = kept.Length;
        _next = size == 0 ? 0 : _count % size;
    }

    private IEnumerable<Entry> Youngest(int count)
    {
        for (int i = count; i > 0; i--) yield return _entries[(_next - i + _entries.Length) % _entries.Length];
    }

    // 40 bytes, not the 64 of its parts: no other part of a check is held so many times for each server.
    private readonly struct Entry(string check, CheckReport report, ServerHealth verdict, bool flipped)
    {
        private readonly string _check = check, _text = report.Text;
        private readonly long _at = report.At.UtcTicks;
        private readonly int _code = report.Code, _consecutive = report.Consecutive;

        // The duration's ticks, below them five bits of the status, two of the verdict, one of the flip.
        private readonly long _rest = (report.Duration.Ticks << 8) | ((long)report.Status << 3) | ((long)verdict << 1) | (flipped ? 1L : 0);

        public HealthRecord ToRecord()
        {
            CheckReport kept = new(
                (CheckStatus)((_rest >> 3) & 31), _code, new TimeSpan(_rest >> 8), _text, new DateTimeOffset(_at, TimeSpan.Zero), _consecutive);
            return new HealthRecord(_check, kept, (ServerHealth)((_rest >> 1) & 3), (_rest & 1) != 0);
        }
    }
}
