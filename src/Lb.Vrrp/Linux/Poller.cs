using System.Runtime.InteropServices;

namespace Lb.Vrrp;

/// <summary>
/// Waits for descriptors, for a moment, and to be woken. Owned by one thread; only <see cref="Wake"/> may be called by others. Waiting does not allocate.
/// </summary>
internal sealed unsafe class Poller : IDisposable
{
    private const int OwnItems = 2;

    private readonly TimerFd _timer = new();
    private readonly EventFd _wakeUp = new();
    private Libc.PollItem* _items;
    private int[] _ready = new int[16];
    private int _capacity = 16;
    private int _count;
    private int _readyCount;

    /// <summary>Opens it.</summary>
    /// <exception cref="IOException">The process has no descriptor left.</exception>
    public Poller()
    {
        _items = (Libc.PollItem*)NativeMemory.AllocZeroed((nuint)_capacity, (nuint)sizeof(Libc.PollItem));
        Add(_timer.Descriptor);
        Add(_wakeUp.Descriptor);
    }

    /// <summary>Descriptors that have something to read, or an error, since the last <see cref="Wait"/>.</summary>
    public ReadOnlySpan<int> Ready => _ready.AsSpan(0, _readyCount);

    /// <summary>Watches a descriptor. One that is watched already, or negative, is left alone.</summary>
    public void Add(int descriptor)
    {
        if (descriptor < 0 || IndexOf(descriptor) >= 0) return;
        if (_count == _capacity)
        {
            _capacity *= 2;
            _items = (Libc.PollItem*)NativeMemory.Realloc(_items, (nuint)(_capacity * sizeof(Libc.PollItem)));
            Array.Resize(ref _ready, _capacity);
        }

        _items[_count++] = new Libc.PollItem { Descriptor = descriptor, Events = Libc.PollIn };
    }

    /// <summary>Stops watching it: before it is closed, for its number may come back as another's.</summary>
    public void Remove(int descriptor)
    {
        int index = IndexOf(descriptor);
        if (index >= OwnItems) _items[index] = _items[--_count];
    }

    /// <summary>Waits until a descriptor is ready, the moment has come, or somebody has called <see cref="Wake"/>.</summary>
    /// <param name="deadline">A moment of <see cref="Clocks.Monotonic"/>; null = none.</param>
    public void Wait(TimeSpan? deadline)
    {
        _timer.Set(deadline);
        _readyCount = 0;
        if (Libc.Poll(_items, (nuint)_count, null, null) <= 0) return; // interrupted by a signal: the caller looks at the clock and waits again
        if (_items[0].Happened != 0) _timer.Take();
        if (_items[1].Happened != 0) _wakeUp.Take();
        for (int i = OwnItems; i < _count; i++)
        {
            if (_items[i].Happened != 0) _ready[_readyCount++] = _items[i].Descriptor;
        }
    }

    /// <summary>Ends the wait under way, or the next one. Any thread.</summary>
    public void Wake() => _wakeUp.Signal();

    public void Dispose()
    {
        _timer.Dispose();
        _wakeUp.Dispose();
        NativeMemory.Free(_items);
        _items = null;
        _count = 0;
    }

    private int IndexOf(int descriptor)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_items[i].Descriptor == descriptor) return i;
        }

        return -1;
    }
}
