using System.Net.Sockets;
using System.Runtime.InteropServices;
using Lb.Testing;
using Lb.Transport;

namespace Lb.Contracts.Drivers;

/// <summary>
/// A process without descriptors left. The limit is the process's own, so the inheriting classes must not run beside other tests.
/// </summary>
[Trait("Row", "T1")]
[Trait("Row", "T3")]
public abstract class DescriptorShortageContract
{
    private const int Limit = 60_000;

    /// <summary>Makes a loop that is not started.</summary>
    private protected abstract EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError);

    [Fact(Timeout = Limit)]
    public async Task Accepting_waits_without_spinning_and_goes_on_after_a_while()
    {
        SkipUnlessLinux();
        await RunAsync(static (host, time, _) =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100 + TimerWheel.TickMilliseconds));
            return Task.CompletedTask;
        }, restoreFirst: true);
    }

    [Fact(Timeout = Limit)]
    public async Task Accepting_goes_on_when_a_connection_is_closed()
    {
        SkipUnlessLinux();
        await RunAsync(static (host, _, connection) => host.On(connection.Close), restoreFirst: false);
    }

    [Fact(Timeout = Limit)]
    public async Task A_connect_without_a_descriptor_fails_later_with_a_local_error()
    {
        SkipUnlessLinux();
        await using LoopHost host = new(CreateLoop);
        Socket server = host.Server();
        for (int round = 0; round < 2; round++)
        {
            // The first round loads everything the second one needs.
            Recorder recorder = new();
            using (round == 0 ? null : new LoweredLimit())
            {
                Connection connection = await host.ConnectAsync(server.LocalEndPoint!, recorder);
                if (round == 0)
                {
                    await recorder.Connected.Task;
                    await host.On(connection.Close);
                    continue;
                }

                Assert.Equal(CloseReason.LocalError, await recorder.Closed.Task);
            }
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Nothing_leaks_over_many_connections()
    {
        SkipUnlessLinux();
        int before = 0;
        for (int round = 0; round < 3; round++)
        {
            LoopHost host = new(CreateLoop);
            Socket server = host.Server();
            Listener listener = await host.ListenAsync(new Relay(server.LocalEndPoint!));
            for (int i = 0; i < 50; i++)
            {
                using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await client.ConnectAsync(listener.LocalEndPoint);
                using Socket backend = await server.AcceptAsync();
                if (i % 3 == 0) client.Reset();
                if (i % 3 == 1) backend.Reset();
                if (i % 3 == 2)
                {
                    client.Shutdown(SocketShutdown.Send);
                    Assert.Empty(await backend.ReadToEndAsync());
                }
            }

            // Some are still open at the end: the loop closes them.
            await host.ClientAsync(listener.LocalEndPoint);
            await host.DisposeAsync();
            int after = CountDescriptors();
            if (round == 1) before = after;
            if (round == 2) Assert.InRange(after, 0, before);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task No_descriptor_is_closed_twice()
    {
        SkipUnlessLinux();
        string path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, "mine");
        using CancellationTokenSource enough = new();

        // Opens and closes files without a pause: a second close of a connection's number would hit one of them.
        Task<int> stranger = Task.Run(() =>
        {
            Span<byte> content = stackalloc byte[8];
            int rounds = 0;
            for (; !enough.IsCancellationRequested; rounds++)
            {
                using Microsoft.Win32.SafeHandles.SafeFileHandle first = File.OpenHandle(path);
                using Microsoft.Win32.SafeHandles.SafeFileHandle second = File.OpenHandle(path);
                Assert.Equal(4, RandomAccess.Read(first, content, 0));
                Assert.Equal(4, RandomAccess.Read(second, content, 0));
            }

            return rounds;
        });
        await using LoopHost host = new(CreateLoop);
        Socket server = host.Server();
        Listener listener = await host.ListenAsync(new Relay(server.LocalEndPoint!));
        Random random = new(3);
        for (int i = 0; i < 500; i++)
        {
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(listener.LocalEndPoint);
            using Socket backend = await server.AcceptAsync();
            await client.SendAsync("x"u8.ToArray());
            Socket[] ends = random.Next(2) == 0 ? [client, backend] : [backend, client];
            foreach (Socket end in ends)
            {
                if (random.Next(2) == 0) end.Reset();
                else end.Dispose();
            }
        }

        await enough.CancelAsync();
        Assert.True(await stranger > 0);
        File.Delete(path);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "T4")]
    public async Task Bulk_without_a_descriptor_for_a_pipe_is_copied()
    {
        const int Block = 1 << 20;
        SkipUnlessLinux();
        await using LoopHost host = new(CreateLoop);
        Socket server = host.Server();
        Relay relay = new(server.LocalEndPoint!) { SpliceLimit = long.MaxValue };
        Listener listener = await host.ListenAsync(relay);
        Socket source = await host.ClientAsync(listener.LocalEndPoint);
        Socket sink = host.Own(await server.AcceptAsync());
        byte[] data = new byte[Block];
        new Random(1).NextBytes(data);
        bool splices = host.Loop is NativeLoop;
        int blocks = 0;
        do await MoveAsync();
        while (splices && await host.On(() => relay.Spliced) == 0);
        await host.TurnsAsync();

        // A pipe that is kept from before would need no descriptor.
        long spliced = await host.On(() =>
        {
            (host.Loop as NativeLoop)?.Splices.Pipes.CloseIdle();
            return relay.Spliced;
        });
        using (new LoweredLimit())
        {
            for (int i = 0; i < 32; i++) await MoveAsync();
            Assert.Equal(spliced, await host.On(() => relay.Spliced));
        }

        do await MoveAsync();
        while (splices && await host.On(() => relay.Spliced) == spliced);
        Assert.Equal((long)blocks * Block, await host.On(() => relay.Copied + relay.Spliced));

        async Task MoveAsync()
        {
            Task<byte[]> reading = Task.Run(() => sink.ReadAsync(Block));
            await source.SendAllAsync(data);
            byte[] received = await reading;
            Assert.True(data.AsSpan().SequenceEqual(received));
            blocks++;
        }
    }

    private async Task RunAsync(Func<LoopHost, ManualTimeProvider, Connection, Task> recover, bool restoreFirst)
    {
        ManualTimeProvider time = new();
        await using LoopHost host = new(CreateLoop, time);
        Acceptor acceptor = new(_ => Echo.Instance);
        Listener listener = await host.ListenAsync(acceptor);

        // Everything the shortage needs is made, and every code path is warm, before it begins: a process without descriptors can load nothing.
        Socket first = await host.ClientAsync(listener.LocalEndPoint);
        await EchoAsync(first);
        Connection firstAccepted = await acceptor.NextAsync();
        Socket second = host.NewSocket(AddressFamily.InterNetwork);
        Assert.Equal(0, host.Loop.DescriptorShortages);

        LoweredLimit lowered = new();
        try
        {
            await second.ConnectAsync(listener.LocalEndPoint);

            // The managed driver has an accept under way, which the kernel answers with the shortage as well.
            while (host.Loop.DescriptorShortages == 0) await host.TurnsAsync();
            for (int i = 0; i < 20; i++) await host.TurnsAsync();
            Assert.Equal(1, host.Loop.DescriptorShortages);
            Assert.Equal(1, acceptor.Count);
            await EchoAsync(first);

            if (restoreFirst) lowered.Dispose();
            await recover(host, time, firstAccepted);
            await acceptor.NextAsync();
            await EchoAsync(second);
        }
        finally
        {
            lowered.Dispose();
        }

        // The last accept took the last descriptor, and looking for another one met the shortage again.
        time.Advance(TimeSpan.FromMilliseconds(100 + TimerWheel.TickMilliseconds));
        await EchoAsync(await host.ClientAsync(listener.LocalEndPoint));
    }

    private static async Task EchoAsync(Socket socket)
    {
        await socket.SendAsync("x"u8.ToArray());
        Assert.Equal("x"u8.ToArray(), await socket.ReadAsync(1));
    }

    private static void SkipUnlessLinux() => Assert.SkipUnless(OperatingSystem.IsLinux(), "The limit is changed by prlimit(2).");

    private static int CountDescriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    /// <summary>
    /// Lowers the soft limit to the highest descriptor in use and fills the holes below it: none is left, and closing any gives one back.
    /// </summary>
    private sealed class LoweredLimit : IDisposable
    {
        private const int DescriptorLimit = 7;
        private readonly List<int> _fillers = [];
        private readonly ResourceLimit _before;
        private readonly (int Workers, int Io) _most;
        private bool _restored;

        public LoweredLimit()
        {
            _most = StartThreads();
            int highest = Directory.GetFileSystemEntries("/proc/self/fd").Max(static path => int.Parse(Path.GetFileName(path)));
            Assert.Equal(0, GetLimit(DescriptorLimit, out _before));
            ResourceLimit lowered = _before with { Soft = (ulong)highest + 1 };
            Assert.Equal(0, SetLimit(DescriptorLimit, in lowered));
            while (Duplicate(0) is >= 0 and int filler) _fillers.Add(filler);
        }

        public void Dispose()
        {
            if (_restored) return;
            _restored = true;
            foreach (int filler in _fillers) _ = CloseDescriptor(filler);
            Assert.Equal(0, SetLimit(DescriptorLimit, in _before));
            ThreadPool.SetMaxThreads(_most.Workers, _most.Io);
        }

        /// <summary>
        /// The pool can't start a thread without a descriptor, and the process dies of it: it has enough before and must not want more, as it does whenever
        /// work has waited for half a second on a busy machine. That none ends by itself says <c>runtimeconfig.template.json</c>.
        /// </summary>
        private static (int Workers, int Io) StartThreads()
        {
            const int Enough = 16;
            ThreadPool.GetMinThreads(out int workers, out int io);
            ThreadPool.SetMinThreads(Math.Max(workers, Enough), io);
            using Barrier all = new(Enough);
            Task.WaitAll(Enumerable.Range(0, Enough).Select(_ => Task.Run(() => all.SignalAndWait())).ToArray());
            ThreadPool.GetMaxThreads(out int mostWorkers, out int mostIo);
            Assert.True(ThreadPool.SetMaxThreads(Math.Max(Math.Max(workers, Enough), ThreadPool.ThreadCount), mostIo));
            return (mostWorkers, mostIo);
        }

        [DllImport("libc", EntryPoint = "dup")]
        private static extern int Duplicate(int descriptor);

        [DllImport("libc", EntryPoint = "close")]
        private static extern int CloseDescriptor(int descriptor);

        [DllImport("libc", EntryPoint = "getrlimit")]
        private static extern int GetLimit(int resource, out ResourceLimit limit);

        [DllImport("libc", EntryPoint = "setrlimit")]
        private static extern int SetLimit(int resource, in ResourceLimit limit);

        private record struct ResourceLimit(ulong Soft, ulong Hard);
    }
}
