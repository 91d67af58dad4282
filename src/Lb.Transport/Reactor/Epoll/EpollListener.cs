using System.Net;

namespace Lb.Transport;

/// <summary>A listening socket of the epoll driver. Level-triggered: what one turn leaves in the queue, the next finds.</summary>
internal sealed unsafe class EpollListener(EpollLoop loop, int descriptor, EndPoint local, IAcceptHandler handler)
    : NativeListener(loop, descriptor, local, handler)
{
    private bool _armed;

    protected override bool IsArmed => _armed;

    protected override bool Arm()
    {
        if (_armed || Descriptor < 0) return true;
        _armed = Libc.EpollRegister(loop.Epoll, Descriptor, Libc.EpollIn, Id) == 0;
        return _armed;
    }

    protected override void Disarm()
    {
        if (!_armed) return;
        _armed = false;
        byte* unused = stackalloc byte[16];
        _ = Libc.EpollControl(loop.Epoll, Libc.EpollDelete, Descriptor, unused);
    }
}
