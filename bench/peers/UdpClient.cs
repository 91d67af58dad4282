using System.Net;
using System.Net.Sockets;

namespace Lb.Peers;

/// <summary>
/// <c>client udp PORT FLOWS SIZE WINDOW SECONDS</c>: so many sockets, each with so many datagrams under way; every answer is the next question. Prints
/// <c>round trips N</c>, <c>lost N</c> and a line for each error. <c>client udpecho PORT</c>: answers every datagram with itself until its input ends.
/// </summary>
internal static class UdpClient
{
    private const int BufferSize = 4 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    public static int Run(int port, int flows, int size, int window, int seconds, TimeProvider time)
    {
        Socket[] sockets = [.. Enumerable.Range(0, flows).Select(_ => Open())];
        Datagrams[] datagrams = new Datagrams[flows];
        long[] underWay = new long[flows], heard = new long[flows];
        long done = 0, lost = 0, wrong = 0;
        for (int i = 0; i < flows; i++)
        {
            sockets[i].Connect(new IPEndPoint(IPAddress.Loopback, port));
            datagrams[i] = new Datagrams(sockets[i].Handle, hasPeers: false);
        }

        long start = time.GetTimestamp();
        List<Socket> readable = [];
        while (time.GetElapsedTime(start).TotalSeconds < seconds)
        {
            long now = time.GetTimestamp();
            for (int i = 0; i < flows; i++)
            {
                if (underWay[i] > 0 && time.GetElapsedTime(heard[i], now) < Patience) continue;
                lost += underWay[i];
                underWay[i] = datagrams[i].Send(window, size, (byte)i);
                heard[i] = now;
            }

            readable.Clear();
            readable.AddRange(sockets);
            Socket.Select(readable, null, null, Patience);
            now = time.GetTimestamp();
            foreach (Socket socket in readable)
            {
                int i = Array.IndexOf(sockets, socket);
                int count = datagrams[i].Receive(wait: false);
                for (int d = 0; d < count; d++)
                {
                    if (datagrams[i][d].Length != size || datagrams[i][d][0] != i) wrong++;
                }

                done += count;
                heard[i] = now;
                underWay[i] += datagrams[i].Send(count, size, (byte)i) - count;
            }
        }

        Console.WriteLine($"round trips {done}");
        Console.WriteLine($"lost {lost}");
        if (wrong > 0) Console.WriteLine($"error {wrong} answers were another flow's or of another size");
        return 0;
    }

    public static int Echo(int port)
    {
        using Socket socket = Open();
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));

        // A port of TCP tells that it is there.
        using Socket ready = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        ready.Bind(new IPEndPoint(IPAddress.Loopback, port));
        ready.Listen();
        Datagrams datagrams = new(socket.Handle, hasPeers: true);
        while (true)
        {
            int count = datagrams.Receive(wait: true);
            if (count > 0) datagrams.Send(count);
        }
    }

    private static Socket Open() =>
        new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = BufferSize, SendBufferSize = BufferSize };
}
