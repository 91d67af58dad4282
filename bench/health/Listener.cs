using System.Net;
using System.Net.Sockets;

namespace Lb.HealthBench;

/// <summary>
/// <c>listen PORT</c>: all servers at once, for every address of 127/8 leads here. Accepts and closes. Ends with its input.
/// </summary>
internal static class Listener
{
    public static int Run(int port)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Any, port));
        socket.Listen(65_535);
        Thread accepting = new(() =>
        {
            try
            {
                while (true) socket.Accept().Dispose();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The end.
            }
        }) { IsBackground = true };
        accepting.Start();
        Console.WriteLine("ready");
        while (Console.In.ReadLine() is not null) { }
        return 0;
    }

    /// <summary>Address of a server, from 0.</summary>
    public static string AddressOf(int server) => $"127.{1 + (server / 62_500)}.{server / 250 % 250}.{1 + (server % 250)}";
}
