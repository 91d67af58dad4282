using System.Net.Sockets;
using System.Text;
using Lb;
using Lb.Health;

namespace Samples.CustomCheck;

#region checker
/// <summary>Passes when a Redis server answers PING with PONG: one that still loads its data, or wants a password, accepts connections but is of no use.</summary>
public sealed class RedisChecker : IHealthChecker
{
    private static readonly byte[] Ping = "PING\r\n"u8.ToArray();

    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        bool connected = false;
        using Socket socket = new(target.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // The token is cancelled when the whole check has had its time: nothing is counted here.
            await socket.ConnectAsync(target.EndPoint, ct);
            connected = true;
            await socket.SendAsync(Ping, ct);
            string answer = await ReadLineAsync(socket, ct);
            return answer switch
            {
                "+PONG" => new ProbeResult(CheckStatus.Layer7Ok, 0, answer),
                ['-', ..] => new ProbeResult(CheckStatus.Layer7Status, 0, answer),
                _ => new ProbeResult(CheckStatus.Layer7Response, 0, answer),
            };
        }
        catch (OperationCanceledException)
        {
            return new ProbeResult(connected ? CheckStatus.Layer7Timeout : CheckStatus.Layer4Timeout);
        }
        catch (SocketException error)
        {
            return new ProbeResult(connected ? CheckStatus.Layer7Response : CheckStatus.Layer4Connection, 0, error.SocketErrorCode.ToString());
        }
    }

    private static async Task<string> ReadLineAsync(Socket socket, CancellationToken ct)
    {
        // What a stranger sends is bounded.
        byte[] buffer = new byte[128];
        int length = 0;
        while (length < buffer.Length && !buffer.AsSpan(0, length).Contains((byte)'\n'))
        {
            int read = await socket.ReceiveAsync(buffer.AsMemory(length), ct);
            if (read == 0) break;
            length += read;
        }

        return Encoding.ASCII.GetString(buffer, 0, length).TrimEnd();
    }
}
#endregion
