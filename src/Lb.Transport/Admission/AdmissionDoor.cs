namespace Lb.Transport;

/// <summary>
/// The door of a gateway on one loop: asks who is let in, turns the others away in the manner that their rule says, and holds those that have to wait. Loop's
/// thread.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="admission">Who decides.</param>
/// <param name="limits">Where a held client counts as open, because it costs a descriptor.</param>
/// <param name="enter">Takes a client in.</param>
internal sealed class AdmissionDoor(EventLoop loop, ConnectionAdmission admission, ProcessLimits limits, Action<Connection> enter)
{
    // For a source with too many connections nobody knows when one of them will end.
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);
    private HeldClient? _first;

    /// <summary>A client has connected. It is taken in, turned away or held when this returns.</summary>
    public void Knock(Connection connection)
    {
        connection.GetPeer(out PeerAddress client);
        AdmissionDecision decision = admission.Decide(in client, loop.Now);
        switch (decision.Action)
        {
            case AccessAction.Allow:
                enter(connection);
                break;
            case AccessAction.Tarpit or AccessAction.Delay when admission.TryHold():
                Hold(connection, decision);
                break;
            case AccessAction.SilentDrop:
                connection.Vanish();
                break;
            default:
                connection.Abort();
                break;
        }
    }

    /// <summary>The gateway takes nobody in any more.</summary>
    public void Clear()
    {
        while (_first is { } held)
        {
            Forget(held);
            held.Connection.Abort();
        }
    }

    private void Hold(Connection connection, AdmissionDecision decision)
    {
        limits.Opened(isSession: false);
        HeldClient held = new(this, connection, loop.Now, decision.Reason) { After = _first };
        if (_first is not null) _first.Before = held;
        _first = held;
        connection.Handler = held;
        connection.PauseReading();
        connection.DropOnReset();
        TimeSpan time = admission.HoldTime;
        loop.Schedule(held, decision.Action == AccessAction.Tarpit ? time : Shorter(time, decision.Wait));
        held.IsDelayed = decision.Action == AccessAction.Delay;
    }

    private void Forget(HeldClient held)
    {
        loop.Cancel(held);
        if (held.Before is null) _first = held.After;
        else held.Before.After = held.After;
        if (held.After is not null) held.After.Before = held.Before;
        admission.LetGo();
        limits.Closed(isSession: false);
    }

    private void Due(HeldClient held)
    {
        if (!held.IsDelayed)
        {
            Forget(held);
            held.Connection.Abort();
            return;
        }

        held.Connection.GetPeer(out PeerAddress client);
        AdmissionDecision decision = admission.Decide(in client, loop.Now, again: true);
        TimeSpan left = admission.HoldTime - loop.Time.GetElapsedTime(held.Since, loop.Now);
        if (decision.Action == AccessAction.Delay && left > TimeSpan.Zero)
        {
            held.Reason = decision.Reason;
            loop.Schedule(held, Shorter(left, decision.Wait));
            return;
        }

        Forget(held);
        if (decision.Action == AccessAction.Allow)
        {
            held.Connection.Handler = Unhandled.Instance;
            enter(held.Connection);
            return;
        }

        if (decision.Action == AccessAction.Delay) admission.GiveUp(held.Reason);
        held.Connection.Abort();
    }

    private static TimeSpan Shorter(TimeSpan left, TimeSpan wait)
    {
        TimeSpan next = wait > TimeSpan.Zero ? wait : LookAgain;
        return left < next ? left : next;
    }

    /// <summary>A client that is neither in nor out. It is not read: what it sends waits in the kernel.</summary>
    private sealed class HeldClient(AdmissionDoor door, Connection connection, long since, AdmissionReason reason) : LoopTimer, IConnectionHandler
    {
        public Connection Connection => connection;

        public long Since => since;

        public AdmissionReason Reason { get; set; } = reason;

        public bool IsDelayed { get; set; }

        public HeldClient? After { get; set; }

        public HeldClient? Before { get; set; }

        public void OnClosed(Connection connection, CloseReason reason) => door.Forget(this);

        public void OnConnected(Connection connection)
        {
        }

        public void OnData(Connection connection, ReadOnlySpan<byte> data)
        {
        }

        public void OnDrained(Connection connection)
        {
        }

        public void OnEndOfStream(Connection connection)
        {
        }

        protected internal override void OnTimer() => door.Due(this);
    }
}
