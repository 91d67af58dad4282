using System.Net;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Lb.Transport.Tests.Udp;

/// <summary>The table of sessions against a dictionary.</summary>
[Trait("Row", "T2")]
public sealed class UdpTableTests
{
    private static readonly DatagramSocket[] s_listeners =
        [(DatagramSocket)RuntimeHelpers.GetUninitializedObject(typeof(ManagedDatagramSocket)), (DatagramSocket)RuntimeHelpers.GetUninitializedObject(typeof(ManagedDatagramSocket))];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Finds_what_is_in_it_and_nothing_else(int seed)
    {
        Random random = new(seed);
        UdpTable table = new();
        Dictionary<(DatagramAddress, DatagramAddress, DatagramSocket), UdpSession> expected = [];
        for (int step = 0; step < 20_000; step++)
        {
            Datagram item = new()
            {
                From = DatagramAddress.From(new IPAddress([10, 0, 0, (byte)random.Next(20)]), 1000 + random.Next(20)),
                Local = random.Next(2) == 0 ? default : DatagramAddress.From(new IPAddress([192, 0, 2, (byte)random.Next(2)]), 0),
            };
            DatagramSocket listener = s_listeners[random.Next(2)];
            var key = (item.From, item.Local, listener);
            uint hash = table.Hash(in item);

            UdpSession? found = table.Find(hash, listener, in item);

            Assert.Same(expected.GetValueOrDefault(key), found);
            if (found is null)
            {
                expected[key] = Make(listener, item, hash);
                table.Add(expected[key]);
            }
            else if (random.Next(3) > 0)
            {
                expected.Remove(key);
                table.Remove(found);
            }

            Assert.Equal(expected.Count, table.Count);
        }

        foreach (UdpSession session in expected.Values)
            Assert.Same(session, table.Find(session.Hash, session.Listener, new Datagram { From = session.Client, Local = session.Local }));
    }

    [Fact]
    public void Addresses_keep_their_value_in_every_form()
    {
        foreach (string text in (string[])["127.0.0.1:53", "[2001:db8::1]:65535", "[fe80::1%3]:1", "255.255.255.255:0"])
        {
            IPEndPoint endPoint = IPEndPoint.Parse(text);
            DatagramAddress address = DatagramAddress.From(endPoint.Address, endPoint.Port);
            Assert.Equal(endPoint, address.ToEndPoint(isV6Socket: false));
            Assert.Equal(endPoint.Address.MapToIPv6(), address.ToEndPoint(isV6Socket: true).Address);
            Assert.Equal(PeerAddress.From(endPoint), address.ToPeer());
            Assert.Equal(address, Native(address, isV6: true));
            if (endPoint.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork) Assert.Equal(address, Native(address, isV6: false));
        }

        Assert.True(default(DatagramAddress).ToPeer().IsEmpty);
    }

    // To the kernel's form and back.
    private static unsafe DatagramAddress Native(DatagramAddress address, bool isV6)
    {
        byte* native = stackalloc byte[32];
        Assert.Equal(isV6 ? 28u : 16u, address.Write(native, isV6));
        return DatagramAddress.Read(native);
    }

    // A session that nobody serves: the table looks at its key only.
    private static UdpSession Make(DatagramSocket listener, Datagram item, uint hash)
    {
        UdpSession session = (UdpSession)RuntimeHelpers.GetUninitializedObject(typeof(UdpSession));
        Set(nameof(UdpSession.Listener), listener);
        Set(nameof(UdpSession.Client), item.From);
        Set(nameof(UdpSession.Local), item.Local);
        Set(nameof(UdpSession.Hash), hash);
        return session;

        void Set(string name, object value) =>
            typeof(UdpSession).GetField($"<{name}>k__BackingField", BindingFlags.NonPublic | BindingFlags.Instance)!.SetValue(session, value);
    }
}
