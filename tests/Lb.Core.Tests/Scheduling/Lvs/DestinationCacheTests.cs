namespace Lb.Core.Tests.Scheduling.Lvs;

[Trait("Row", "S14")]
public sealed class DestinationCacheTests
{
    // One timestamp is one second.
    private const long Minute = 60;
    private const long Day = 24 * 60 * Minute;

    private readonly DestinationCache<string> _cache = new(1, TimeSpan.FromDays(1));

    [Fact]
    public void It_finds_what_was_set_last()
    {
        Assert.Null(_cache.Find(Address(1), 0));
        _cache.Set(Address(1), "a", 0);
        _cache.Set(Address(2), "b", 0);
        _cache.Set(Address(1), "c", 0);
        Assert.Equal("c", _cache.Find(Address(1), 1)?.Value);
        Assert.Equal("b", _cache.Find(Address(2), 1)?.Value);
        Assert.Equal(2, _cache.Count);
    }

    [Fact]
    public void IPv4_and_IPv6_with_the_same_fold_are_different()
    {
        PeerAddress v6 = PeerAddress.FromBytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1], 0);
        _cache.Set(PeerAddress.FromV4(0x0A000001, 0), "v4", 0);
        Assert.Null(_cache.Find(in v6, 0));
        _cache.Set(in v6, "v6", 0);
        Assert.Equal("v4", _cache.Find(PeerAddress.FromV4(0x0A000001, 0), 0)?.Value);
        Assert.Equal("v6", _cache.Find(in v6, 0)?.Value);
    }

    [Fact]
    public void A_full_table_takes_nothing_new_until_a_minute_has_passed_and_something_is_idle_for_six()
    {
        Fill(now: 0);
        _cache.Set(Address(-1), "new", 1);
        Assert.Equal(DestinationCache<string>.Capacity, _cache.Count);
        Assert.Null(_cache.Find(Address(-1), 1));

        // The known ones go on, and may change.
        _cache.Set(Address(1), "changed", 2);
        Assert.Equal("changed", _cache.Find(Address(1), 2)?.Value);

        // 1 is used 5 minutes later and so stays when all others have been idle for 6.
        Assert.NotNull(_cache.Find(Address(1), 5 * Minute));
        _cache.Set(Address(-1), "new", (6 * Minute) - 1);
        Assert.Equal(DestinationCache<string>.Capacity, _cache.Count);
        _cache.Set(Address(-1), "new", 7 * Minute);
        Assert.Equal(2, _cache.Count);
        Assert.Equal("new", _cache.Find(Address(-1), 7 * Minute)?.Value);
        Assert.Equal("changed", _cache.Find(Address(1), 7 * Minute)?.Value);
    }

    [Fact]
    public void With_room_left_only_what_is_idle_for_a_day_goes_and_only_every_half_hour()
    {
        _cache.Set(Address(1), "old", 0);
        _cache.Set(Address(2), "used", 0);
        _cache.Set(Address(3), "x", Day - Minute);
        Assert.NotNull(_cache.Find(Address(2), Day - 1));
        Assert.Equal(3, _cache.Count);

        // At the last look nothing was old enough; the next is half an hour later.
        _cache.Set(Address(4), "y", Day + (28 * Minute));
        Assert.Equal(4, _cache.Count);
        Assert.Null(_cache.Find(Address(1), Day));
        _cache.Set(Address(5), "z", Day + (30 * Minute));
        Assert.Equal(4, _cache.Count);
        Assert.Equal("used", _cache.Find(Address(2), Day + (30 * Minute))?.Value);
    }

    [Fact]
    public void Finding_and_changing_allocate_nothing()
    {
        for (int n = 0; n < 1_000; n++) _cache.Set(Address(n), "a", 0);
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int n = 0; n < 1_000; n++)
            {
                _cache.Find(Address(n), round);
                _cache.Set(Address(n), "b", round);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    [Fact]
    public void Many_threads_may_add_find_and_clear_out()
    {
        // Time runs fast, so that buckets are rebuilt while others add to them. Nothing in use may be lost for good or be there twice.
        Parallel.For(0, 8, thread =>
        {
            for (int n = 0; n < 20_000; n++)
            {
                PeerAddress address = Address((n * 7) % 40_000);
                _cache.Set(in address, "a", n);
                Assert.True(_cache.Count <= DestinationCache<string>.Capacity + 8);
                _cache.Find(Address(thread), n);
            }
        });

        long end = 20_000 + (30 * Minute);
        int found = Enumerable.Range(0, 40_000).Count(n => _cache.Find(Address(n), end) is not null);
        Assert.Equal(_cache.Count, found);
    }

    private void Fill(long now)
    {
        for (int n = 0; n < DestinationCache<string>.Capacity; n++) _cache.Set(Address(n), "a", now);
        Assert.Equal(DestinationCache<string>.Capacity, _cache.Count);
    }

    private static PeerAddress Address(int n) => PeerAddress.FromV4(0x0A000000u + (uint)n, 0);
}
