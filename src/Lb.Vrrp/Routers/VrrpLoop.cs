using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>
/// The one thread that drives all virtual routers of the process: waits for packets, news of interfaces, messages of other threads and the time, in one
/// poll. Linux.
/// </summary>
/// <remarks>
/// Each turn goes in one order: packets first, then news of links, then messages, then what is due. So after a pause of the process everything that
/// the peers have sent meanwhile is judged, by the kernel's time of arrival, before anybody can be missed.
/// </remarks>
internal sealed class VrrpLoop : IDisposable
{
    // A flood must not keep what is due from being done.
    private const int MostPackets = 4096;

    // What fails again at once must not fill the log and the processor.
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly Poller _poller = new();
    private readonly LinkMonitor _monitor = new();
    private readonly ConcurrentQueue<Action<TimeSpan>> _mailbox = new();
    private readonly List<RouterSeat> _seats = [];
    private readonly RouterReceivers _receivers;
    private readonly RouterProbes _probes;
    private readonly HashSet<int> _changed = [];
    private readonly List<PeerAddress> _gone = [];
    private readonly byte[] _buffer = new byte[DatagramReader.Capacity];
    private readonly ILogger _log;
    private readonly int _realTimePriority;
    private readonly Thread _thread;
    private volatile bool _ended;
    private volatile bool _isStale;

    /// <summary>Opens what it needs and starts the thread.</summary>
    /// <param name="options">What holds for all routers.</param>
    /// <param name="log">The log.</param>
    public VrrpLoop(VrrpOptions options, ILogger log)
    {
        _log = log;
        _realTimePriority = options.RealTimePriority;
        _receivers = new RouterReceivers(_poller, options);
        _probes = new RouterProbes(_poller, log);
        _poller.Add(_monitor.Descriptor);
        _thread = new Thread(Run, 512 * 1024) { Name = "lb-vrrp", IsBackground = true, Priority = ThreadPriority.Highest };
        _thread.Start();
    }

    /// <summary>The seats; only on the thread.</summary>
    public IReadOnlyList<RouterSeat> Seats => _seats;

    /// <summary>Has the thread do something soon. Any thread.</summary>
    public void Post(Action<TimeSpan> work)
    {
        _mailbox.Enqueue(work);
        _poller.Wake();
    }

