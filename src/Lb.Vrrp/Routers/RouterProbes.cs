using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>
/// Hears whether others have virtual addresses: one socket for each interface and family, for all routers on it, so that a message costs one call and not
/// one for every router. The loop's thread.
/// </summary>
internal sealed class RouterProbes(Poller poller, ILogger log) : IDisposable
{
    private readonly Dictionary<(string Device, bool IsV6), Group> _groups = [];

    /// <summary>Watches a router's addresses, or watches them anew on an interface that has come back.</summary>
    public void Watch(RouterSeat seat, string device, bool isV6, IEnumerable<PeerAddress> addresses)
    {
        if (!_groups.TryGetValue((device, isV6), out Group? group)) _groups[(device, isV6)] = group = new Group();
        foreach (PeerAddress address in addresses) group.Owners[address] = seat;
        group.IsStale = true;
    }

    /// <summary>A router has gone.</summary>
    public void Forget(RouterSeat seat)
    {
        foreach (Group group in _groups.Values)
        {
            foreach (PeerAddress address in group.Owners.Where(o => o.Value == seat).Select(static o => o.Key).ToArray())
            {
                group.Owners.Remove(address);
                group.IsStale = true;
            }
        }
    }

    /// <summary>Opens what has changed. Once a turn at most.</summary>
    public void Settle()
    {
        foreach (((string device, bool _), Group group) in _groups)
        {
            if (!group.IsStale) continue;
            group.IsStale = false;
            Close(group);
            if (group.Owners.Count == 0) continue;
            try
            {
                group.Addresses = [.. group.Owners.Keys];
                group.Probe = new DuplicateProbe(device, group.Addresses);
                poller.Add(group.Probe.Descriptor);

                // Asked as a Backup, and nobody minds the answer: it compiles what is needed later.
                group.Probe.Ask(0);
            }
            catch (IOException failure)
            {
                RouterLog.NoProbe(log, device, failure.Message);
            }
        }
    }

    /// <summary>Asks whether somebody else has the router's addresses.</summary>
    public void Ask(RouterSeat seat)
    {
        foreach (Group group in _groups.Values)
        {
            for (int i = 0; i < group.Addresses.Length; i++)
            {
                if (group.Owners.GetValueOrDefault(group.Addresses[i]) == seat) group.Probe?.Ask(i);
            }
        }
    }

    /// <summary>Takes in what was heard.</summary>
    public void Read(TimeSpan now)
    {
        foreach (Group group in _groups.Values)
        {
            if (group.Probe is not { } probe || !poller.Ready.Contains(probe.Descriptor)) continue;
            while (probe.TryReceive(out AddressConflict conflict))
            {
                if (group.Owners.TryGetValue(conflict.Address, out RouterSeat? seat)) seat.Conflict(in conflict, now);
            }
        }
    }

    public void Dispose()
    {
        foreach (Group group in _groups.Values) Close(group);
    }

    private void Close(Group group)
    {
        if (group.Probe is not { } probe) return;
        poller.Remove(probe.Descriptor);
        probe.Dispose();
        group.Probe = null;
    }

    private sealed class Group
    {
        public Dictionary<PeerAddress, RouterSeat> Owners { get; } = [];

        public PeerAddress[] Addresses { get; set; } = [];

        public DuplicateProbe? Probe { get; set; }

        public bool IsStale { get; set; }
    }
}
