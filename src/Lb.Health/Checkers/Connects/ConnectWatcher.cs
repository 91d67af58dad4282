using System.Runtime.InteropServices;

namespace Lb.Health;

/// <summary>
/// The one thread that waits for connections of all TCP checks of this process, with one epoll set. It starts with the first that has to wait and sleeps
/// while there is none. Any thread.
/// </summary>
internal sealed unsafe class ConnectWatcher
{
    private const int Events = 256;

    private static readonly Lazy<ConnectWatcher?> Lazily = new(Create);

    private readonly Lock _lock = new();
    private readonly Stack<ConnectAttempt> _free = [];
    private readonly int _epoll;
    private ConnectAttempt[] _attempts = [];
    private int _count;

    private ConnectWatcher(int epoll)
    {
        _epoll = epoll;
        new Thread(Run) { IsBackground = true, Name = "lb-connects" }.Start();
    }

    /// <summary>True where the layouts are known.</summary>
    public static bool IsSupported { get; } =
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    /// <summary>The watcher of this process; null when the system gives no epoll set.</summary>
    public static ConnectWatcher? Shared => Lazily.Value;

    /// <summary>Takes an attempt that nobody uses, or makes one: as many stay as ever waited at a time.</summary>
    public ConnectAttempt Rent()
    {
        lock (_lock)
        {
            if (_free.TryPop(out ConnectAttempt? attempt)) return attempt;
            if (_count == _attempts.Length) Array.Resize(ref _attempts, Math.Max(16, _count * 2));
            return _attempts[_count] = new ConnectAttempt(this, _count++);
        }
    }

    public void Return(ConnectAttempt attempt)
    {
        lock (_lock) _free.Push(attempt);
    }

    /// <summary>Watches a socket until it is connected, has failed or is closed.</summary>
    /// <returns>0, or an error number.</returns>
    public int Watch(int descriptor, int index, int run) =>
        ConnectLibc.Watch(_epoll, descriptor, ((ulong)(uint)run << 32) | (uint)index) == 0 ? 0 : ConnectLibc.Errno;

    private static ConnectWatcher? Create()
    {
        int epoll = ConnectLibc.EpollCreate(ConnectLibc.CloseOnExec);
        return epoll < 0 ? null : new ConnectWatcher(epoll);
    }

    private void Run()
    {
        byte* events = stackalloc byte[Events * 16];
        while (true)
        {
            int count = ConnectLibc.EpollWait(_epoll, events, Events, -1);
            for (int i = 0; i < count; i++)
            {
                ulong data = *(ulong*)(events + (i * ConnectLibc.EventSize) + ConnectLibc.EventDataOffset);
                ConnectAttempt attempt;
                lock (_lock) attempt = _attempts[(int)(uint)data];
                attempt.Ready((int)(data >> 32));
            }
        }
    }
}
