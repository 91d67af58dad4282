using System.Net;
using System.Net.Sockets;
using Lb.Testing;
using Lb.Transport;

namespace Lb.Contracts.Drivers;

public abstract partial class ReactorDriverContract
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(TimerWheel.TickMilliseconds);

    [Fact(Timeout = Limit)]
    public async Task Posted_work_runs_on_the_loop_in_the_order_of_each_thread()
    {
        const int Threads = 4;
        const int Each = 5000;
        await using LoopHost host = Host();
        int[] last = new int[Threads];
        int disorder = 0;
        int elsewhere = 0;
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int left = Threads * Each;

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (int i = 1; i <= Each; i++)
            {
                int number = i;
                Assert.True(host.Loop.Post(_ =>
                {
                    if (!host.Loop.IsCurrent) elsewhere++;
                    if (last[thread] != number - 1) disorder++;
                    last[thread] = number;
                    if (--left == 0) done.SetResult();
                }, null));
            }
        })));

        await done.Task;
        Assert.Equal((0, 0), (disorder, elsewhere));
        Assert.False(host.Loop.IsCurrent);
    }

    [Fact(Timeout = Limit)]
    public async Task Work_posted_by_work_runs_in_a_later_turn()
    {
        await using LoopHost host = Host();
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int depth = 0;
        void Again(object? _)
        {
            if (++depth == 1000) done.SetResult();
            else host.Loop.Post(Again, null);
        }

        host.Loop.Post(Again, null);
        await done.Task;
    }

    [Fact(Timeout = Limit)]
    public async Task Work_is_taken_before_the_start_and_refused_after_the_end()
    {
        EventLoop loop = CreateLoop(TimeProvider.System, static _ => { });
        int ran = 0;
        Assert.True(loop.Post(_ => ran++, null));
        loop.Start();
        Assert.Throws<InvalidOperationException>(loop.Start);
        for (int i = 0; i < 100; i++) Assert.True(loop.Post(_ => ran++, null));
        await Task.Run(loop.Dispose);

        Assert.Equal(101, ran);
        Assert.False(loop.Post(_ => ran++, null));
        loop.Dispose();
        Assert.Throws<ObjectDisposedException>(loop.Start);
        Assert.Equal(101, ran);
    }

    [Fact(Timeout = Limit)]
    public async Task A_loop_that_never_ran_can_be_disposed()
    {
        EventLoop loop = CreateLoop(TimeProvider.System, static _ => { });
        Listener listener = loop.Listen(new IPEndPoint(IPAddress.Loopback, 0), new ListenOptions(), new Acceptor(_ => Echo.Instance));
        loop.Dispose();
        loop.Dispose();
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAsync<SocketException>(async () => await client.ConnectAsync(listener.LocalEndPoint));
    }

    [Fact(Timeout = Limit)]
    public async Task A_listener_opened_before_the_start_accepts_after_it()
    {
        EventLoop loop = CreateLoop(TimeProvider.System, static _ => { });
        Listener listener = loop.Listen(new IPEndPoint(IPAddress.Loopback, 0), new ListenOptions(), new Acceptor(_ => Echo.Instance));
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint);
        await client.SendAsync("x"u8.ToArray());
        loop.Start();

        Assert.Equal("x"u8.ToArray(), await client.ReadAsync(1));
        Assert.Throws<InvalidOperationException>(
            () => loop.Listen(new IPEndPoint(IPAddress.Loopback, 0), new ListenOptions(), new Acceptor(_ => Echo.Instance)));
        loop.Dispose();
    }

    [Fact(Timeout = Limit)]
    public async Task Dispose_closes_everything_and_tells_no_handler()
    {
        LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);
        Listener listener = await host.ServeAsync(Echo.Instance);
        Socket client = await host.ClientAsync(listener.LocalEndPoint);
        await client.SendAsync("x"u8.ToArray());
        await client.ReadAsync(1);
        await host.On(() => Assert.Throws<InvalidOperationException>(host.Loop.Dispose));

        await Task.WhenAll(Task.Run(host.Loop.Dispose), Task.Run(host.Loop.Dispose));

        Assert.Empty(await peer.ReadToEndAsync());
        Assert.Empty(await client.ReadToEndAsync());
        await Assert.ThrowsAsync<SocketException>(() => host.ClientAsync(listener.LocalEndPoint));
        Assert.False(connection.IsOpen);
        Assert.Equal("", recorder.Calls);
        await host.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task A_handler_that_throws_loses_its_connection_only()
    {
        await using LoopHost host = Host();
        Recorder faulty = new() { AfterData = static _ => throw new InvalidOperationException("data") };
        (_, Socket victim) = await host.PairAsync(faulty);
        Recorder atEnd = new() { AfterEndOfStream = static _ => throw new InvalidOperationException("end") };
        (_, Socket ending) = await host.PairAsync(atEnd);
        Listener listener = await host.ServeAsync(Echo.Instance);
        Socket bystander = await host.ClientAsync(listener.LocalEndPoint);

        await victim.SendAsync("x"u8.ToArray());
        Assert.Equal("data", (await host.Errors.Reader.ReadAsync()).Message);
        Assert.Equal(CloseReason.LocalError, await faulty.Closed.Task);
        await Assert.ThrowsAsync<SocketException>(() => victim.ReadToEndAsync());

        ending.Shutdown(SocketShutdown.Send);
        Assert.Equal("end", (await host.Errors.Reader.ReadAsync()).Message);
        Assert.Equal(CloseReason.LocalError, await atEnd.Closed.Task);

        Recorder atConnect = new() { AfterConnected = static _ => throw new InvalidOperationException("connect") };
        await host.ConnectAsync(listener.LocalEndPoint, atConnect);
        Assert.Equal("connect", (await host.Errors.Reader.ReadAsync()).Message);
        Assert.Equal(CloseReason.LocalError, await atConnect.Closed.Task);

        await bystander.SendAsync("still"u8.ToArray());
        Assert.Equal("still"u8.ToArray(), await bystander.ReadAsync(5));
    }

    [Fact(Timeout = Limit)]
    public async Task Timers_and_posted_work_that_throw_are_reported_and_the_rest_goes_on()
    {
        ManualTimeProvider time = new();
        await using LoopHost host = Host(time);
        CallbackTimer bad = new(() => throw new InvalidOperationException("timer"));
        CallbackTimer good = new();
        await host.On(() =>
        {
            host.Loop.Schedule(bad, s_tick);
            host.Loop.Schedule(good, s_tick);
        });
        time.Advance(s_tick);
        Assert.Equal("timer", (await host.Errors.Reader.ReadAsync()).Message);
        await good.Fired.Task;

        host.Loop.Post(static _ => throw new InvalidOperationException("work"), null);
        Assert.Equal("work", (await host.Errors.Reader.ReadAsync()).Message);
        await host.TurnsAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Timers_follow_a_clock_that_is_moved_by_hand()
    {
        ManualTimeProvider time = new();
        await using LoopHost host = Host(time);
        CallbackTimer soon = new();
        CallbackTimer late = new();
        CallbackTimer cancelled = new();
        await host.On(() =>
        {
            Assert.Same(time, host.Loop.Time);
            Assert.Equal(time.GetTimestamp(), host.Loop.Now);
            host.Loop.Schedule(soon, 10 * s_tick);
            host.Loop.Schedule(late, TimeSpan.FromHours(5));
            host.Loop.Schedule(cancelled, 10 * s_tick);
            host.Loop.Cancel(cancelled);
            Assert.True(soon.IsScheduled);
            Assert.False(cancelled.IsScheduled);
            Assert.Throws<ArgumentOutOfRangeException>(() => host.Loop.Schedule(cancelled, TimeSpan.FromTicks(-1)));
        });

        time.Advance(10 * s_tick - TimeSpan.FromTicks(1));
        await host.TurnsAsync();
        Assert.Equal(0, soon.Count);
        time.Advance(TimeSpan.FromTicks(1));
        await soon.Fired.Task;
        time.Advance(TimeSpan.FromHours(4));
        await host.TurnsAsync();
        Assert.Equal((1, 0, 0), (soon.Count, late.Count, cancelled.Count));
        time.Advance(TimeSpan.FromHours(1));
        await late.Fired.Task;
        Assert.False(await host.On(() => late.IsScheduled));
    }

    [Fact(Timeout = Limit)]
    public async Task A_timer_is_never_missed_when_time_moves_while_the_loop_falls_asleep()
    {
        ManualTimeProvider time = new();
        await using LoopHost host = Host(time);
        for (int i = 0; i < 500; i++)
        {
            CallbackTimer timer = new();
            TaskCompletionSource scheduled = new(TaskCreationOptions.RunContinuationsAsynchronously);
            host.Loop.Post(_ =>
            {
                host.Loop.Schedule(timer, 5 * s_tick);
                scheduled.SetResult();
            }, null);
            await scheduled.Task;

            // The loop is setting its alarm about now.
            for (int step = 0; step < 5; step++) time.Advance(s_tick);
            await timer.Fired.Task;
            Assert.Equal(1, timer.Count);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_clock_that_moves_while_the_alarm_is_set_delays_nothing()
    {
        ManualTimeProvider clock = new();
        RestlessTime time = new(clock);
        await using LoopHost host = Host(time);
        CallbackTimer timer = new();
        await host.On(() =>
        {
            host.Loop.Schedule(timer, 5 * s_tick);
            time.NextStep = s_tick;
        });
        await time.Stepped.Task;

        // No further turn of the loop may be caused here: it would set the alarm anew.
        clock.Advance(4 * s_tick);
        await timer.Fired.Task;
    }

    [Fact(Timeout = Limit)]
    public async Task Timers_follow_the_systems_clock()
    {
        await using LoopHost host = Host();
        CallbackTimer timer = new();
        long begin = 0;
        long end = 0;
        CallbackTimer measured = new(() => end = TimeProvider.System.GetTimestamp());
        await host.On(() =>
        {
            begin = TimeProvider.System.GetTimestamp();
            host.Loop.Schedule(timer, TimeSpan.Zero);
            host.Loop.Schedule(measured, TimeSpan.FromMilliseconds(40));
        });
        await timer.Fired.Task;
        await measured.Fired.Task;
        Assert.True(TimeProvider.System.GetElapsedTime(begin, end) >= TimeSpan.FromMilliseconds(39), "Fired early.");
    }

    /// <summary>Moves the clock at the worst moment: when somebody has read it and is about to set a timer.</summary>
    private sealed class RestlessTime(ManualTimeProvider clock) : TimeProvider
    {
        public TimeSpan NextStep { get; set; }

        public TaskCompletionSource Stepped { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new RestlessTimer(this, clock.CreateTimer(callback, state, dueTime, period));

        private void Step()
        {
            if (NextStep == TimeSpan.Zero) return;
            clock.Advance(NextStep);
            NextStep = TimeSpan.Zero;
            Stepped.SetResult();
        }

        private sealed class RestlessTimer(RestlessTime owner, ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                owner.Step();
                return inner.Change(dueTime, period);
            }

            public void Dispose() => inner.Dispose();

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }

    private sealed class CallbackTimer(Action? action = null) : LoopTimer
    {
        public TaskCompletionSource Fired { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Count { get; private set; }

        protected internal override void OnTimer()
        {
            Count++;
            action?.Invoke();
            Fired.TrySetResult();
        }
    }
}
