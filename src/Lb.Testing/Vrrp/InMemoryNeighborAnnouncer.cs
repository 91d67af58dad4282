using Lb.Vrrp;

namespace Lb.Testing;

/// <summary>An <see cref="INeighborAnnouncer"/> that counts. Not thread-safe.</summary>
/// <param name="count">Messages of one announcement: one for each address, at least 0.</param>
public sealed class InMemoryNeighborAnnouncer(int count = 1) : INeighborAnnouncer
{
    /// <inheritdoc/>
    public int Count { get; } = count;

    /// <summary>Messages sent so far.</summary>
    public int Sent { get; private set; }

    /// <summary>Called with the index of every message.</summary>
    public Action<int>? Announced { get; set; }

    /// <inheritdoc/>
    public bool Announce(int index)
    {
        Sent++;
        Announced?.Invoke(index);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
