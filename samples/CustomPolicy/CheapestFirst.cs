using Lb;

namespace Samples.CustomPolicy;

#region policy
/// <summary>
/// Fills the cheapest servers first: a dearer one gets work only while all cheaper ones have as much as they do comfortably. When all have, the least
/// loaded one gets more. Servers without a price come last.
/// </summary>
public sealed class CheapestFirst(IReadOnlyDictionary<string, int> prices, int comfortable) : ISchedulingPolicy
{
    // Called by the pool's single writer whenever the usable servers change: the place to sort and to allocate.
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        Server[] cheapestFirst = [.. snapshot.Servers.ToArray().OrderBy(server => prices.GetValueOrDefault(server.Name, int.MaxValue))];
        return new Scheduler(cheapestFirst, comfortable);
    }

    // Called by many threads at a time, once for every connection: only reads.
    private sealed class Scheduler(Server[] cheapestFirst, int comfortable) : IScheduler
    {
        public Server Pick(in PickContext context, long now)
        {
            Server? least = null;
            foreach (Server server in cheapestFirst)
            {
                // A server that is full, or that this client has tried already, is no proposal.
                if (!server.HasRoom || context.Excludes(server)) continue;
                if (server.InFlight < comfortable) return server;
                if (least is null || server.Load < least.Load) least = server;
            }

            // The pool admits; when it can't, it looks for another one itself.
            return least ?? cheapestFirst[0];
        }
    }
}
#endregion
