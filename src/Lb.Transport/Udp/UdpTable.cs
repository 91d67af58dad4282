using System.Numerics;

namespace Lb.Transport;

/// <summary>
/// The sessions of one loop by client, local address and listener: open addressing with linear probing, hashed with secret words so that nobody can choose
/// addresses that collide. One loop's thread.
/// </summary>
internal sealed class UdpTable
{
    private readonly ulong _first = (ulong)Random.Shared.NextInt64() << 1 | 1;
    private readonly ulong _second = (ulong)Random.Shared.NextInt64() << 1 | 1;
    private UdpSession?[] _slots = new UdpSession?[64];

    /// <summary>Sessions that it holds.</summary>
    public int Count { get; private set; }

    /// <summary>The hash of a flow; 32 bits are kept with each session.</summary>
    public uint Hash(in Datagram item)
    {
        ulong hash = item.From.Hash(_first, _second);
        if (!item.Local.IsEmpty) hash = BitOperations.RotateLeft(hash, 23) ^ item.Local.Hash(_second, _first);
        return (uint)(hash ^ hash >> 32);
    }

    public UdpSession? Find(uint hash, DatagramSocket listener, in Datagram item)
    {
        UdpSession?[] slots = _slots;
        int mask = slots.Length - 1;
        for (int i = (int)hash & mask; slots[i] is { } session; i = i + 1 & mask)
        {
            if (session.Hash == hash && session.Client.Equals(item.From) && session.Local.Equals(item.Local) && session.Listener == listener) return session;
        }

        return null;
    }

    public void Add(UdpSession session)
    {
        if (2 * ++Count > _slots.Length) Grow();
        Put(_slots, session);
    }

    /// <summary>Removes a session that is in it.</summary>
    public void Remove(UdpSession session)
    {
        UdpSession?[] slots = _slots;
        int mask = slots.Length - 1, hole = (int)session.Hash & mask;
        while (slots[hole] != session) hole = hole + 1 & mask;
        Count--;

        // Those behind move up, unless they would come before their own place: so there are no tombstones to step over.
        for (int i = hole + 1 & mask; slots[i] is { } next; i = i + 1 & mask)
        {
            int home = (int)next.Hash & mask;
            if ((i - home & mask) < (i - hole & mask)) continue;
            slots[hole] = next;
            hole = i;
        }

        slots[hole] = null;
    }

    private static void Put(UdpSession?[] slots, UdpSession session)
    {
        int mask = slots.Length - 1, i = (int)session.Hash & mask;
        while (slots[i] is not null) i = i + 1 & mask;
        slots[i] = session;
    }

    private void Grow()
    {
        UdpSession?[] larger = new UdpSession?[2 * _slots.Length];
        foreach (UdpSession? session in _slots)
        {
            if (session is not null) Put(larger, session);
        }

        _slots = larger;
    }
}
