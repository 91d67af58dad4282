using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb.Peers;

/// <summary>
/// <c>client latency PORT CONNECTIONS RATE SECONDS</c>: that many keep-alive connections, each asking at its own even pace, together RATE requests a second, far
/// below what a proxy can do: what is measured is its way, not its queue. Prints <c>requests N</c>, <c>p99 µs</c> and a line for each error.
/// </summary>
internal static class LatencyClient
{
    private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: peers\r\n\r\n");
    private static readonly byte[] End = Encoding.ASCII.GetBytes("hello world!\n");

    public static int Run(int port, int connections, int rate, int seconds, TimeProvider time)
    {
        List<double>[] samples = [.. Enumerable.Range(0, connections).Select(static _ => new List<double>())];
        string?[] errors = new string?[connections];
        long start = time.GetTimestamp();
        Thread[] threads = [.. Enumerable.Range(0, connections).Select(i => new Thread(() =>
        {
            try
            {
                Ask(port, samples[i], TimeSpan.FromSeconds((double)connections / rate), TimeSpan.FromSeconds((double)i / rate), TimeSpan.FromSeconds(seconds), start, time);
            }
            catch (Exception error) when (error is SocketException or IOException)
            {
                errors[i] = error.Message;
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        foreach (string? error in errors.Where(static e => e is not null)) Console.WriteLine($"error {error}");
        double[] sorted = [.. samples.SelectMany(static s => s).Order()];
        Console.WriteLine($"requests {sorted.Length}");
        if (sorted.Length > 0) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"p99 {sorted[(int)(sorted.Length * 0.99)]:0.0}"));
        return 0;
    }

    private static void Ask(int port, List<double> samples, TimeSpan interval, TimeSpan offset, TimeSpan length, long start, TimeProvider time)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(new IPEndPoint(IPAddress.Loopback, port));
        using ManualResetEventSlim never = new();
        byte[] answer = new byte[4096];
        for (TimeSpan next = offset; next < length; next += interval)
        {
            TimeSpan wait = next - time.GetElapsedTime(start);
            if (wait > TimeSpan.Zero) never.Wait(wait);
            long sent = time.GetTimestamp();
            socket.Send(Request);
            for (int got = 0; got < End.Length || !answer.AsSpan(0, got).EndsWith(End);)
            {
                int read = socket.Receive(answer.AsSpan(got));
                if (read == 0) throw new IOException("the connection ended");
                got += read;
            }

            samples.Add(time.GetElapsedTime(sent).TotalMicroseconds);
        }
    }
}