    /// <summary>As <see cref="Post"/>; the task ends when it was done, or fails with it. Any thread but the loop's.</summary>
    public Task RunAsync(Action<TimeSpan> work)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(now =>
        {
            try
            {
                work(now);
                done.SetResult();
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        return done.Task;
    }

    /// <summary>Takes a router in and starts it. On the thread.</summary>
    public void Add(RouterSeat seat, TimeSpan now)
    {
        _seats.Add(seat);
        seat.Router.Wake = () =>
        {
            _isStale = true;
            _poller.Wake();
        };
        try
        {
            seat.Bind(_monitor, _receivers, _probes, now);

            // Opening takes its time, and none of it counts as silence of the others.
            seat.Router.Start(Clocks.Monotonic());
        }
        catch
        {
            Remove(seat);
            throw;
        }
    }

    /// <summary>Watches the addresses that a router has now. On the thread.</summary>
    public void WatchAgain(RouterSeat seat)
    {
        _probes.Forget(seat);
        seat.Watch(_probes);
    }

    /// <summary>Reports the interfaces that a router tracks, as they are. On the thread.</summary>
    public void ReportTracked(RouterSeat seat, TimeSpan now) => seat.ReportTracked(_monitor, now);

    /// <summary>Lets a router go that has stopped, and closes its sockets. On the thread; what takes time is left to <see cref="RouterSeat.Dispose"/>.</summary>
    public void Remove(RouterSeat seat)
    {
        if (!_seats.Remove(seat)) return;
        _receivers.Forget(seat);
        _probes.Forget(seat);
        seat.Router.Dispose();
    }

    /// <summary>Ends the thread. Routers that still run are dropped as they are: their addresses end with their lifetime.</summary>
    public void Dispose()
    {
        if (_ended) return;
        _ended = true;
        _poller.Wake();
        if (Thread.CurrentThread != _thread) _thread.Join();
    }

    private void Run()
    {
        if (_realTimePriority > 0 && !RealTime.TrySetFifo(_realTimePriority, out string? error)) RouterLog.NoRealTime(_log, error!);
        Rehearsal.Play(isV6: false, _log);
        Rehearsal.Play(isV6: true, _log);
        while (!_ended)
        {
            try
            {
                Turn();
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                // The routers must go on: one that is not driven is a dead node that has its addresses.
                RouterLog.LoopFailed(_log, failure);
                _isStale = true;
                _poller.Wait(Clocks.Monotonic() + AfterFailure);
            }
        }

        foreach (RouterSeat seat in _seats)
        {
            seat.Router.Dispose();
            seat.Dispose();
        }

        _receivers.Dispose();
        _probes.Dispose();
        _monitor.Dispose();
        _poller.Dispose();
    }

    private void Turn()
    {
        TimeSpan now = Clocks.Monotonic(), deadline = TimeSpan.MaxValue;
        _probes.Settle();
        if (_isStale) RefreshAll(now);
        foreach (RouterSeat seat in _seats)
        {
            if (seat.Due < deadline) deadline = seat.Due;
        }

        // News of links that could not be read are asked for again.
        if (_monitor.IsStale && now + AfterFailure < deadline) deadline = now + AfterFailure;

        if (_mailbox.IsEmpty) _poller.Wait(deadline == TimeSpan.MaxValue ? null : deadline);
        bool linksChanged = _monitor.IsStale || _poller.Ready.Contains(_monitor.Descriptor);
        while (_mailbox.TryDequeue(out Action<TimeSpan>? work))
        {
            _isStale = true;
            work(Clocks.Monotonic());
        }

        if (linksChanged) FollowLinks();

        // Nothing slow from here on to the deadlines. They are judged by this moment, up to which every packet has been read: what comes later is
        // another turn's.
        now = Clocks.Monotonic();
        foreach (RouterSeat seat in _seats)
        {
            if (seat.Due < now) seat.NoteLateness(now);
        }

        _probes.Read(now);
        ReceiveAll(now);
        foreach (RouterSeat seat in _seats) seat.TellPause(now);
        if (_isStale) RefreshAll(now);
        for (int i = 0; i < _seats.Count; i++)
        {
            if (_seats[i].Due <= now) Advance(_seats[i], now);
        }
    }

    private void Advance(RouterSeat seat, TimeSpan now)
    {
        try
        {
            seat.Advance(_monitor, _receivers, _probes, now);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // The others are driven all the same.
            RouterLog.LoopFailed(_log, failure);
            seat.PutOff(Clocks.Monotonic() + AfterFailure);
        }

        if (seat.Group is not null) _isStale = true;
    }

    // What was done with one router may have moved others: those of its group.
    private void RefreshAll(TimeSpan now)
    {
        _isStale = false;
        foreach (RouterSeat seat in _seats)
        {
            seat.TellStopped();
            seat.Refresh(now);
        }
    }

    private void ReceiveAll(TimeSpan now)
    {
        foreach (RouterReceivers.Entry entry in _receivers.All)
        {
            int left = MostPackets;
            TimeSpan last = TimeSpan.Zero;
            bool isEmpty = false;
            while (left-- > 0)
            {
                if (!entry.Receiver.TryReceive(_buffer, out int length, out VrrpDatagram datagram))
                {
                    isEmpty = true;
                    break;
                }

                last = datagram.ArrivedAt;
                ReadOnlySpan<byte> message = _buffer.AsSpan(0, length);
                int routerId = VrrpReader.RouterIdOf(message);
                if (routerId < 0) continue;
                foreach (RouterSeat seat in entry.Of(routerId)) Receive(seat, message, in datagram);
            }

            // In a flood only up to the last packet read is anything known: nobody is missed for what was not read yet.
            entry.ReadUpTo = isEmpty ? TimeSpan.MaxValue : last;
        }
    }

    private void Receive(RouterSeat seat, ReadOnlySpan<byte> message, in VrrpDatagram datagram)
    {
        try
        {
            seat.Receive(message, in datagram, Clocks.Monotonic());
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            RouterLog.LoopFailed(_log, failure);
        }

        if (seat.Group is not null) _isStale = true;
    }

    private void FollowLinks()
    {
        _changed.Clear();
        _gone.Clear();
        if (!_monitor.Read(_changed, _gone)) return;
        _isStale = true;
        foreach (RouterSeat seat in _seats) seat.FollowLink(_monitor, _receivers, _probes, Clocks.Monotonic());
        foreach (PeerAddress address in _gone)
        {
            foreach (RouterSeat seat in _seats) seat.AddressGone(address, Clocks.Monotonic());
        }
    }
}
