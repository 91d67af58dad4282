using BenchmarkDotNet.Attributes;

namespace Lb.Benchmarks;

/// <summary>What the door of a gateway costs a connection: a look into a list of networks, the limits of a source.</summary>
[MemoryDiagnoser]
public class AdmissionBenchmarks
{
    private const int Asked = 1 << 12;
    private readonly PeerAddress[] _v4 = new PeerAddress[Asked];
    private readonly PeerAddress[] _v6 = new PeerAddress[Asked];
    private AddressList _list = new();
    private SourceLimiter _sources = new(new PerSourceOptions { MaxConnections = 100 }, 1000);
    private int _next;

    /// <summary>Networks in the list, half of them IPv4, half IPv6.</summary>
    [Params(100, 100_000)]
    public int Networks { get; set; }

    /// <summary>Seeded: the same networks in each run.</summary>
    [GlobalSetup]
    public void Setup()
    {
        Random random = new(1);
        AddressPrefix[] networks = [.. Enumerable.Range(0, Networks).Select(n => n % 2 == 0 ? new AddressPrefix(V4(random), random.Next(16, 33)) : new AddressPrefix(V6(random), random.Next(29, 65)))];
        _list = new AddressList(networks);
        _sources = new SourceLimiter(new PerSourceOptions { MaxConnections = 100, Rate = 1_000_000 }, 1000);
        for (int i = 0; i < Asked; i++) (_v4[i], _v6[i]) = (V4(random), V6(random));
    }

    /// <summary>An IPv4 address, another one each time.</summary>
    [Benchmark]
    public bool LookUpV4() => _list.TryMatch(in _v4[_next++ & (Asked - 1)], out _);

    /// <summary>An IPv6 address.</summary>
    [Benchmark]
    public bool LookUpV6() => _list.TryMatch(in _v6[_next++ & (Asked - 1)], out _);

    /// <summary>A connection of a source comes and goes.</summary>
    [Benchmark]
    public SourceVerdict EnterAndLeave()
    {
        ref PeerAddress source = ref _v4[_next++ & (Asked - 1)];
        SourceVerdict verdict = _sources.Enter(in source, _next, out _);
        _sources.Leave(in source);
        return verdict;
    }

    private static PeerAddress V4(Random random) => PeerAddress.FromV4((uint)random.NextInt64(1L << 32), 1);

    private static PeerAddress V6(Random random)
    {
        byte[] bytes = new byte[16];
        random.NextBytes(bytes);
        (bytes[0], bytes[1]) = ((byte)(random.Next(2) == 0 ? 0x20 : 0x2a), (byte)random.Next(16));
        return PeerAddress.FromBytes(bytes, 1);
    }
}
