using System.Net.Sockets;
using System.Text;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

/// <summary>Servers that say what a script says, and what real servers a machine has.</summary>
internal static class Scripted
{
    /// <summary>Sends bytes; Latin-1, so that a test can write any byte.</summary>
    public static Task SendAsync(Socket socket, string text, CancellationToken ct) => ProbeServer.SendAsync(socket, Encoding.Latin1.GetBytes(text), ct);

    /// <summary>Reads up to a line feed.</summary>
    public static async Task<string> LineAsync(Socket socket, CancellationToken ct)
    {
        StringBuilder line = new();
        byte[] one = new byte[1];
        while (await socket.ReceiveAsync(one.AsMemory(), ct) > 0 && one[0] != '\n') line.Append((char)one[0]);
        return line.ToString().TrimEnd('\r');
    }

    /// <summary>Reads so many bytes.</summary>
    public static async Task<byte[]> BytesAsync(Socket socket, int count, CancellationToken ct)
    {
        byte[] bytes = new byte[count];
        for (int got = 0; got < count;)
        {
            int read = await socket.ReceiveAsync(bytes.AsMemory(got), ct);
            if (read == 0) return bytes[..got];
            got += read;
        }

        return bytes;
    }

    /// <summary>Says something at once, then closes its half.</summary>
    public static Func<Socket, CancellationToken, Task> Banner(string text) => async (socket, ct) =>
    {
        await SendAsync(socket, text, ct);
        socket.Shutdown(SocketShutdown.Send);
    };

    /// <summary>Checks a server that does this.</summary>
    public static async Task<ProbeResult> CheckAsync(IHealthChecker checker, Func<Socket, CancellationToken, Task> serve, CancellationToken ct)
    {
        await using ProbeServer server = ProbeServer.Start(serve);
        ProbeResult result = await checker.CheckAsync(new ProbeTarget("s1", server.EndPoint, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30)), ct);

        // What the server heard is known when it has heard all of it.
        if (result.Status != CheckStatus.SocketError) await server.WhenLeftAsync(ct);
        return result;
    }

    /// <summary>Random bytes, and valid beginnings with random ends: a reader of a stranger's bytes must live through all of them.</summary>
    public static IEnumerable<byte[]> Junk(int count, params byte[][] beginnings)
    {
        Random random = new(20_251_121);
        for (int i = 0; i < count; i++)
        {
            byte[] junk = new byte[random.Next(0, 64)];
            random.NextBytes(junk);
            if (beginnings.Length == 0 || i % 2 == 0)
            {
                yield return junk;
                continue;
            }

            byte[] beginning = beginnings[random.Next(beginnings.Length)];
            yield return [.. beginning.AsSpan(0, random.Next(0, beginning.Length + 1)), .. junk];
        }
    }
}
