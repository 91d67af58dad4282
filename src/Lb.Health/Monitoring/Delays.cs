namespace Lb.Health;

/// <summary>Delays for timers, which count whole milliseconds and would cut the rest off: waking early means waiting twice.</summary>
internal static class Delays
{
    public static TimeSpan Ceiling(TimeSpan delay) => TimeSpan.FromMilliseconds(Math.Ceiling(delay.TotalMilliseconds));
}
