using System.Net;
using System.Net.Sockets;

namespace Lb.Peers;

/// <summary>A server to start: its command and the loopback port it will listen on.</summary>
internal sealed record Service(string Name, int Port, IReadOnlyList<string> Command)
{
    /// <summary>It may use every processor.</summary>
    public bool IsFree { get; init; }

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Starts it on one processor and returns when it accepts connections.</summary>
    public async Task<Child> StartAsync(int cpu, TimeProvider time, CancellationToken ct)
    {
        if (await AcceptsAsync(ct)) throw new BenchException($"port {Port} for {Name} is in use");
        Child child = Child.Start(Name, IsFree ? null : cpu, Command);
        try
        {
            long start = time.GetTimestamp();
            while (!await AcceptsAsync(ct))
            {
                if (child.HasExited)
                {
                    await child.WaitAsync(ct); // For the last of its output.
                    throw new BenchException($"{Name} ended with exit code {child.ExitCode} at its start:\n{child.Output}");
                }

                if (time.GetElapsedTime(start) > StartLimit)
                    throw new BenchException($"{Name} does not listen on 127.0.0.1:{Port} after {StartLimit.TotalSeconds:0} s:\n{child.Output}");
                await Task.Delay(Pause, time, ct);
            }

            return child;
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    private async Task<bool> AcceptsAsync(CancellationToken ct)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), ct);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
