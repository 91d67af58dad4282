using System.Net;

namespace Lb.Transport;

/// <summary>A listening socket of the io_uring driver: an operation tells that somebody waits, and plain calls accept.</summary>
/// <remarks>
/// Not the operation that accepts by itself: it takes everything out of the kernel's queue before anybody asks, so that a pause or a hand-over would find
/// connections accepted that nobody serves; it does not tell the client's address, which costs the call that it saves; and it holds the limit of open files
/// for what it was when it began.
/// </remarks>
internal sealed class UringListener(UringLoop loop, int descriptor, EndPoint local, IAcceptHandler handler)
    : NativeListener(loop, descriptor, local, handler)
{
    private bool _armed;
    private bool _inFlight;

    protected override bool IsArmed => _armed;

    /// <summary>Somebody waits, or the operation was cancelled.</summary>
    internal void OnReady(int result)
    {
        _inFlight = false;
        if (result >= 0) AcceptTurn();
        if (_armed && !_inFlight) Submit();
    }

    protected override bool Arm()
    {
        if (_armed || Descriptor < 0) return true;
        _armed = true;
        if (!_inFlight) Submit();
        return true;
    }

    protected override void Disarm()
    {
        if (!_armed) return;
        _armed = false;
        if (_inFlight) loop.Cancel(UringLoop.ListenerData(Id));
    }

    // The operation keeps the socket listening until it is cancelled.
    protected override void LetGo() => loop.Flush();

    private void Submit()
    {
        _inFlight = true;
        loop.SubmitListener(Id, Descriptor);
    }
}
