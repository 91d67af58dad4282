using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>Makes event loops. Any thread.</summary>
internal static class EventLoops
{
    /// <summary>True where the epoll driver runs: Linux on x64 or arm64.</summary>
    public static bool SupportsEpoll { get; } =
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    /// <summary>True where the io_uring driver runs: <see cref="UringSupport"/>.</summary>
    public static bool SupportsUring => UringSupport.Missing is null;

    /// <summary>
    /// True where several loops may listen on one port (<see cref="ListenOptions.ReusePort"/>). Elsewhere one loop listens for all.
    /// </summary>
    public static bool SupportsReusePort { get; } = OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    /// <summary>The driver of a word of the configuration (<see cref="TransportOptions.Driver"/>).</summary>
    public static ReactorDriver Parse(string word) =>
        string.Equals(word, "io_uring", StringComparison.OrdinalIgnoreCase) ? ReactorDriver.Uring : Enum.Parse<ReactorDriver>(word, ignoreCase: true);

    /// <summary>Makes a loop that is not running yet.</summary>
    /// <param name="driver">The machinery; <see cref="ReactorDriver.Auto"/> takes the best one of this system.</param>
    /// <param name="name">Name of the thread, seen in debuggers.</param>
    /// <param name="time">
    /// Clock of <see cref="EventLoop.Now"/> and of the timers; default <see cref="TimeProvider.System"/>. With any other clock the
    /// loop sleeps on a timer of that clock, so a test moves it by hand.
    /// </param>
    /// <param name="onHandlerError">Hears what handlers, timers and posted work throw. Called on the loop's thread; must not throw.</param>
    /// <param name="splice">Bulk may go by splice(2), where the driver can (<see cref="Connection.TrySpliceTo"/>).</param>
    /// <exception cref="PlatformNotSupportedException">The driver does not exist on this system.</exception>
    /// <exception cref="UringException">The system allows io_uring, but has not enough memory or descriptors for this ring.</exception>
    public static EventLoop Create(
        ReactorDriver driver, string name, TimeProvider? time = null, Action<Exception>? onHandlerError = null, bool splice = true)
    {
        time ??= TimeProvider.System;
        switch (driver)
        {
            case ReactorDriver.Epoll when !SupportsEpoll:
                throw new PlatformNotSupportedException(
                    $"The epoll driver needs Linux on x64 or arm64; this is {RuntimeInformation.OSDescription} on "
                    + $"{RuntimeInformation.ProcessArchitecture}. Use the managed driver, or Auto.");
            case ReactorDriver.Uring:
                return UringSupport.Missing is { } reason
                    ? throw new PlatformNotSupportedException($"The io_uring driver can't be used: {reason}. Use epoll, or Auto.")
                    : new UringLoop(name, time, onHandlerError, splice);
            case ReactorDriver.Epoll:
            case ReactorDriver.Auto when SupportsEpoll:
                return new EpollLoop(name, time, onHandlerError, splice);
            default:
                return new ManagedLoop(name, time, onHandlerError);
        }
    }
}
