using Lb;

namespace Samples.CustomPolicy;

#region policy
/// <summary>
/// Fills the cheapest servers first: a dearer one gets work only while all cheaper ones have as much as they do comfortably. When all have, the least
/// loaded one gets more. Servers without a price come last.
/// </summary>
public sealed class CheapestFirst(IReadOnlyDictionary<string, int> prices, int comfortable) : ISchedulingPolicy
{
    // It reads the weights of the moment, so the slow start acts on it.
    public PolicyTraits Traits => PolicyTraits.FollowsLiveWeights;

    // Called by the pool's single writer whenever the usable servers change: the place to sort and to allocate.
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        List<(Server Server, double Places)> found = [];
        for (int i = 0; i < snapshot.Servers.Length; i++)
        {
            // A server that has just returned has a part of its weight, and does that part of the work comfortably.
            double part = (double)snapshot.LiveWeights[i] / (snapshot.Weights[i] * snapshot.LiveScale);
            found.Add((snapshot.Servers[i], Math.Max(1, comfortable * part)));
        }

        return new Scheduler([.. found.OrderBy(one => prices.GetValueOrDefault(one.Server.Name, int.MaxValue))]);
    }

    // Called by many threads at a time, once for every connection: only reads.
    private sealed class Scheduler((Server Server, double Places)[] cheapestFirst) : IScheduler
    {
        public Server Pick(in PickContext context, long now)
        {
            Server? least = null;
            foreach ((Server server, double places) in cheapestFirst)
            {
                // A server that is full, or that this client has tried already, is no proposal.
                if (!server.HasRoom || context.Excludes(server)) continue;
                if (server.InFlight < places) return server;
                if (least is null || server.Load < least.Load) least = server;
            }

            // The pool admits; when it can't, it looks for another one itself.
            return least ?? cheapestFirst[0].Server;
        }

        // For people, before a pick. This pick has no side effects; a turn must not be taken here.
        public SchedulerAnswer Explain(in PickContext context, long now) => new(Pick(in context, now), Hash: null, "the cheapest that has room, or the least loaded");
    }
}
#endregion
