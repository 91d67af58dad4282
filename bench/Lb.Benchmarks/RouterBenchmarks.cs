using BenchmarkDotNet.Attributes;

namespace Lb.Benchmarks;

/// <summary>What an advert costs a virtual router: to take in, to send. Without the kernel's part.</summary>
[MemoryDiagnoser]
public class RouterBenchmarks
{
    private readonly RouterRig _rig = new(priority: 100);
    private readonly RouterRig _active = new(priority: 255);
    private readonly byte[] _advert = RouterRig.Advert(priority: 200);
    private TimeSpan _now = TimeSpan.FromSeconds(1);

    /// <summary>A Backup hears the Active node.</summary>
    [Benchmark]
    public void Receive() => _rig.Receive(_advert, _now += TimeSpan.FromMilliseconds(1));

    /// <summary>An Active node sends what is due.</summary>
    [Benchmark]
    public void Send() => _active.Router.Advance(_active.Router.Deadline);
}
