namespace Lb;

/// <summary>
/// What the two locality schedulers know of a snapshot: who is in it, who has too much, and who has least. Immutable.
/// </summary>
internal sealed class LvsLocality
{
    private readonly int[] _weightOfSlot;

    public LvsLocality(PoolSnapshot snapshot)
    {
        Servers = snapshot.ServerArray;
        Weights = snapshot.Weights.ToArray();
        int slots = 0;
        foreach (Server server in Servers) slots = Math.Max(slots, server.Slot + 1);
        _weightOfSlot = new int[slots];
        ServerOfSlot = new Server?[slots];
        for (int i = 0; i < Servers.Length; i++) (_weightOfSlot[Servers[i].Slot], ServerOfSlot[Servers[i].Slot]) = (Weights[i], Servers[i]);
    }

    public Server[] Servers { get; }

    public int[] Weights { get; }

    // Slots are used again after a removal, so the server itself is compared.
    private Server?[] ServerOfSlot { get; }

    /// <summary>The server's weight, or 0 when it may not be picked now.</summary>
    public int WeightOf(Server server) =>
        server.Slot < ServerOfSlot.Length && ReferenceEquals(ServerOfSlot[server.Slot], server) ? _weightOfSlot[server.Slot] : 0;

    /// <summary>More leases than its weight while another server has less than half: time to move.</summary>
    public bool IsOverloaded(Server server)
    {
        if (server.InFlight <= WeightOf(server)) return false;
        for (int i = 0; i < Servers.Length; i++)
        {
            if (Servers[i].InFlight * 2L < Weights[i]) return true;
        }

        return false;
    }

    public Server? Least(in PickContext context) => LvsRules.LeastForWeight(Servers, Weights, in context);

    /// <summary>The destination without its port: locality is by address.</summary>
    public static PeerAddress AddressOf(in PeerAddress destination)
    {
        Span<byte> bytes = stackalloc byte[16];
        return PeerAddress.FromBytes(bytes[..destination.WriteBytes(bytes)], 0);
    }

    public static TimeSpan CheckExpiration(TimeSpan? expiration)
    {
        TimeSpan time = expiration ?? TimeSpan.FromDays(1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero, nameof(expiration));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(time, TimeSpan.FromDays(365), nameof(expiration));
        return time;
    }
}
