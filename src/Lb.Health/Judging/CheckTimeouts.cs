namespace Lb.Health;

/// <summary>How long the stages of a check may take. Pure.</summary>
/// <param name="Connect">Limit of the connection: the pool's connect time-out or the interval, whichever is shorter.</param>
/// <param name="Answer">Limit of the answer, counted from the connection; null: what is left of <paramref name="Whole"/>.</param>
/// <param name="Whole">Limit of the whole check.</param>
internal readonly record struct CheckTimeouts(TimeSpan Connect, TimeSpan? Answer, TimeSpan Whole)
{
    // What a timer takes.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(24);

    /// <summary>HAProxy's rule (<c>timeout check</c>): with a time-out of its own the answer has that, after the connection; else the whole check has the interval.</summary>
    public static CheckTimeouts From(TimeSpan interval, TimeSpan? timeout, TimeSpan poolConnectTimeout)
    {
        TimeSpan connect = poolConnectTimeout < interval ? poolConnectTimeout : interval;
        return new CheckTimeouts(connect, timeout, timeout is { } answer ? connect + answer : interval);
    }

    /// <summary>Limit of a check of several attempts: each has its own time, as keepalived's have, and the delays between them come on top.</summary>
    public static TimeSpan WithRetries(TimeSpan attempt, int retry, TimeSpan delay)
    {
        TimeSpan whole = (attempt * (retry + 1)) + (delay * retry);
        return whole < Longest ? whole : Longest;
    }
}
