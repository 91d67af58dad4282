namespace Lb.Transport;

/// <summary>Which machinery moves the bytes.</summary>
internal enum ReactorDriver
{
    /// <summary><see cref="Epoll"/> where it exists, else <see cref="Managed"/>.</summary>
    Auto,

    /// <summary>Own epoll loop: Linux on x64 and arm64.</summary>
    Epoll,

    /// <summary>Own io_uring loop: Linux 6.1 or later on x64 and arm64, where it is allowed.</summary>
    Uring,

    /// <summary><see cref="System.Net.Sockets.Socket"/>: every operating system, at a higher price per message.</summary>
    Managed,
}
