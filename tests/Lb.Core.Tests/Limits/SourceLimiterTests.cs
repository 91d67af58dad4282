namespace Lb.Core.Tests.Limits;

/// <summary>Limits for each source; the clock counts milliseconds.</summary>
[Trait("Row", "L1")]
public sealed class SourceLimiterTests
{
    private const long Second = 1000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Each_source_has_its_own_connections()
    {
        SourceLimiter limiter = new(new PerSourceOptions { MaxConnections = 2 }, Second);
        PeerAddress a = TestPool.Client("192.0.2.1:1"), again = TestPool.Client("192.0.2.1:2"), b = TestPool.Client("192.0.2.2");
        Assert.Equal("Accepted Accepted TooMany Accepted", $"{Enter(a)} {Enter(again)} {Enter(a)} {Enter(b)}");
        Assert.Equal((2, 1, 2, 1L), (limiter.Connections(in a), limiter.Connections(in b), limiter.Sources, limiter.Refused));
        limiter.Leave(in again);
        Assert.Equal("Accepted TooMany", $"{Enter(a)} {Enter(a)}");

        SourceVerdict Enter(PeerAddress source) => limiter.Enter(in source, 0, out _);
    }

    [Fact]
    public void A_network_may_be_one_source()
    {
        SourceLimiter limiter = new(new PerSourceOptions { MaxConnections = 1, Mask = 24 }, Second);
        string verdicts = string.Join(' ', new[] { "192.0.2.1", "192.0.2.200", "192.0.3.1", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1" }.Select(s =>
        {
            PeerAddress source = TestPool.Client(s);
            return limiter.Enter(in source, 0, out _);
        }));
        Assert.Equal("Accepted TooMany Accepted Accepted TooMany Accepted", verdicts);
    }

    [Fact]
    public void A_source_may_not_come_faster_than_the_window_allows()
    {
        SourceLimiter limiter = new(new PerSourceOptions { Rate = 10, Period = TimeSpan.FromSeconds(10) }, Second);
        PeerAddress source = TestPool.Client("192.0.2.1");
        for (int n = 0; n < 10; n++) Assert.Equal(SourceVerdict.Accepted, Enter(0));
        Assert.Equal(SourceVerdict.TooFast, limiter.Enter(in source, 4000, out TimeSpan wait));

        // Ten in the first period: a tenth of the next one must pass before one of them is out of sight.
        Assert.Equal(TimeSpan.FromSeconds(7), wait);
        Assert.Equal("TooFast Accepted TooFast Accepted", $"{Enter(10_999)} {Enter(11_000)} {Enter(11_000)} {Enter(12_000)}");
        Assert.Equal(SourceVerdict.Accepted, Enter(60_000));

        SourceVerdict Enter(long now) => limiter.Enter(in source, now, out _);
    }

    [Theory]
    [InlineData(1, 1, 100)]
    [InlineData(2, 7, 1000)]
    [InlineData(3, 50, 250)]
    public void No_two_halves_of_neighbouring_periods_bring_much_more_than_the_limit(int seed, int limit, int period)
    {
        // The estimate takes what came in the last period as spread evenly, so it may be wrong by what came in a burst; never above twice the limit in a
        // window, and over many periods never above the limit and one.
        Random random = new(seed);
        RateWindow window = default;
        List<long> accepted = [];
        for (long now = 0; now < period * 100L; now += random.Next(1, Math.Max(2, period / limit)))
        {
            long wait = window.Wait(now, period, limit);
            Assert.Equal(wait == 0, window.HasRoom(now, period, limit));
            if (wait > 0)
            {
                // What it promises is true, and not much too late.
                RateWindow then = window;
                Assert.True(then.HasRoom(now + wait + 1, period, limit));
                RateWindow before = window;
                Assert.False(before.HasRoom(now + wait - 2, period, limit) && wait > 2);
                continue;
            }

            window.Count(now, period);
            accepted.Add(now);
        }

        for (int i = 0; i < accepted.Count; i++) Assert.InRange(accepted.Count(t => t >= accepted[i] && t < accepted[i] + period), 1, 2 * limit);
        Assert.InRange(accepted.Count, limit * 50, (limit * 101) + 1);
    }

    [Fact]
    public void A_flood_of_sources_keeps_the_table_bounded_and_the_oldest_idle_one_goes()
    {
        SourceLimiter limiter = new(new PerSourceOptions { MaxConnections = 1, Rate = 1, Period = TimeSpan.FromHours(1), TableSize = 1000 }, Second);
        PeerAddress stays = PeerAddress.FromV4(1, 1);
        Assert.Equal(SourceVerdict.Accepted, limiter.Enter(in stays, 0, out _));
        for (uint n = 0; n < 100_000; n++)
        {
            PeerAddress source = PeerAddress.FromV4(0x0A000000 + n, 1);
            Assert.Equal(SourceVerdict.Accepted, limiter.Enter(in source, n, out _));
            limiter.Leave(in source);
        }

        // The one that is connected is remembered through all of it, and so are the last 999; the first is not.
        PeerAddress first = PeerAddress.FromV4(0x0A000000, 1), last = PeerAddress.FromV4(0x0A000000 + 99_999, 1), lastKept = PeerAddress.FromV4(0x0A000000 + 99_001, 1);
        Assert.Equal(1000, limiter.Sources);
        Assert.Equal(SourceVerdict.TooMany, limiter.Enter(in stays, 100_000, out _));
        Assert.Equal(SourceVerdict.TooFast, limiter.Enter(in last, 100_000, out _));
        Assert.Equal(SourceVerdict.TooFast, limiter.Enter(in lastKept, 100_000, out _));
        Assert.Equal(SourceVerdict.Accepted, limiter.Enter(in first, 100_000, out _));
        Assert.Equal(0, limiter.Untracked);
    }

