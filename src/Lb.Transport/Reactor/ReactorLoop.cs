using System.Diagnostics;

namespace Lb.Transport;

/// <summary>What every driver shares: the thread, the order of a turn, the clock, the timers and the mailbox.</summary>
internal abstract class ReactorLoop : EventLoop, IThreadPoolWorkItem
{
    private readonly Lock _lifecycle = new();
    private readonly Mailbox _mailbox;
    private readonly TimerWheel _wheel;
    private readonly Thread _thread;
    private readonly ITimer? _alarm;
    private readonly Action<Exception>? _onHandlerError;
    private readonly Action<Exception> _report;
    private readonly long _frequency;
    private DatagramArea? _datagrams;
    private long _now;
    private long _shortages;
    private bool _started;
    private bool _disposed;

    protected ReactorLoop(string name, TimeProvider time, Action<Exception>? onHandlerError)
    {
        Time = time;
        _onHandlerError = onHandlerError;
        _report = Report;
        _frequency = time.TimestampFrequency;
        _now = time.GetTimestamp();
        _wheel = new TimerWheel(_now, _frequency);
        _mailbox = new Mailbox(Wake);
        _thread = new Thread(Run) { IsBackground = true, Name = name };

        // A system call sleeps by the system's clock only.
        if (time != TimeProvider.System)
        {
            _alarm = time.CreateTimer(
                static state => ((Mailbox)state!).Wake(), _mailbox, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    public sealed override long Now => _now;

    public sealed override TimeProvider Time { get; }

    public sealed override bool IsCurrent => Thread.CurrentThread == _thread;

    public sealed override long DescriptorShortages => Volatile.Read(ref _shortages);

    /// <summary>What the loop's datagram sockets share; made when the first one is opened.</summary>
    internal DatagramArea Datagrams => _datagrams ??= new DatagramArea(this);

    /// <summary>True on the loop's thread, and on any thread while the loop is not running.</summary>
    internal bool IsOwner => IsCurrent || !_started;

    /// <summary>True when connections wait for their turn: the loop must not sleep.</summary>
    protected abstract bool HasReady { get; }

    public sealed override bool Post(Action<object?> work, object? state)
    {
        ArgumentNullException.ThrowIfNull(work);
        return _mailbox.Post(work, state, IsCurrent);
    }

    /// <summary><see cref="Post"/> on a thread of the pool that may bring more at once: the loop is woken by the pool's next work, for all of it.</summary>
    internal void PostFromPool(Action<object?> work, object? state)
    {
        _mailbox.PostDelayed(work, state, out bool isFirst);
        if (isFirst) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
    }

    void IThreadPoolWorkItem.Execute() => _mailbox.EndDelay();

    public sealed override void Schedule(LoopTimer timer, TimeSpan due)
    {
        Debug.Assert(IsOwner, "Timers belong to the loop's thread.");
        ArgumentOutOfRangeException.ThrowIfLessThan(due, TimeSpan.Zero);
        _wheel.Schedule(timer, _now + ToUnits(due));
    }

    public sealed override void Cancel(LoopTimer timer)
    {
        Debug.Assert(IsOwner, "Timers belong to the loop's thread.");
        _wheel.Cancel(timer);
    }

    /// <summary>
    /// Tells <paramref name="handler"/>, edge-triggered, when a native descriptor of the caller (a UDP socket, a pipe, …) becomes readable or
    /// writable; what it is already is told soon, never from within this call. What the handler throws is reported, and the watch stays.
    /// Call <see cref="Unwatch"/> before closing the descriptor. The end of the loop ends all watches and closes none of their descriptors.
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">The managed driver knows no native descriptors.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The kernel refuses.</exception>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="handler">Who is told.</param>
    /// <param name="writes">False: only what can be read is told. The kernel tells of every datagram that has left a UDP socket otherwise.</param>
    public virtual DescriptorWatch Watch(int descriptor, IDescriptorHandler handler, bool writes = true) =>
        throw new PlatformNotSupportedException("Native descriptors are watched by the epoll and io_uring drivers only.");

    /// <summary>Ends a watch: its handler hears nothing any more. Idempotent.</summary>
    public virtual void Unwatch(DescriptorWatch watch) =>
        throw new PlatformNotSupportedException("Native descriptors are watched by the epoll and io_uring drivers only.");

    public sealed override void Start()
    {
        lock (_lifecycle)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_started) throw new InvalidOperationException("The loop has been started before.");
            _started = true;
            _thread.Start();
        }
    }

    public sealed override void Dispose()
    {
        if (IsCurrent) throw new InvalidOperationException("A loop can't wait for its own end: dispose it on another thread.");
        lock (_lifecycle)
        {
            _mailbox.Close();
            if (_started) _thread.Join();
            else if (!_disposed) Release();
            _disposed = true;
        }

        _datagrams?.Dispose();
        _datagrams = null;
        _alarm?.Dispose();
    }

    /// <summary>Tells the owner about an exception of its code; the loop goes on.</summary>
    internal void Report(Exception exception)
    {
        try
        {
            _onHandlerError?.Invoke(exception);
        }
        catch
        {
            // Whoever was asked to hear errors failed at it; nobody is left to tell.
        }
    }

    /// <summary>Sleeps until something happens.</summary>
    /// <param name="milliseconds">At most so long: 0 not at all, -1 without end.</param>
    /// <returns>What <see cref="Dispatch"/> is to be called with.</returns>
    protected abstract int Wait(int milliseconds);

    /// <summary>Ends the sleep of the next or the current <see cref="Wait"/>. Any thread; never after <see cref="Release"/>.</summary>
    protected abstract void Wake();

    /// <summary>Handles what <see cref="Wait"/> found.</summary>
    protected abstract void Dispatch(int count);

    /// <summary>Gives every waiting connection one turn.</summary>
    protected abstract void RunReady();

    /// <summary>Closes every socket and frees what the driver holds. Last call.</summary>
    protected abstract void Release();

    /// <summary>Counts a time at which accepting had to be paused.</summary>
    protected void CountShortage() => Interlocked.Increment(ref _shortages);

    /// <summary>Throws when the loop runs and this is another thread.</summary>
    protected void RequireOwner()
    {
        if (!IsOwner) throw new InvalidOperationException("Call this on the loop's thread: use Post.");
    }

    /// <summary>Tells the handler of a watch.</summary>
    protected void Ready(DescriptorWatch watch, bool readable, bool writable)
    {
        try
        {
            watch.Handler.OnReady(readable, writable);
        }
        catch (Exception exception)
        {
            Report(exception);
        }
    }

    private void Run()
    {
        while (!_mailbox.IsClosed)
        {
            int count = Wait(SleepTime());
            _now = Time.GetTimestamp();
            Dispatch(count);
            if (_mailbox.IsSignalled) RunMailbox();
            RunTimers();
            RunReady();
        }

        RunMailbox();
        Release();
    }

    private void RunMailbox()
    {
        _mailbox.Take();

        // Work may have been posted after the turn's reading of the clock, and a test may have moved time in between.
        _now = Time.GetTimestamp();
        _mailbox.Run(_report);
    }

    private void RunTimers()
    {
        while (true)
        {
            try
            {
                _wheel.Advance(_now);
                return;
            }
            catch (Exception exception)
            {
                Report(exception);
            }
        }
    }

    private int SleepTime()
    {
        if (HasReady || _mailbox.IsSignalled) return 0;
        if (_alarm is not null) return ArmAlarm(_alarm);
        long delay = _wheel.NextDelay(_now);
        return delay <= 0 ? (int)delay : (int)Math.Min(int.MaxValue, delay / Math.Max(1, _frequency / 1000) + 1);
    }

    /// <summary>Sets the alarm for the next deadline; the sleep itself has no end then.</summary>
    private int ArmAlarm(ITimer alarm)
    {
        // When the clock is moved between reading it and setting the alarm, the alarm is late by that step: set it again.
        long delay = 0;
        for (int attempt = 0; attempt < 4; attempt++)
        {
            long now = Time.GetTimestamp();
            delay = _wheel.NextDelay(now);
            if (delay <= 0) return (int)delay;
            alarm.Change(ToTime(delay), Timeout.InfiniteTimeSpan);
            if (Time.GetTimestamp() == now) return -1;
        }

        // This clock runs by itself, as the system's does: look again after about that time, in case it was a hand after all.
        return (int)Math.Min(1000, ToTime(delay).TotalMilliseconds + 1);
    }

    private long ToUnits(TimeSpan time)
    {
        const long Second = TimeSpan.TicksPerSecond;

        // Up to 214 seconds the product fits in 64 bits; beyond, the slow way. Rounded up: never early.
        return time.Ticks <= int.MaxValue && _frequency <= 4_000_000_000
            ? (time.Ticks * _frequency + Second - 1) / Second
            : (long)Int128.Min(((Int128)time.Ticks * _frequency + Second - 1) / Second, long.MaxValue / 4);
    }

    /// <summary>The time of so many timestamp units, rounded up: waking too early would mean a turn for nothing.</summary>
    private TimeSpan ToTime(long units)
    {
        Int128 ticks = ((Int128)units * TimeSpan.TicksPerSecond + _frequency - 1) / _frequency;
        return new TimeSpan((long)Int128.Min(ticks, TimeSpan.FromDays(20).Ticks));
    }
}
