namespace Lb.Transport;

/// <summary>
/// The pace at which a gateway accepts (HAProxy <c>rate-limit sessions</c>): when so many have come, its listeners rest until there is room again. Who comes
/// meanwhile waits in the kernel's backlog. Any thread.
/// </summary>
internal sealed class AcceptPace(int limit, TimeProvider time, Action changed)
{
    private readonly RateGate _gate = new(limit, TimeSpan.FromSeconds(1), time.TimestampFrequency);
    private int _rests;

    public int Limit => limit;

    /// <summary>Nobody is to be accepted at the moment.</summary>
    public bool Rests => Volatile.Read(ref _rests) != 0;

    /// <summary>A client was let in, on this loop.</summary>
    public void Accepted(EventLoop loop)
    {
        TimeSpan wait = _gate.Take(loop.Now);
        if (wait <= TimeSpan.Zero || Interlocked.Exchange(ref _rests, 1) != 0) return;
        loop.Schedule(new Alarm(this, loop), wait);
        changed();
    }

    private void Wake(Alarm alarm, EventLoop loop)
    {
        TimeSpan wait = _gate.Wait(loop.Now);
        if (wait > TimeSpan.Zero)
        {
            loop.Schedule(alarm, wait);
            return;
        }

        Volatile.Write(ref _rests, 0);
        changed();
    }

    private sealed class Alarm(AcceptPace pace, EventLoop loop) : LoopTimer
    {
        protected internal override void OnTimer() => pace.Wake(this, loop);
    }
}
