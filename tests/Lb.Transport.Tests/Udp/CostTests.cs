using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Lb.Transport.Tests.Udp;

/// <summary>What datagrams cost, and what the kernel may put together on the way.</summary>
[Collection(Alone.Name)]
public sealed class CostTests : UdpGatewayTests
{
    private const int LevelUdp = 17, Segment = 103, Coalesce = 104;

    [Fact(Timeout = Timeout)]
    [Trait("Row", "T3")]
    public async Task A_relayed_datagram_allocates_nothing_on_epoll()
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync("epoll", l =>
        {
            server = l.AddUdpServer();
            l.Listen[0] = "0.0.0.0:0";
            l.SystemTime = true;
            l.SetGateway(static g => g.IdleTimeout = TimeSpan.FromSeconds(5));
        });
        UdpPeer[] clients = [.. Enumerable.Range(0, 8).Select(_ => lab.Client())];
        EndPoint gateway = new IPEndPoint(IPAddress.Loopback, lab.At().Port);
        byte[] message = new byte[200], buffer = new byte[2048];
        IPEndPoint any = new(IPAddress.Any, 0);
        for (int i = 0; i < 500; i++) await RoundTripsAsync();
        long before = await LoopGroup.RunAsync(lab.Loop[0], GC.GetAllocatedBytesForCurrentThread), datagrams = lab.Udp().DatagramsIn;
        for (int i = 0; i < 1000; i++) await RoundTripsAsync();
        long after = await LoopGroup.RunAsync(lab.Loop[0], GC.GetAllocatedBytesForCurrentThread);
        Assert.Equal(16_000, lab.Udp().DatagramsIn - datagrams);

        // Asking costs a little itself; a single byte for each of the 32 000 datagrams would be more.
        Assert.InRange(after - before, 0, 5_000);

        async Task RoundTripsAsync()
        {
            // Two of each client, which the gateway may send on together.
            for (int i = 0; i < 16; i++) clients[i % 8].Socket.SendTo(message, gateway);
            for (int i = 0; i < 16; i++)
            {
                SocketReceiveFromResult got = await server.Socket.ReceiveFromAsync(buffer, SocketFlags.None, any);
                server.Socket.SendTo(buffer.AsSpan(0, got.ReceivedBytes), SocketFlags.None, got.RemoteEndPoint);
            }

            for (int i = 0; i < 16; i++) Assert.Equal(200, await clients[i % 8].Socket.ReceiveAsync(buffer));
        }
    }

    [Fact(Timeout = Timeout)]
    [Trait("Row", "T2")]
    public async Task Datagrams_that_come_as_segments_of_one_message_arrive_as_themselves()
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync("epoll", l => server = l.AddUdpServer());
        UdpPeer client = lab.Client();
        if (!TrySet(client.Socket, Segment, 500)) Assert.Skip("This kernel has no UDP_SEGMENT.");

        // One send, eleven datagrams: ten of 500 bytes and one of 77.
        byte[] data = new byte[5_077];
        Random.Shared.NextBytes(data);
        client.Send(lab.At(), data);
        IPEndPoint socket = null!;
        for (int offset = 0; offset < data.Length; offset += 500)
        {
            (byte[] got, socket) = await server.ReceiveAsync();
            PlainSockets.ShouldBeSame(data[offset..Math.Min(offset + 500, data.Length)], got);
        }

        Assert.Equal((11L, 5_077L), (lab.Udp().DatagramsIn, lab.Udp().BytesIn));

        // The other way, with a size that needs dividing all the way, to a client that does and one that does not take them together.
        Assert.True(TrySet(server.Socket, Segment, 1_300));
        foreach (bool together in (bool[])[false, true])
        {
            Assert.True(TrySet(client.Socket, Coalesce, together ? 1 : 0));
            server.Send(socket, data);
            byte[] answer = [];
            int count = 0;
            while (answer.Length < data.Length)
            {
                answer = [.. answer, .. (await client.ReceiveAsync()).Data];
                count++;
            }

            PlainSockets.ShouldBeSame(data, answer);
            Assert.Equal(together ? 1 : 4, count);
        }
    }

    [Fact(Timeout = Timeout)]
    [Trait("Row", "T2")]
    public async Task Equal_datagrams_of_a_burst_leave_as_one_message_and_arrive_as_themselves()
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync("epoll", l => server = l.AddUdpServer());
        if (!TrySet(server.Socket, Coalesce, 1)) Assert.Skip("This kernel has no UDP_GRO.");
        UdpPeer client = lab.Client();
        TaskCompletionSource hold = await lab.HoldLoopAsync();
        for (int i = 0; i < 20; i++) client.Send(lab.At(), new byte[100]);
        hold.SetResult();

        (byte[] got, _) = await server.ReceiveAsync();

        Assert.Equal(2_000, got.Length);
        Assert.Equal(20, lab.Udp().DatagramsIn);
    }

    private static bool TrySet(Socket socket, int option, int value)
    {
        try
        {
            socket.SetRawSocketOption(LevelUdp, option, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in value)));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
