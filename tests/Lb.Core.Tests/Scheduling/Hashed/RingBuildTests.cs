using System.Globalization;
using System.Text;

namespace Lb.Core.Tests.Scheduling;

/// <summary>The engines of rings, and rings that are changed instead of made anew, against plain computations.</summary>
[Trait("Row", "S16")]
public sealed class RingBuildTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(10_000)]
    public void Points_are_sorted_and_equal_ones_keep_their_order(int count)
    {
        Random random = new(count);
        uint[] narrow = new uint[count];
        ulong[] wide = new ulong[count];
        ushort[] owners = [.. Enumerable.Range(0, count).Select(static i => (ushort)i)];
        for (int i = 0; i < count; i++)
        {
            narrow[i] = i % 3 == 0 ? (uint)random.Next(50) : (uint)random.NextInt64(1L << 32);
            wide[i] = i % 3 == 0 ? (ulong)random.Next(50) : (ulong)random.NextInt64() << 1;
        }

        ushort[] narrowOwners = [.. owners], wideOwners = [.. owners];
        (uint, ushort)[] narrowExpected = [.. narrow.Zip(owners).OrderBy(static p => p.First)];
        (ulong, ushort)[] wideExpected = [.. wide.Zip(owners).OrderBy(static p => p.First)];
        PointSort.Sort(ref narrow, ref narrowOwners);
        PointSort.Sort(ref wide, ref wideOwners);
        Assert.Equal(narrowExpected, narrow.Zip(narrowOwners));
        Assert.Equal(wideExpected, wide.Zip(wideOwners));
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(1_000, false)]
    [InlineData(1_000, true)]
    [InlineData(100_000, false)]
    public void The_first_point_at_or_after_a_hash_is_found(int count, bool uneven)
    {
        Random random = new(count);
        ulong[] points = new ulong[count];
        for (int i = 0; i < count; i++) points[i] = uneven ? (ulong)random.Next(5_000) : (ulong)random.NextInt64() << 1 | 1;
        Array.Sort(points);
        PointIndex<ulong> index = new(points);
        for (int n = 0; n < 2_000; n++)
        {
            ulong hash = (n % 4) switch
            {
                0 => points[random.Next(count)],
                1 => points[random.Next(count)] + 1,
                2 => (ulong)random.NextInt64() << 1,
                _ => n < 1_000 ? 0 : ulong.MaxValue,
            };
            int expected = Array.FindIndex(points, p => p >= hash);
            Assert.Equal(Math.Max(expected, 0), index.Find(hash));
        }
    }

    [Fact]
    public void A_ring_that_was_changed_picks_as_one_made_anew()
    {
        Random random = new(5);
        ServerPool pool = TablePool.Make(() => new RoundRobin(), 9001, [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6, 7]);
        Ketama changed = new();
        for (int round = 0; round < 60; round++)
        {
            Server server = pool.Servers[random.Next(pool.Servers.Count)];
            switch (random.Next(4))
            {
                case 0:
                    pool.SetWeight(server, random.Next(1, 8));
                    break;
                case 1 when pool.Servers.Count > 6:
                    pool.Remove(server, force: true);
                    break;
                case 2:
                    pool.Add(new ServerOptions { Address = $"10.0.0.{round + 1}:80", Weight = random.Next(1, 6) }, ServerAdmin.Ready);
                    break;
                default:
                    pool.SetHealth(server, server.Health == ServerHealth.Up ? ServerHealth.Down : ServerHealth.Up);
                    break;
            }

            if (pool.Snapshot is not { } snapshot) continue;
            IScheduler one = changed.Build(snapshot), other = new Ketama().Build(snapshot);
            (uint Point, Server Owner)[] plain = Plain(snapshot);
            for (int n = 0; n < 200; n++)
            {
                AffinityKey key = AffinityKey.From(random.Next().ToString(CultureInfo.InvariantCulture));
                uint hash = Crc32(key.Bytes.Span);
                Server expected = plain.FirstOrDefault(p => p.Point >= hash, plain[0]).Owner;
                Assert.Same(expected, one.Pick(new PickContext { Key = key }, 1));
                Assert.Same(other.Pick(new PickContext { Key = key, Avoid = expected }, 1), one.Pick(new PickContext { Key = key, Avoid = expected }, 1));
            }
        }
    }

    [Fact]
    public void Equal_points_keep_the_order_of_the_servers_when_a_ring_is_changed()
    {
        // 480 000 points of 32 bits: some 27 of them are equal to another one.
        ServerPool pool = TablePool.Make(() => new RoundRobin(), 9001, [.. Enumerable.Repeat(10, 300)]);
        PoolSnapshot all = pool.Snapshot!;
        Ketama changed = new(), anew = new();
        changed.Build(all);
        Server[] odd = [.. all.Servers.ToArray().Where(static s => s.Id % 2 == 1)];
        changed.Build(new PoolSnapshot(odd, [.. Enumerable.Repeat(10, odd.Length)], 2));
        changed.Build(all);
        anew.Build(all);

        ConsistentRing one = changed.Ring!, other = anew.Ring!;
        Assert.Equal(other.Length, one.Length);
        int equal = 0, different = 0;
        for (int n = 0; n < one.Length; n++)
        {
            if (n > 0 && one.PointAt(n) == one.PointAt(n - 1)) equal++;
            if (one.PointAt(n) != other.PointAt(n) || one.OwnerAt(n) != other.OwnerAt(n)) different++;
        }

        Assert.Equal(0, different);
        Assert.NotEqual(0, equal);
    }

    [Fact]
    public void The_ring_keeps_no_server_that_left()
    {
        Ketama policy = new();
        WeakReference gone = BuildAndRemove(policy);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(gone.IsAlive);
        GC.KeepAlive(policy);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference BuildAndRemove(Ketama policy)
    {
        ServerPool pool = TestPool.Create(3, new RoundRobin());
        policy.Build(pool.Snapshot!);
        Server server = pool.Get("b");
        pool.Remove(server, force: true);
        policy.Build(pool.Snapshot!);
        return new WeakReference(server);
    }

    // nginx's definition, bit by bit.
    private static (uint Point, Server Owner)[] Plain(PoolSnapshot snapshot)
    {
        List<(uint, Server)> points = [];
        for (int i = 0; i < snapshot.Servers.Length; i++)
        {
            System.Net.IPEndPoint address = (System.Net.IPEndPoint)snapshot.Servers[i].EndPoint;
            byte[] head = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{address.Address}\0{address.Port}"));
            uint point = 0;
            for (int n = 0; n < snapshot.Weights[i] * 160; n++)
            {
                point = Crc32([.. head, .. BitConverter.GetBytes(point)]);
                points.Add((point, snapshot.Servers[i]));
            }
        }

        return [.. points.OrderBy(static p => p.Item1)];
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        uint crc = ~0u;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
        }

        return ~crc;
    }
}
