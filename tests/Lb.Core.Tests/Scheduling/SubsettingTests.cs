using System.Text;

namespace Lb.Core.Tests.Scheduling;

public sealed class SubsettingTests
{
    private const int Clients = 300, Servers = 100, Size = 10;

    // The ranges are those of an independent program with other names: random for rendezvous, so a little wider here.
    [Fact]
    public void Rendezvous_spreads_the_connections_as_chance_does()
    {
        int[] connections = Connections(Servers, client => Rendezvous(Servers, client));
        Assert.InRange(connections.Min(), 15, 24);
        Assert.InRange(connections.Max(), 38, 48);
    }

    [Fact]
    public void Ringsteady_spreads_the_connections_evenly()
    {
        int[] connections = Connections(Servers, client => RingSteady(Servers, client));
        Assert.Equal((28, 33), (connections.Min(), connections.Max()));
    }

    [Fact]
    public void One_more_server_changes_about_one_connection_in_a_hundred()
    {
        Assert.InRange(Churn(Rendezvous), 0.007, 0.014);
        Assert.InRange(Churn(RingSteady), 0.007, 0.012);
    }

    [Fact]
    public void Rendezvous_takes_the_lowest_hashes_of_the_addresses_with_the_seed_of_the_client()
    {
        string[] names = Names(20);
        ulong seed = XxHash64.Hash("client"u8);
        int[] lowest = [.. Enumerable.Range(0, 20).OrderBy(i => XxHash64.Hash(Encoding.UTF8.GetBytes(names[i]), seed)).Take(5).Order()];
        Assert.Equal(lowest, Subsetting.Rendezvous(names, "client", 5));
    }

    [Fact]
    public void A_server_that_goes_is_replaced_by_one_other_and_who_had_it_not_keeps_all()
    {
        string[] names = Names(50), fewer = [.. names.Where(static n => n != "10.0.0.7:80")];
        for (int client = 0; client < 100; client++)
        {
            string[] before = [.. Subsetting.Rendezvous(names, $"c{client}", 5).Select(i => names[i])];
            string[] after = [.. Subsetting.Rendezvous(fewer, $"c{client}", 5).Select(i => fewer[i])];
            Assert.Equal(before.Contains("10.0.0.7:80") ? 4 : 5, before.Intersect(after).Count());
        }
    }

    [Fact]
    public void Ringsteady_takes_those_that_follow_on_the_circle()
    {
        // Servers 0, 1, 2, 3 sit at 0, 1/2, 1/4, 3/4; balancer 1 at 1/2, 4 at 1/8, 7 at 7/8.
        Assert.Equal([1, 3], Subsetting.RingSteady([0, 1, 2, 3], client: 1, size: 2));
        Assert.Equal([1, 2], Subsetting.RingSteady([0, 1, 2, 3], client: 4, size: 2));
        Assert.Equal([0, 2], Subsetting.RingSteady([0, 1, 2, 3], client: 7, size: 2));
    }

    [Theory]
    [InlineData("rendezvous")]
    [InlineData("ringsteady")]
    public void A_pool_gets_as_many_as_it_asks_for_and_all_when_it_does_not_ask(string type)
    {
        ServerPool pool = TestPool.Create(10, configure: static o =>
        {
            for (int i = 0; i < 10; i++) o.Servers[i].Address = $"127.0.0.{i + 1}:80";
        });
        Server[] servers = [.. pool.Servers];
        Assert.Equal(10, Subsetting.Choose(servers, new SubsetOptions { Type = type }, "me").Length);
        Assert.Equal(10, Subsetting.Choose(servers, new SubsetOptions { Type = type, Size = 10 }, "me").Length);
        int[] some = Subsetting.Choose(servers, new SubsetOptions { Type = type, Size = 3, ClientIndex = 0 }, "me");
        Assert.Equal(3, some.Distinct().Count());
        Assert.Equal(some.Order(), some);
        int[] others = Subsetting.Choose(servers, new SubsetOptions { Type = type, Size = 3, Client = "you", ClientIndex = 1 }, "me");
        Assert.NotEqual(some, others);
    }

    private static string[] Names(int count) => [.. Enumerable.Range(0, count).Select(static i => $"10.0.0.{i}:80")];

    private static int[] Rendezvous(int servers, int client) => Subsetting.Rendezvous(Names(servers), $"client-{client}", Size);

    private static int[] RingSteady(int servers, int client) => Subsetting.RingSteady([.. Enumerable.Range(0, servers)], client, Size);

    private static int[] Connections(int servers, Func<int, int[]> subset)
    {
        int[] count = new int[servers];
        for (int client = 0; client < Clients; client++)
        {
            foreach (int server in subset(client)) count[server]++;
        }

        return count;
    }

    // Servers are numbered, so positions stay when one is added at the end.
    private static double Churn(Func<int, int, int[]> subset)
    {
        int changed = 0;
        for (int client = 0; client < Clients; client++) changed += Size - subset(Servers, client).Intersect(subset(Servers + 1, client)).Count();
        return (double)changed / (Clients * Size);
    }
}
