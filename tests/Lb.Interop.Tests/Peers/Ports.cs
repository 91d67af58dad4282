using System.Net;
using System.Net.Sockets;

namespace Lb.Interop.Tests.Peers;

/// <summary>Ports for peers that can't choose one themselves.</summary>
internal static class Ports
{
    // Below those that Linux gives to clients (32768 and above): what is free now is not taken by somebody's connection before the peer listens.
    private const int First = 20_000;
    private const int Count = 12_000;

    private static int _next = Environment.ProcessId * 101 % Count;

    /// <summary>A port of 127.0.0.1 that nobody listens on, over TCP and UDP; another one each time.</summary>
    public static IPEndPoint Next()
    {
        while (true)
        {
            IPEndPoint candidate = new(IPAddress.Loopback, First + (Interlocked.Increment(ref _next) % Count));
            try
            {
                using Socket tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                tcp.Bind(candidate);
                using Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                udp.Bind(candidate);
                return candidate;
            }
            catch (SocketException)
            {
                // Taken; the next one, then.
            }
        }
    }
}
