using System.Net;
using System.Net.Sockets;

namespace Lb.Soak;

/// <summary>
/// The clients: polite ones that check every byte, bulk, slow readers, and rude ones that vanish in every stage. Sees a fault only where none may be: a wrong
/// byte, or a stream that ends though the servers it could be on are up.
/// </summary>
internal sealed class Traffic(int port, int seed, TimeProvider time, CancellationToken stop)
{
    private const int Polite = 32, Short = 16, Rude = 16, Slow = 4, Bulk = 2;
    private static readonly byte[] s_pattern = Pattern();
    private long _messages;
    private long _connections;
    private long _wrong;
    private long _broken;

    /// <summary>Messages that came back whole.</summary>
    public long Messages => Volatile.Read(ref _messages);

    /// <summary>Connections opened.</summary>
    public long Connections => Volatile.Read(ref _connections);

    /// <summary>Answers with a wrong byte: always a fault.</summary>
    public long Wrong => Volatile.Read(ref _wrong);

    /// <summary>Polite connections that were broken: only servers that go down may do that.</summary>
    public long Broken => Volatile.Read(ref _broken);

    /// <summary>Runs all clients until told to stop.</summary>
    public Task RunAsync()
    {
        List<Task> all = [];
        int number = seed;
        void Add(int count, Func<Socket, Random, Task> client)
        {
            for (int i = 0; i < count; i++) all.Add(RepeatAsync(new Random(++number), client));
        }

        Add(Polite, (socket, random) => TalkAsync(socket, random, random.Next(1, 400), 32 * 1024, TimeSpan.Zero));
        Add(Short, (socket, random) => TalkAsync(socket, random, 1, 1024, TimeSpan.Zero));
        Add(Bulk, (socket, random) => TalkAsync(socket, random, 200, 4 * 1024 * 1024, TimeSpan.FromMilliseconds(20)));
        Add(Slow, SlowAsync);
        Add(Rude, RudeAsync);
        return Task.WhenAll(all);
    }

    private static byte[] Pattern()
    {
        byte[] bytes = new byte[5 * 1024 * 1024];
        new Random(7).NextBytes(bytes);
        return bytes;
    }

    private async Task RepeatAsync(Random random, Func<Socket, Random, Task> client)
    {
        while (!stop.IsCancellationRequested)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), stop);
                Interlocked.Increment(ref _connections);
                await client(socket, random);
            }
            catch (SocketException)
            {
                Interlocked.Increment(ref _broken);
                await PauseAsync(TimeSpan.FromMilliseconds(10));
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Messages there and back, then a clean end.</summary>
    private async Task TalkAsync(Socket socket, Random random, int messages, int most, TimeSpan pause)
    {
        byte[] answer = new byte[64 * 1024];
        for (int i = 0; i < messages; i++)
        {
            int length = random.Next(1, most), start = random.Next(s_pattern.Length - length);
            Task sending = SendAsync(socket, s_pattern.AsMemory(start, length));
            for (int got = 0; got < length;)
            {
                int read = await socket.ReceiveAsync(answer.AsMemory(0, Math.Min(answer.Length, length - got)), stop);
                if (read == 0) throw new SocketException((int)SocketError.ConnectionReset);
                if (!answer.AsSpan(0, read).SequenceEqual(s_pattern.AsSpan(start + got, read))) Interlocked.Increment(ref _wrong);
                got += read;
            }

            await sending;
            Interlocked.Increment(ref _messages);
            await PauseAsync(pause);
        }

        socket.Shutdown(SocketShutdown.Send);
        if (await socket.ReceiveAsync(answer, stop) != 0) Interlocked.Increment(ref _wrong);
    }

    /// <summary>Asks for more than it reads for a while, then reads all of it.</summary>
    private async Task SlowAsync(Socket socket, Random random)
    {
        socket.ReceiveBufferSize = 4096;
        Task talk = SendAsync(socket, s_pattern.AsMemory(0, 256 * 1024));
        byte[] answer = new byte[1024];
        for (int got = 0; got < 256 * 1024;)
        {
            int read = await socket.ReceiveAsync(answer, stop);
            if (read == 0) throw new SocketException((int)SocketError.ConnectionReset);
            if (!answer.AsSpan(0, read).SequenceEqual(s_pattern.AsSpan(got, read))) Interlocked.Increment(ref _wrong);
            got += read;
            if (random.Next(32) == 0) await PauseAsync(TimeSpan.FromMilliseconds(5));
        }

        await talk;
    }

    /// <summary>Vanishes: at once, after some bytes, in the middle of an answer, with a reset or without.</summary>
    private async Task RudeAsync(Socket socket, Random random)
    {
        int stage = random.Next(5);
        if (stage > 0) await SendAsync(socket, s_pattern.AsMemory(0, random.Next(1, 200_000)));
        if (stage > 1) await socket.ReceiveAsync(new byte[random.Next(1, 4096)], stop);
        if (stage > 2) socket.Shutdown(SocketShutdown.Send);
        if (random.Next(2) == 0) socket.LingerState = new LingerOption(true, 0);
        await PauseAsync(TimeSpan.FromMilliseconds(random.Next(20)));
    }

    private async Task SendAsync(Socket socket, ReadOnlyMemory<byte> data)
    {
        while (!data.IsEmpty) data = data[await socket.SendAsync(data, stop)..];
    }

    private Task PauseAsync(TimeSpan pause) => pause == TimeSpan.Zero ? Task.CompletedTask : Task.Delay(pause, time, stop);
}
