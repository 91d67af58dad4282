using BenchmarkDotNet.Attributes;

namespace Lb.Benchmarks;

/// <summary>
/// What one pick costs, by policy: a new policy adds one class below. Times are per pick and thread: with two threads a time that stays the same means
/// twice the picks.
/// </summary>
[MemoryDiagnoser(displayGenColumns: false)]
public abstract class PolicyBenchmarks : IDisposable
{
    private const int Picks = 16_384;

    private readonly PickContext[] _contexts = new PickContext[256];
    private readonly Barrier _barrier = new(2);
    private ServerPool _pool = null!;
    private IScheduler _scheduler = null!;
    private Thread? _second;
    private Action? _work;
    private int _sink;

    [Params(2, 10, 100, 1000)]
    public int Servers { get; set; }

    [Params(1, 2)]
    public int Threads { get; set; }

    protected abstract ISchedulingPolicy Create();

    /// <summary>Weights go from 1 to this.</summary>
    protected virtual int Weights => 1;

    [GlobalSetup]
    public void Setup()
    {
        Remembering policy = new(Create());
        PoolOptions options = new() { Policy = () => policy };
        for (int i = 0; i < Servers; i++)
            options.Servers.Add(new ServerOptions { Address = $"10.0.{i / 250}.{1 + (i % 250)}:80", Weight = 1 + (i % Weights) });
        _pool = new ServerPool("bench", options);
        _scheduler = policy.Last!;

        // Uneven load, as in life; the clock is read by the caller, as the reactor does once a turn.
        Random random = new(1);
        for (int n = 0; n < Servers * 3; n++) _pool.TryPick(new PickContext { Prefer = _pool.Servers[random.Next(Servers)] }, out _, out _);
        for (int i = 0; i < _contexts.Length; i++)
            _contexts[i] = new PickContext { Key = AffinityKey.From($"key-{i}"), Source = PeerAddress.FromV4((uint)random.Next(), 80), Now = 1 };

        if (Threads == 1) return;
        _second = new Thread(Follow) { IsBackground = true };
        _second.Start();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        if (_second is null) return;
        _work = null;
        _barrier.SignalAndWait();
        _second.Join();
        _second = null;
    }

    [Benchmark(OperationsPerInvoke = Picks)]
    public void Pick() => Run(PickMany);

    [Benchmark(OperationsPerInvoke = Picks)]
    public void TryPickAndComplete() => Run(TryPickMany);

    public void Dispose()
    {
        Cleanup();
        _barrier.Dispose();
        GC.SuppressFinalize(this);
    }

    private void PickMany()
    {
        IScheduler scheduler = _scheduler;

        // The sum keeps the compiler from leaving out a pick whose result nobody wants.
        int ids = 0;
        for (int n = 0; n < Picks; n++) ids += scheduler.Pick(in _contexts[n & 255], 1).Id;
        Volatile.Write(ref _sink, ids);
    }

    private void TryPickMany()
    {
        ServerPool pool = _pool;
        for (int n = 0; n < Picks; n++)
        {
            if (pool.TryPick(in _contexts[n & 255], out ServerLease lease, out _)) lease.Complete(LeaseOutcome.Success);
        }
    }

    private void Run(Action work)
    {
        if (Threads == 1)
        {
            work();
            return;
        }

        _work = work;
        _barrier.SignalAndWait();
        work();
        _barrier.SignalAndWait();
    }

    private void Follow()
    {
        while (true)
        {
            _barrier.SignalAndWait();
            if (_work is null) return;
            _work();
            _barrier.SignalAndWait();
        }
    }
}

/// <summary>Gives away the pool's own scheduler: a second one over the same servers would not be as fast for every policy.</summary>
internal sealed class Remembering(ISchedulingPolicy policy) : ISchedulingPolicy
{
    public IScheduler? Last { get; private set; }

    public IScheduler Build(PoolSnapshot snapshot) => Last = policy.Build(snapshot);
}

public class RoundRobinBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new RoundRobin();
}

public class LeastConnectionsBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new LeastConnections();
}

public class LeastConnectionsWeightedBenchmarks : LeastConnectionsBenchmarks
{
    protected override int Weights => 10;
}

public class P2cBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new PowerOfTwoChoices();
}

public class RandomBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new RandomDraws();
}

public class FirstBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new First();
}

public class SourceBenchmarks : PolicyBenchmarks
{
    protected override ISchedulingPolicy Create() => new SourceHash();
}
