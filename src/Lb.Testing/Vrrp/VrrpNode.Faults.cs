namespace Lb.Testing;

/// <content>What can happen to a node.</content>
public sealed partial class VrrpNode
{
    /// <summary>Starts the process again; addresses that one before has left are cleaned up first.</summary>
    public void Start()
    {
        IsPowered = true;
        if (IsRunning) return;
        IsRunning = true;
        _simulation.Note(Name, "starts");
        foreach (SimulatedRouter router in _routers) router.Start(LocalNow);
        Turn();
    }

    /// <summary>Stops the process gracefully: routers resign, and hand over if they are to.</summary>
    public void Stop()
    {
        if (!IsRunning) return;
        _simulation.Note(Name, "stops");
        _isStopping = true;
        foreach (SimulatedRouter router in _routers) router.Live?.Stop(LocalNow);
        Turn();
    }

    /// <summary>kill -9: the process is gone, the kernel goes on and has the addresses until their lifetime ends.</summary>
    public void Kill()
    {
        if (!IsRunning) return;
        _simulation.Note(Name, "is killed");
        End();
        Look();
    }

    /// <summary>The machine is dead: process, kernel and addresses.</summary>
    public void PowerOff()
    {
        _simulation.Note(Name, "is off");
        IsPowered = false;
        if (IsRunning) End();
        foreach (SimulatedRouter router in _routers) router.Forget();
        Look();
    }

    /// <summary>The process does not run for a while (a collection, a debugger); the kernel does, and keeps its packets.</summary>
    /// <param name="time">For how long.</param>
    public void Pause(TimeSpan time)
    {
        _simulation.Note(Name, "is paused");
        TimeSpan until = _simulation.Now + time;
        if (until > _pausedUntil) _pausedUntil = until;
        WakeAt(_pausedUntil);
    }

    /// <summary>The whole machine stands still for a while: packets to it are lost, lifetimes of addresses do not go on, its clock does.</summary>
    /// <param name="time">For how long.</param>
    public void Suspend(TimeSpan time)
    {
        IsSuspended = true;
        _simulation.At(_simulation.Now + time, () =>
        {
            IsSuspended = false;
            Turn();
        });
        Pause(time);
        Look();
    }

    /// <summary>The link goes down; the kernel says so at once.</summary>
    public void LinkDown() => SetLink(isUp: false);

    /// <summary>The link comes back.</summary>
    public void LinkUp() => SetLink(isUp: true);

    /// <summary>Nothing comes from it or to it any more, without a sign of that: a switch port that drops everything.</summary>
    public void Isolate()
    {
        _simulation.Note(Name, "is isolated");
        IsIsolated = true;
        Look();
    }

    /// <summary>Ends <see cref="Isolate"/>.</summary>
    public void Rejoin()
    {
        _simulation.Note(Name, "is back on the network");
        IsIsolated = false;
        Look();
    }

    /// <summary>Somebody deletes the address of a router by hand.</summary>
    /// <param name="routerId">Number of the router (VRID).</param>
    public void DeleteAddress(int routerId = 1) => _simulation.AddressOf(routerId).Hold(this, false);

    private void SetLink(bool isUp)
    {
        if (IsLinkUp == isUp) return;
        _simulation.Note(Name, isUp ? "link up" : "link down");
        IsLinkUp = isUp;
        _linkNews = true;
        Turn();
    }
}
