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

    private readonly Poller _poller = new();
    private readonly LinkMonitor _monitor = new();
    private readonly ConcurrentQueue<Action<TimeSpan>> _mailbox = new();
    private readonly List<RouterSeat> _seats = [];
    private readonly RouterReceivers _receivers;
    private readonly HashSet<int> _changed = [];
    private readonly byte[] _buffer = new byte[DatagramReader.Capacity];
    private readonly ILogger _log;
    private readonly int _realTimePriority;
    private readonly Thread _thread;
    private volatile bool _ended;

    /// <summary>Opens what it needs and starts the thread.</summary>
    /// <param name="options">What holds for all routers.</param>
    /// <param name="log">The log.</param>
    public VrrpLoop(VrrpOptions options, ILogger log)
    {
        _log = log;
        _realTimePriority = options.RealTimePriority;
        _receivers = new RouterReceivers(_poller, options);
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
        seat.Router.Wake = _poller.Wake;
        seat.Bind(_monitor, _receivers, now);
        if (seat.Probe is { } probe) _poller.Add(probe.Descriptor);
        seat.Router.Start(now);
    }

    /// <summary>Reports the interfaces that a router tracks, as they are. On the thread.</summary>
    public void ReportTracked(RouterSeat seat, TimeSpan now) => seat.ReportTracked(_monitor, now);

    /// <summary>Lets a router go that has stopped, and frees what it holds. On the thread.</summary>
    public void Remove(RouterSeat seat)
    {
        if (!_seats.Remove(seat)) return;
        if (seat.Probe is { } probe) _poller.Remove(probe.Descriptor);
        _receivers.Forget(seat);
        seat.Dispose();
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
            }
        }

        foreach (RouterSeat seat in _seats) seat.Dispose();
        _receivers.Dispose();
        _monitor.Dispose();
        _poller.Dispose();
    }

    private void Turn()
    {
        TimeSpan deadline = TimeSpan.MaxValue;
        foreach (RouterSeat seat in _seats)
        {
            TimeSpan due = seat.Deadline;
            if (due < deadline) deadline = due;
        }

        if (_mailbox.IsEmpty) _poller.Wait(deadline == TimeSpan.MaxValue ? null : deadline);
        TimeSpan now = Clocks.Monotonic();
        foreach (RouterSeat seat in _seats) seat.NoteLateness(now);

        ReceiveAll();
        if (_poller.Ready.Contains(_monitor.Descriptor)) FollowLinks();
        while (_mailbox.TryDequeue(out Action<TimeSpan>? work)) work(Clocks.Monotonic());

        // Of hundreds of routers few have something to do, so the clock is asked again only after one that had.
        now = Clocks.Monotonic();
        for (int i = 0; i < _seats.Count; i++)
        {
            if (_seats[i].Advance(now, _poller.Ready)) now = Clocks.Monotonic();
        }
    }

    private void ReceiveAll()
    {
        int left = MostPackets;
        foreach (RouterReceivers.Entry entry in _receivers.All)
        {
            while (left-- > 0 && entry.Receiver.TryReceive(_buffer, out int length, out VrrpDatagram datagram))
            {
                ReadOnlySpan<byte> message = _buffer.AsSpan(0, length);
                int routerId = VrrpReader.RouterIdOf(message);
                if (routerId < 0) continue;
                foreach (RouterSeat seat in entry.Of(routerId)) seat.Router.Receive(message, in datagram, Clocks.Monotonic());
            }
        }
    }

    private void FollowLinks()
    {
        _changed.Clear();
        if (!_monitor.Read(_changed)) return;
        foreach (RouterSeat seat in _seats)
        {
            int before = seat.Probe?.Descriptor ?? -1;
            if (!seat.FollowLink(_monitor, _receivers, Clocks.Monotonic())) continue;
            int after = seat.Probe?.Descriptor ?? -1;
            if (before == after) continue;
            _poller.Remove(before);
            _poller.Add(after);
        }
    }
}
