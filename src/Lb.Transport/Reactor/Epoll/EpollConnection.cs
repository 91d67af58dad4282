namespace Lb.Transport;

/// <summary>
/// A connection of the epoll driver: edge-triggered and registered once, for everything. The edges are all it needs beyond
/// <see cref="NativeConnection"/>.
/// </summary>
internal sealed class EpollConnection(EpollLoop loop) : NativeConnection(loop);
