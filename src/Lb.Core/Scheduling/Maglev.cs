namespace Lb;

/// <summary>
/// Google's Maglev hashing (<c>maglev</c>): a table in which every server has its share of slots, filled so that a server that comes or goes moves hardly
/// any other's keys. The key is <see cref="PickContext.Key"/>, else the client's address. Eisenbud et al., NSDI 2016, listing 1.
/// </summary>
/// <remarks>Servers are known by address and port, and the table is filled in that order: nodes with the same servers build the same table.</remarks>
public sealed class Maglev : ISchedulingPolicy
{
    /// <summary>Slots of the table unless told otherwise: for 1000 servers the shares differ by less than 1 %.</summary>
    public const int DefaultTableSize = 65_537;

    private readonly int _size;
    private readonly TurnCounter _turn = new();

    /// <summary>Makes the policy.</summary>
    /// <param name="tableSize">Slots: a prime, 251 to 5 000 011; default 65 537. At least 100 for each server is wise.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="tableSize"/> is out of range or no prime.</exception>
    public Maglev(int tableSize = DefaultTableSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tableSize, 251);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tableSize, 5_000_011);
        if (!Primes.IsPrime(tableSize)) throw new ArgumentOutOfRangeException(nameof(tableSize), tableSize, "The size of a Maglev table must be a prime.");
        _size = tableSize;
    }

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new HashedScheduler<Table>(snapshot, new Table(Fill(snapshot, _size)), _turn);
    }

    /// <summary>The table: for each slot the position of a server in the snapshot.</summary>
    internal static ushort[] Fill(PoolSnapshot snapshot, int size)
    {
        int count = snapshot.Servers.Length;
        int[] order = ServerIdentity.Order(snapshot);
        uint[] next = new uint[count], skip = new uint[count];
        double[] credit = new double[count], gain = new double[count];
        int heaviest = 1;
        for (int i = 0; i < count; i++)
        {
            byte[] identity = ServerIdentity.Bytes(snapshot.Servers[order[i]]);
            next[i] = (uint)(XxHash64.Hash(identity) % (ulong)size);
            skip[i] = (uint)(XxHash64.Hash(identity, seed: 1) % (ulong)(size - 1)) + 1;
            heaviest = Math.Max(heaviest, snapshot.Weights[order[i]]);
        }

        for (int i = 0; i < count; i++) gain[i] = (double)snapshot.Weights[order[i]] / heaviest;
        Array.Fill(credit, 1);
        ushort[] table = new ushort[size];
        Array.Fill(table, ushort.MaxValue);
        for (int filled = 0; filled < size;)
        {
            for (int i = 0; i < count && filled < size; i++)
            {
                // Everybody takes a slot in the first round, as in Envoy, then the heaviest in every one and the others in proportion.
                credit[i] += gain[i];
                if (credit[i] < 1) continue;
                credit[i]--;
                uint slot = next[i];
                while (table[slot] != ushort.MaxValue)
                {
                    slot += skip[i];
                    if (slot >= (uint)size) slot -= (uint)size;
                }

                next[i] = slot;
                table[slot] = (ushort)order[i];
                filled++;
            }
        }

        return table;
    }

    private readonly struct Table(ushort[] slots) : IHashTable
    {
        public int Find(ulong hash, int attempt) => slots[PickHash.Below(attempt == 0 ? hash : PickHash.Mix(hash + (ulong)attempt), slots.Length)];
    }
}
