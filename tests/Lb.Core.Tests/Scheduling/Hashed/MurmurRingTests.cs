using System.Net;

namespace Lb.Core.Tests.Scheduling;

public sealed class MurmurRingTests
{
    // The points of Envoy's ring test: six servers, two points each, std::hash of "127.0.0.1:90_0" and so on, made with GNU's C++ library 12.
    [Fact]
    [Trait("Row", "S16")]
    public void The_ring_is_that_of_the_standard_library_hash()
    {
        (ulong Point, int Port)[] expected =
        [
            (638856625572010988, 93), (5413191615583542422, 92), (5656417760668758976, 90), (6651420464618931386, 91),
            (6953129654562287644, 94), (7593076544525390372, 90), (7599313976242176092, 92), (11970690789659040136, 95),
            (14984711491620340756, 93), (15630895813300259860, 91), (16159184795512634688, 95), (17847371850246043524, 94),
        ];
        ServerPool pool = TablePool.Make(static () => new HashRing(12, 12, RingHash.Murmur2), 90, 1, 1, 1, 1, 1, 1);
        PointRing ring = HashRing.Ring(pool.Snapshot!, 12, 12, RingHash.Murmur2);
        Assert.Equal(expected, Enumerable.Range(0, ring.Length).Select(i => (ring.PointAt(i), ((IPEndPoint)pool.Servers[ring.OwnerAt(i)].EndPoint).Port)));

        // Keys, by the hash that the policy goes by.
        foreach (string key in (string[])["one", "two", "three", "four"])
        {
            ulong hash = AffinityKey.From(key).Hash;
            int port = expected.FirstOrDefault(e => e.Point >= hash, expected[0]).Port;
            Assert.Equal($"s{port - 89}", TablePool.Pick(pool, key));
        }
    }

    // Envoy normalises the weights first; 5/13 and 8/13 in the other order of operations make one point more for the second.
    [Fact]
    [Trait("Row", "S16")]
    public void The_numbers_of_points_are_those_of_normalised_weights()
    {
        ServerPool pool = TablePool.Make(static () => new HashRing(), 90, 5, 8);
        PointRing ring = HashRing.Ring(pool.Snapshot!, 16_384, 8_388_608);
        int[] points = new int[2];
        for (int i = 0; i < ring.Length; i++) points[ring.OwnerAt(i)]++;
        Assert.Equal([6303, 10083], points);
    }
}
