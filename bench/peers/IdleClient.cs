using System.Net;
using System.Net.Sockets;

namespace Lb.Peers;

/// <summary>
/// <c>client idle PORT COUNT</c>: opens connections, sends nothing, prints <c>ready N</c>; at the end of its input prints <c>closed M</c> (how many the proxy
/// has ended meanwhile) and leaves. Holds them for two minutes at most.
/// </summary>
internal static class IdleClient
{
    private const int Burst = 64;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Hold = TimeSpan.FromMinutes(2);

    public static async Task<int> RunAsync(int port, int count, TimeProvider time)
    {
        List<Socket> sockets = new(count);
        try
        {
            for (int i = 0; i < count; i++)
            {
                Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                sockets.Add(socket);
                socket.Connect(new IPEndPoint(IPAddress.Loopback, port));
                if (i % Burst == Burst - 1) await Task.Delay(Pause, time);
            }
        }
        catch (SocketException e)
        {
            Console.WriteLine($"error connection {sockets.Count}: {e.SocketErrorCode}");
        }

        Console.WriteLine($"ready {sockets.Count}");
        using CancellationTokenSource late = new(Hold, time);
        try
        {
            await Console.In.ReadToEndAsync(late.Token).WaitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine("error nobody ended the wait");
        }

        Console.WriteLine($"closed {sockets.Count(static s => s.Poll(0, SelectMode.SelectRead))}");
        return 0;
    }
}
