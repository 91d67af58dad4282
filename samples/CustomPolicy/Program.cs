using Lb;
using Lb.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Samples.CustomPolicy;

Dictionary<string, int> prices = new() { ["spot"] = 1, ["reserved"] = 2, ["on-demand"] = 5 };
ManualTimeProvider time = new();

#region by-object
ServiceCollection services = new();
services.AddSingleton<TimeProvider>(time);
services.AddServerPool("batch")
    .AddServer("192.0.2.30:9000", name: "on-demand")
    .AddServer("192.0.2.10:9000", name: "spot")
    .AddServer("192.0.2.20:9000", name: "reserved")
    .UseScheduler(() => new CheapestFirst(prices, comfortable: 2));
#endregion

#region by-name
// Now configurations may say "Balance": "cheapest-first".
services.AddSchedulingPolicy("cheapest-first", _ => new CheapestFirst(prices, comfortable: 2));
services.AddLb(new ConfigurationBuilder().AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json")).Build().GetSection("Lb"));
#endregion

await using ServiceProvider provider = services.BuildServiceProvider();
ServerPool byObject = provider.GetRequiredKeyedService<ServerPool>("batch");
ServerPool byName = provider.GetRequiredKeyedService<ServerPool>("render");

#region proof
// A client every 10 ms, each working for 25 ms: two fit on the cheapest server, every third one finds it busy.
string first = Play(byObject, clients: 9);

// The cheapest one goes down: its share moves one price up, and on.
byObject.SetHealth(byObject.Find("spot")!, ServerHealth.Down, "reclaimed");
string afterwards = Play(byObject, clients: 6);
#endregion

#region explain
PickExplanation why = byObject.Explain(default);
Console.WriteLine($"{why.Choice?.Name ?? "chance decides"}: {why.Note}");
foreach (PickCandidate candidate in why.Candidates) Console.WriteLine($"  among {candidate.Server}: weight {candidate.Weight}, load {candidate.Load}");
foreach (PickExclusion exclusion in why.Exclusions) Console.WriteLine($"  not {exclusion.Server}: {exclusion.Reason}");
#endregion

bool good = Check("by object      ", first, "spot spot reserved spot spot reserved spot spot reserved");
good &= Check("spot is down   ", afterwards, "reserved reserved on-demand reserved reserved on-demand");
good &= Check("explained      ", why.Choice?.Name ?? "", "reserved");
good &= Check("by name        ", Play(byName, clients: 3), "spot spot reserved");

// The slow start that its configuration asks for: who has just returned gets less.
byName.SetHealth(byName.Find("spot")!, ServerHealth.Down);
byName.SetHealth(byName.Find("spot")!, ServerHealth.Up);
good &= Check("spot is back   ", Play(byName, clients: 3), "spot reserved reserved");
good &= Check("an hour later  ", Play(byName, clients: 3), "spot spot reserved");
return good ? 0 : 1;

string Play(ServerPool pool, int clients)
{
    List<string> picked = [];
    List<ITimer> working = [];
    for (int n = 0; n < clients; n++)
    {
        if (!pool.TryPick(default, out ServerLease lease, out PickFailure failure)) throw new InvalidOperationException($"No server: {failure}.");
        picked.Add(lease.Server.Name);
        working.Add(time.CreateTimer(_ => lease.Complete(LeaseOutcome.Success), null, TimeSpan.FromMilliseconds(25), Timeout.InfiniteTimeSpan));
        time.Advance(TimeSpan.FromMilliseconds(10));
    }

    // No waiting: an hour of virtual time costs nothing.
    time.Advance(TimeSpan.FromHours(1));
    working.ForEach(static timer => timer.Dispose());
    return string.Join(' ', picked);
}

static bool Check(string what, string actual, string expected)
{
    Console.WriteLine($"{what} {actual}{(actual == expected ? "" : $"   WRONG, expected: {expected}")}");
    return actual == expected;
}
