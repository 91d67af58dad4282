using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>The event loops that all gateways of a host share: one thread each, nothing shared between them.</summary>
internal sealed class LoopGroup : IDisposable
{
    private readonly EventLoop[] _loops;

    public LoopGroup(TransportOptions options, TimeProvider time, ILogger logger)
    {
        int count = options.Loops == 0 ? Environment.ProcessorCount : options.Loops;
        _loops = new EventLoop[count];
        Fill(Choose(options.Driver, logger), options.Splice, time, logger);
        if (CpuList.TryRead(options.CpuAffinity, ThreadAffinity.Allowed(), out IReadOnlyList<int>? processors, out _) && processors.Count > 0)
        {
            for (int i = 0; i < count; i++) Pin(_loops[i], i, processors[i % processors.Count], logger);
        }

        Limits = new ProcessLimits(logger);
        foreach (EventLoop loop in _loops)
        {
            LoopMemory memory = Limits.AddLoop();
            loop.Post(static state => ((LoopMemory)state!).Attach(), memory);
            loop.Start();
        }

        MaxConnections = DescriptorBudget.Connections(options.Splice ? SplicePipes.Most : 0);
        if (MaxConnections != 0) TransportLog.ConnectionLimit(logger, MaxConnections);
    }

    public IReadOnlyList<EventLoop> Loops => _loops;

    /// <summary>What all gateways share.</summary>
    public ProcessLimits Limits { get; }

    /// <summary>Most connections that the limit of open files allows a gateway; 0 = not known.</summary>
    public int MaxConnections { get; }

    // All loops have one driver, so that they can relieve each other.
    private static ReactorDriver Choose(string wanted, ILogger logger)
    {
        ReactorDriver driver = EventLoops.Parse(wanted);
        return driver == ReactorDriver.Uring && UringSupport.Missing is { } reason ? Instead(reason, logger) : driver;
    }

    private static ReactorDriver Instead(string reason, ILogger logger)
    {
        TransportLog.DriverMissing(logger, "io_uring", reason, EventLoops.SupportsEpoll ? "epoll" : "managed");
        return ReactorDriver.Auto;
    }

    private void Fill(ReactorDriver driver, bool splice, TimeProvider time, ILogger logger)
    {
        try
        {
            for (int i = 0; i < _loops.Length; i++) _loops[i] = EventLoops.Create(driver, $"lb-loop-{i}", time, error => TransportLog.HandlerFailed(logger, error), splice);
        }
        catch (UringException exception)
        {
            // The system allows it, and has not enough for so many loops.
            foreach (EventLoop? made in _loops) made?.Dispose();
            Fill(Instead(UringSupport.Explain(exception.Error, setting: null), logger), splice, time, logger);
        }
    }

    // The first thing that its thread does.
    private static void Pin(EventLoop loop, int index, int processor, ILogger logger) => loop.Post(
        _ =>
        {
            int error = ThreadAffinity.Pin(processor);
            if (error != 0) TransportLog.NotPinned(logger, index, processor, error);
        },
        null);

    /// <summary>Runs something on a loop and waits for it without blocking.</summary>
    public static Task<T> RunAsync<T>(EventLoop loop, Func<T> work)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool posted = loop.Post(
            _ =>
            {
                try
                {
                    done.SetResult(work());
                }
                catch (Exception error)
                {
                    done.SetException(error);
                }
            },
            null);
        if (!posted) done.SetException(new ObjectDisposedException(nameof(LoopGroup)));
        return done.Task;
    }

    public void Dispose()
    {
        foreach (EventLoop loop in _loops) loop.Dispose();
    }
}
