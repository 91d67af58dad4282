using System.Net;

namespace Lb.Core.Tests.Persistence;

/// <summary>The store behind persistence by source address, with the rules of LVS's connection templates.</summary>
[Trait("Row", "K6")]
public sealed class SourceAffinityTests
{
    // A pool's clock of tests counts 10 million a second.
    private const long Second = TimeSpan.TicksPerSecond;
    private const long Start = 1_000_000 * Second;

    private readonly ServerPool _pool = TestPool.Create(4, time: new Lb.Testing.ManualTimeProvider());

    private Server A => _pool.Get("a");

    private Server B => _pool.Get("b");

    private Server C => _pool.Get("c");

    [Fact]
    public void A_client_keeps_its_server_for_60_s_after_its_last_connection_and_not_a_tick_longer()
    {
        SourceAffinity store = Store();
        PeerAddress client = Address("192.0.2.1", 1000);
        Assert.Null(store.Find(in client, Start));
        Assert.Same(A, store.Settle(in client, A, Start));

        // Another port is the same client; a new connection gives it the whole time again; looking doesn't.
        Assert.Same(A, store.Settle(Address("192.0.2.1", 2000), B, Start + (59 * Second)));
        Assert.Same(A, store.Find(in client, Start + (119 * Second) - 1));
        Assert.Null(store.Find(in client, Start + (119 * Second)));
        Assert.Same(B, store.Settle(in client, B, Start + (119 * Second)));
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public void Remembering_replaces_what_was_remembered()
    {
        SourceAffinity store = Store();
        PeerAddress client = Address("192.0.2.1");
        store.Remember(in client, A, Start);
        store.Remember(in client, B, Start + Second);
        Assert.Same(B, store.Find(in client, Start + (61 * Second) - 1));
        Assert.Null(store.Find(in client, Start + (61 * Second)));
        Assert.Equal(1, store.Count);
    }

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.200", true)]
    [InlineData("10.1.2.3", "10.1.3.3", false)]
    [InlineData("::ffff:10.1.2.3", "10.1.2.9", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:2::1", false)]
    [InlineData("::a01:203", "10.1.2.3", false)]
    public void Only_the_leading_24_or_64_bits_count(string first, string second, bool isSame)
    {
        SourceAffinity store = Store(mask: 24, mask6: 64);
        store.Remember(Address(first), A, Start);
        Assert.Equal(isSame, store.Find(Address(second), Start) is not null);
    }

    [Theory]
    [InlineData(0, 0, true, true)]
    [InlineData(1, 127, true, true)]
    [InlineData(31, 100, true, true)]
    [InlineData(32, 128, false, false)]
    public void Any_number_of_bits_may_count(int mask, int mask6, bool v4IsSame, bool v6IsSame)
    {
        // The addresses of each pair differ in the last bit.
        SourceAffinity store = Store(mask: mask, mask6: mask6);
        store.Remember(Address("192.0.2.2"), A, Start);
        store.Remember(Address("2001:db8::2"), B, Start);
        Assert.Equal(v4IsSame, store.Find(Address("192.0.2.3"), Start) is not null);
        Assert.Equal(v6IsSame, store.Find(Address("2001:db8::3"), Start) is not null);
        Assert.Equal(2, store.Count);
    }

    [Fact]
    public void A_client_without_an_address_is_not_remembered()
    {
        SourceAffinity store = Store();
        store.Remember(default, A, Start);
        Assert.Same(B, store.Settle(default, B, Start));
        Assert.Null(store.Open(default, B, Start));
        Assert.Null(store.Find(default, Start));
        Assert.Equal(0, store.Count);
    }

    [Fact]
    public void A_server_that_can_not_be_used_is_replaced_once()
    {
        SourceAffinity store = Store();
        PeerAddress client = Address("192.0.2.1");
        store.Remember(in client, A, Start);
        Assert.Same(B, store.Settle(in client, B, Start, instead: A));

        // Another connection, that saw a too, comes too late with c.
        Assert.Same(B, store.Settle(in client, C, Start, instead: A));
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public void A_server_that_left_is_not_found_even_before_it_is_forgotten()
    {
        SourceAffinity store = Store();
        Server a = A;
        for (int n = 0; n < 1000; n++) store.Remember(Address(n), n % 2 == 0 ? a : B, Start);
        _pool.Remove(a, force: true);
        Assert.Null(store.Find(Address(0), Start));
        Assert.Same(C, store.Settle(Address(0), C, Start));
        store.Forget(a);
        Assert.Equal(501, store.Count);
        Assert.Same(B, store.Find(Address(1), Start));
        Assert.Same(C, store.Find(Address(0), Start));
    }

    [Fact]
    public void While_a_connection_is_open_a_client_is_remembered_and_to_the_end_of_the_minute_in_which_it_closes()
    {
        SourceAffinity store = Store(timeout: 100);
        PeerAddress client = Address("192.0.2.1");
        SourceEntry first = store.Open(in client, A, Start)!;
        SourceEntry second = store.Open(in client, B, Start)!;
        Assert.Same(first, second);

        // Its time is over at 100 s; then LVS looks each minute: at 160, 220 and 280 s.
        Assert.Equal(0, store.Sweep(Start + (170 * Second)));
        second.Closed(Start + (230 * Second));
        Assert.Same(A, store.Find(in client, Start + (500 * Second)));
        first.Closed(Start + (500 * Second));
        Assert.Same(A, store.Find(in client, Start + (520 * Second) - 1));
        Assert.Null(store.Find(in client, Start + (520 * Second)));
        Assert.Equal(1, store.Sweep(Start + (523 * Second) + (Second / 8)));
        Assert.Equal(0, store.Count);
    }

    [Fact]
    public void A_connection_that_closes_in_time_changes_nothing()
    {
        SourceAffinity store = Store();
        PeerAddress client = Address("192.0.2.1");
        store.Open(in client, A, Start)!.Closed(Start + (30 * Second));
        Assert.Same(A, store.Find(in client, Start + (60 * Second) - 1));
        Assert.Null(store.Find(in client, Start + (60 * Second)));
    }

    [Fact]
    public void Sweeping_removes_exactly_what_has_expired_and_says_when_to_come_again()
    {
        SourceAffinity store = Store(timeout: 64);
        Assert.Null(store.NextSweep);
        for (int n = 0; n < 1000; n++) store.Remember(Address(n), A, Start);
        for (int n = 0; n < 400; n++) store.Remember(Address(n), A, Start + (10 * Second));
        Assert.Equal(Start + (64 * Second), store.NextSweep);
        Assert.Equal(0, store.Sweep(Start + (64 * Second) - 1));
        Assert.Equal(600, store.Sweep(Start + (64 * Second)));
        Assert.Equal(400, store.Count);
        Assert.Equal(Start + (74 * Second), store.NextSweep);
        Assert.Equal(400, store.Sweep(store.NextSweep!.Value));
        Assert.Null(store.NextSweep);
        Assert.Equal(0, store.Evicted);
    }

    [Fact]
    public void Sweeping_at_the_times_it_asks_for_removes_each_client_within_a_thirty_second_part_of_the_timeout()
    {
        SourceAffinity store = Store(timeout: 60);
        Random random = new(1);
        Dictionary<int, long> last = [];
        long now = Start;
        for (int n = 0; n < 20_000; n++)
        {
            now += random.Next((int)(Second / 50));
            int client = random.Next(3000);
            store.Remember(Address(client), A, now);
            last[client] = now;
            if (store.NextSweep is { } due && due <= now) store.Sweep(now);
            if (n % 1000 != 0) continue;
            int alive = last.Values.Count(l => now - l < 60 * Second);
            int late = last.Values.Count(l => now - l < (60 + 2) * Second);
            Assert.InRange(store.Count, alive, late);
        }

        while (store.NextSweep is { } due) store.Sweep(now = due);
        Assert.InRange(now, last.Values.Max() + (60 * Second), last.Values.Max() + (62 * Second));
        Assert.Equal(0, store.Count);
    }

    [Fact]
    public void When_full_the_expired_go_first_and_then_the_longest_silent()
    {
        SourceAffinity store = Store(timeout: 60, max: 100);
        for (int n = 0; n < 100; n++) store.Remember(Address(n), A, Start + (n * Second / 2));

        // Clients 0 to 9 come again, so 10 and those after it are the silent ones.
        for (int n = 0; n < 10; n++) store.Remember(Address(n), A, Start + (50 * Second));
        for (int n = 1000; n < 1020; n++) store.Remember(Address(n), B, Start + (51 * Second));
        Assert.Equal(100, store.Count);
        Assert.Equal(20, store.Evicted);

        // They leave in the order of their last connections, to a 1/32 of the timeout.
        Assert.All(Enumerable.Range(0, 10), n => Assert.NotNull(store.Find(Address(n), Start + (51 * Second))));
        Assert.All(Enumerable.Range(10, 16), n => Assert.Null(store.Find(Address(n), Start + (51 * Second))));
        Assert.All(Enumerable.Range(34, 66), n => Assert.NotNull(store.Find(Address(n), Start + (51 * Second))));

        // At 110 s all but the 10 and the 20 are over: they make room, and nobody is evicted.
        for (int n = 2000; n < 2070; n++) store.Remember(Address(n), C, Start + (109 * Second) + (Second / 2));
        Assert.Equal(100, store.Count);
        Assert.Equal(20, store.Evicted);
        Assert.Equal(10, Enumerable.Range(0, 10).Count(n => store.Find(Address(n), Start + (109 * Second) + (Second / 2)) is not null));
        Assert.Equal(20, Enumerable.Range(1000, 20).Count(n => store.Find(Address(n), Start + (109 * Second) + (Second / 2)) is not null));
    }

    [Fact]
    public void A_client_with_an_open_connection_is_not_the_one_to_go()
    {
        SourceAffinity store = Store(max: 50);
        SourceEntry open = store.Open(Address(0), A, Start)!;
        for (int n = 1; n < 5000; n++) store.Remember(Address(n), B, Start + (n * Second / 1000));
        Assert.Equal(50, store.Count);
        Assert.Same(A, store.Find(Address(0), Start + (5 * Second)));
        open.Closed(Start + (5 * Second));
        for (int n = 5000; n < 10_000; n++) store.Remember(Address(n), B, Start + (n * Second / 1000));
        Assert.Null(store.Find(Address(0), Start + (10 * Second)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    public void There_are_never_more_than_the_limit(int max)
    {
        SourceAffinity store = Store(max: max);
        Random random = new(max);
        List<SourceEntry> open = [];
        for (int n = 0; n < 5000; n++)
        {
            PeerAddress client = Address(random.Next(200));
            long now = Start + (n * Second / 100);
            if (random.Next(3) == 0) open.Add(store.Open(in client, A, now)!);
            else store.Remember(in client, B, now);
            Assert.InRange(store.Count, 1, max);
        }

        Assert.True(store.Evicted > 1000);
        open.ForEach(static e => e.Closed(Start));
        store.Sweep(long.MaxValue / 2);
        Assert.Equal(0, store.Count);
    }

    [Fact]
    public void Eight_threads_with_the_same_clients_settle_on_one_server_for_each()
    {
        const int Clients = 2000;
        SourceAffinity store = Store();
        Server[] servers = [.. _pool.Servers];
        Server?[][] won = [.. Enumerable.Range(0, 8).Select(static _ => new Server?[Clients])];
        using Barrier start = new(8);
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(t => new Thread(() =>
        {
            start.SignalAndWait();
            for (int n = 0; n < Clients; n++) won[t][n] = store.Settle(Address(n), servers[(t + n) % 4], Start);
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        for (int n = 0; n < Clients; n++) Assert.Single(won.Select(w => w[n]).Distinct());
        Assert.Equal(Clients, store.Count);
    }

    [Fact]
    public void Threads_may_open_close_sweep_evict_and_forget_at_a_time()
    {
        SourceAffinity store = Store(timeout: 1, max: 500);
        Server[] servers = [.. _pool.Servers];
        Parallel.For(0, 8, t =>
        {
            Random random = new(t);
            for (int n = 0; n < 20_000; n++)
            {
                long now = Start + (n * Second / 1000);
                PeerAddress client = Address(random.Next(1000));
                SourceEntry entry = store.Open(in client, servers[random.Next(4)], now)!;
                if (n % 100 == t) store.Sweep(now);
                if (n % 5000 == 4999) store.Forget(servers[t % 4]);
                Assert.InRange(store.Count, 0, 500);
                entry.Closed(now);
            }
        });

        store.Sweep(Start + (200 * Second));
        Assert.Equal(0, store.Count);
        Assert.Null(store.NextSweep);
    }

    [Fact]
    public void Known_clients_allocate_nothing()
    {
        SourceAffinity store = Store(mask6: 64);
        for (int n = 0; n < 1000; n++) store.Remember(Address(n), A, Start);
        store.Remember(Address("2001:db8::1"), A, Start);
        PeerAddress v6 = Address("2001:db8::2");
        Server b = B;
        long least = long.MaxValue;
        for (int round = 1; round < 6; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int n = 0; n < 1000; n++)
            {
                PeerAddress client = PeerAddress.FromV4(0x0A000000u + (uint)n, 1);
                store.Find(in client, Start + round);
                store.Settle(in client, b, Start + round);
                store.Open(in v6, b, Start + round)!.Closed(Start + round);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    private static SourceAffinity Store(int timeout = 60, int mask = 32, int mask6 = 128, int max = 1_000_000) =>
        new(new PersistenceOptions { Timeout = TimeSpan.FromSeconds(timeout), Mask = mask, Mask6 = mask6, MaxEntries = max }, Second);

    private static PeerAddress Address(int n) => PeerAddress.FromV4(0x0A000000u + (uint)n, 0);

    private static PeerAddress Address(string text, int port = 0) => PeerAddress.From(new IPEndPoint(IPAddress.Parse(text), port));
}
