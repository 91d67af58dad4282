namespace Lb;

/// <summary>
/// A place among those who wait for a server (HAProxy <c>set-priority-class</c>, <c>set-priority-offset</c>): first by class, then by the time of coming
/// moved by the offset. It counts only while somebody waits, and never interrupts anybody. A value.
/// </summary>
/// <param name="Class">A lower class is served before every higher one, -2047 to 2047; 0 = ordinary.</param>
/// <param name="Offset">Milliseconds by which the caller counts as having come later, or earlier when negative, -524287 to 524287.</param>
public readonly record struct QueuePriority(short Class, int Offset);