    [Fact]
    public void With_every_place_taken_by_open_connections_a_new_source_is_let_in_uncounted()
    {
        SourceLimiter limiter = new(new PerSourceOptions { MaxConnections = 1, TableSize = 2 }, Second);
        PeerAddress[] sources = [.. Enumerable.Range(1, 3).Select(static n => PeerAddress.FromV4((uint)n, 1))];
        foreach (PeerAddress source in sources) Assert.Equal(SourceVerdict.Accepted, limiter.Enter(in source, 0, out _));
        Assert.Equal(SourceVerdict.Accepted, limiter.Enter(in sources[2], 0, out _));
        Assert.Equal((2, 2L), (limiter.Sources, limiter.Untracked));

        // Its end must not be taken for another's.
        limiter.Leave(in sources[2]);
        Assert.Equal(SourceVerdict.TooMany, limiter.Enter(in sources[0], 0, out _));
        limiter.Leave(in sources[0]);
        Assert.Equal(SourceVerdict.Accepted, limiter.Enter(in sources[2], 0, out _));
        Assert.Equal(SourceVerdict.TooMany, limiter.Enter(in sources[2], 0, out _));
        Assert.Equal(0, limiter.Connections(in sources[0]));
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 40)]
    [InlineData(3, 3000)]
    public void What_it_counts_is_what_a_dictionary_counts(int seed, int tableSize)
    {
        Random random = new(seed);
        SourceLimiter limiter = new(new PerSourceOptions { MaxConnections = 3, TableSize = tableSize }, Second);
        Dictionary<PeerAddress, int> open = [];
        for (int n = 0; n < 20_000; n++)
        {
            PeerAddress source = PeerAddress.FromV4((uint)random.Next(Math.Min(tableSize, 500)), 0);
            int before = open.GetValueOrDefault(source);
            if (random.Next(2) == 0)
            {
                Assert.Equal(before < 3 ? SourceVerdict.Accepted : SourceVerdict.TooMany, limiter.Enter(in source, n, out _));
                open[source] = Math.Min(3, before + 1);
            }
            else if (before > 0)
            {
                limiter.Leave(in source);
                open[source] = before - 1;
            }
        }

        Assert.All(open, pair => Assert.Equal(pair.Value, limiter.Connections(pair.Key)));
    }

    [Fact(Timeout = 60_000)]
    public async Task Loops_that_ask_at_the_same_time_let_in_no_more_than_the_limit()
    {
        SourceLimiter limiter = new(new PerSourceOptions { MaxConnections = 5, TableSize = 100 }, Second);
        int[] open = new int[20];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(
            () =>
            {
                Random random = new(thread);
                for (int n = 0; n < 50_000; n++)
                {
                    int which = random.Next(open.Length);
                    PeerAddress source = PeerAddress.FromV4((uint)which, 0);
                    if (limiter.Enter(in source, n, out _) != SourceVerdict.Accepted) continue;
                    Assert.InRange(Interlocked.Increment(ref open[which]), 1, 5);
                    Interlocked.Decrement(ref open[which]);
                    limiter.Leave(in source);
                }
            },
            Ct)));
        Assert.All(Enumerable.Range(0, open.Length), n => Assert.Equal(0, limiter.Connections(PeerAddress.FromV4((uint)n, 0))));
    }

    [Fact]
    public void Asking_allocates_nothing_once_the_table_has_grown()
    {
        SourceLimiter limiter = new(new PerSourceOptions { MaxConnections = 3, Rate = 1000, TableSize = 16 }, Second);
        Ask(40);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Ask(1000);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Ask(int times)
        {
            for (int n = 0; n < times; n++)
            {
                PeerAddress source = PeerAddress.FromV4((uint)n, 0);
                limiter.Enter(in source, n, out _);
                limiter.Leave(in source);
            }
        }
    }

    [Fact]
    [Trait("Row", "L7")]
    public void A_gate_tells_how_long_to_wait()
    {
        RateGate gate = new(4, TimeSpan.FromSeconds(1), Second);
        TimeSpan[] waits = [.. Enumerable.Range(0, 4).Select(_ => gate.Take(500))];
        Assert.Equal([TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromMilliseconds(750)], waits);
        Assert.Equal((4.0, TimeSpan.FromMilliseconds(250)), (gate.Read(1000), gate.Wait(1000)));
        Assert.Equal((3.0, TimeSpan.Zero), (gate.Read(1250), gate.Wait(1250)));
    }
}
