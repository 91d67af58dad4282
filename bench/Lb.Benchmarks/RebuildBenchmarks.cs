using BenchmarkDotNet.Attributes;

namespace Lb.Benchmarks;

/// <summary>
/// What a health flip of one server in a pool of 1000 costs, by policy: its tables are built anew, with and without that server in turn. Picks go on meanwhile
/// with the old ones. Goal: 5 ms. (A pool puts builds together when many servers change at once; here every one is made.)
/// </summary>
[MemoryDiagnoser(displayGenColumns: false)]
public class RebuildBenchmarks
{
    private const int Servers = 1000;

    // HAProxy's ring has no name of its own.
    private const string Consistent = "source consistent";

    private ISchedulingPolicy _policy = null!;
    private PoolSnapshot _all = null!;
    private PoolSnapshot _less = null!;
    private bool _isDown;

    /// <summary>Every name that a configuration may say; new policies come in by themselves.</summary>
    public static IEnumerable<string> Names => [.. SchedulingPolicies.BuiltIn.Names, Consistent];

    [ParamsSource(nameof(Names))]
    public string Balance { get; set; } = "";

    /// <summary>1: all weights are 1. 10: weights 1 to 10 in turn.</summary>
    [Params(1, 10)]
    public int Weights { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        PoolOptions options = new() { Balance = Balance.Split(' ')[0] };
        if (Balance == Consistent) options.BalanceOptions.HashType = "consistent";
        options.BalanceOptions.Parameter = options.BalanceOptions.Header = "user";
        for (int i = 0; i < Servers; i++)
            options.Servers.Add(new ServerOptions { Address = $"10.0.{i / 250}.{1 + (i % 250)}:80", Weight = 1 + (i % Weights) });
        ServerPool pool = new("bench", options);
        _all = pool.Snapshot!;
        pool.SetHealth(pool.Servers[Servers / 2], ServerHealth.Down);
        _less = pool.Snapshot!;
        _policy = SchedulingPolicies.BuiltIn.Create(options);
    }

    [Benchmark]
    public IScheduler Flip()
    {
        _isDown = !_isDown;
        return _policy.Build(_isDown ? _less : _all);
    }
}
