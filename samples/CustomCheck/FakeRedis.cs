using System.Net;
using System.Net.Sockets;

namespace Samples.CustomCheck;

/// <summary>Answers every connection with one line.</summary>
internal sealed class FakeRedis : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private volatile byte[] _answer = "-LOADING Redis is loading the dataset in memory\r\n"u8.ToArray();

    public FakeRedis()
    {
        _listener.Start();
        _ = ServeAsync();
    }

    public string Address => _listener.LocalEndpoint.ToString()!;

    public void HasLoaded() => _answer = "+PONG\r\n"u8.ToArray();

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                using Socket client = await _listener.AcceptSocketAsync();
                byte[] command = new byte[64];
                if (await client.ReceiveAsync(command) > 0) await client.SendAsync(_answer);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // A client that went away; or the listener has, and the next turn ends.
                if (!_listener.Server.IsBound) return;
            }
        }
    }
}
