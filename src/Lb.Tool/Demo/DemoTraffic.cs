using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb.Tool;

/// <summary>Clients that come again and again: connect, ask, read the server's name, close. Any thread.</summary>
internal sealed class DemoTraffic
{
    /// <summary>Clients at a time.</summary>
    public const int Clients = 20;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly EndPoint _target;
    private readonly string[] _names;
    private readonly TimeProvider _time;
    private readonly long[] _answers;
    private readonly int[] _errors = new int[Clients];

    /// <param name="target">Where to connect: the gateway.</param>
    /// <param name="names">What may answer.</param>
    /// <param name="time">The clock.</param>
    public DemoTraffic(EndPoint target, IEnumerable<string> names, TimeProvider time)
    {
        _target = target;
        _names = [.. names];
        _time = time;
        _answers = new long[_names.Length];
    }

    /// <summary>Answers of one server.</summary>
    public long AnswersOf(string name) => Volatile.Read(ref _answers[Array.IndexOf(_names, name)]);

    /// <summary>Answers and errors of all.</summary>
    public long Requests => _names.Sum(AnswersOf) + Errors;

    /// <summary>Requests that got no answer.</summary>
    public int Errors => _errors.Sum();

    /// <summary>Errors of the client that saw the most.</summary>
    public int WorstClient => _errors.Max();

    /// <summary>Runs all clients until stopped; each finishes what it has begun.</summary>
    public Task RunAsync(CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, Clients).Select(client => RunClientAsync(client, stop)));

    private async Task RunClientAsync(int client, CancellationToken stop)
    {
        // Spread over a pause, so that they do not come all at once.
        await PauseAsync(Pause * client / Clients, stop).ConfigureAwait(false);
        while (!stop.IsCancellationRequested)
        {
            int server = Array.IndexOf(_names, await AskAsync().ConfigureAwait(false));
            if (server >= 0) Interlocked.Increment(ref _answers[server]);
            else Interlocked.Increment(ref _errors[client]);
            await PauseAsync(Pause, stop).ConfigureAwait(false);
        }
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken stop) =>
        await Task.Delay(pause, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>One request; null when it failed.</summary>
    private async Task<string?> AskAsync()
    {
        try
        {
            using CancellationTokenSource patience = new(Patience, _time);
            using Socket socket = new(_target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(_target, patience.Token).ConfigureAwait(false);
            await socket.SendAsync("who\n"u8.ToArray(), patience.Token).ConfigureAwait(false);

            byte[] buffer = new byte[64];
            int length = 0;
            while (length < buffer.Length)
            {
                int received = await socket.ReceiveAsync(buffer.AsMemory(length), patience.Token).ConfigureAwait(false);
                if (received == 0) break;
                length += received;
            }

            string answer = Encoding.UTF8.GetString(buffer, 0, length);
            return answer.EndsWith('\n') ? answer[..^1] : null;
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            return null;
        }
    }
}
