namespace Lb.Transport;

/// <summary>Hears when a watched descriptor may be used. Called on the loop's thread.</summary>
internal interface IDescriptorHandler
{
    /// <summary>
    /// Edge-triggered: something has happened since the last call, and no further call comes for what is left undone. Read (and write)
    /// until the kernel says EAGAIN, or remember to go on. An error or a hang-up is told as both: the next call on the descriptor says what it is.
    /// </summary>
    /// <param name="readable">A read may bring something.</param>
    /// <param name="writable">A write may be taken.</param>
    void OnReady(bool readable, bool writable);
}

/// <summary>A native descriptor that a loop watches for its owner; see <see cref="ReactorLoop.Watch"/>.</summary>
internal sealed class DescriptorWatch(int descriptor, IDescriptorHandler handler, bool writes)
{
    /// <summary>The owner's descriptor: the loop neither makes nor closes it.</summary>
    public int Descriptor { get; } = descriptor;

    /// <summary>Who is told.</summary>
    public IDescriptorHandler Handler { get; } = handler;

    /// <summary>Whether a possible write is told too.</summary>
    public bool Writes { get; } = writes;

    /// <summary>True until <see cref="ReactorLoop.Unwatch"/>.</summary>
    public bool IsActive => Generation != 0;

    /// <summary>Place in the loop's table, and which of its tenants this is; generation 0 is nobody.</summary>
    internal int Slot;
    internal uint Generation;
}

/// <summary>The watches of one loop. An event carries slot and generation, so one of a watch that has ended finds nobody. Loop's thread.</summary>
internal sealed class DescriptorWatches
{
    private readonly Stack<int> _freeSlots = new();
    private DescriptorWatch?[] _watches = new DescriptorWatch?[4];
    private int _usedSlots;
    private uint _lastGeneration;

    public DescriptorWatch Add(int descriptor, IDescriptorHandler handler, bool writes)
    {
        int slot = _freeSlots.Count > 0 ? _freeSlots.Pop() : _usedSlots++;
        if (slot == _watches.Length) Array.Resize(ref _watches, slot * 2);
        if (++_lastGeneration > NativeLoop.MostGeneration) _lastGeneration = 1;
        return _watches[slot] = new DescriptorWatch(descriptor, handler, writes) { Slot = slot, Generation = _lastGeneration };
    }

    /// <returns>False when it has been removed before.</returns>
    public bool Remove(DescriptorWatch watch)
    {
        if (!watch.IsActive) return false;
        watch.Generation = 0;
        _watches[watch.Slot] = null;
        _freeSlots.Push(watch.Slot);
        return true;
    }

    /// <returns>Null when this watch has ended.</returns>
    public DescriptorWatch? Find(int slot, uint generation) => _watches[slot] is { } watch && watch.Generation == generation ? watch : null;
}
