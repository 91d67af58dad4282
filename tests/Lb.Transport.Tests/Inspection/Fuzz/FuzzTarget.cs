using System.Globalization;

namespace Lb.Transport.Tests;

/// <summary>
/// Throws bytes of any kind at a parser of a connection's first bytes. Each input is read whole, and in pieces as it might arrive, and judged once more in
/// the plainest way: all must agree. Nothing may throw or allocate. The same sources are in <c>bench/Lb.Benchmarks</c>, for long runs.
/// </summary>
internal abstract class FuzzTarget(string name)
{
    /// <summary>What a parser says that needs more.</summary>
    protected const int NeedMore = -1;

    private readonly byte[] _buffer = new byte[6000];

    public static FuzzTarget[] All => [new ProxyFuzz(), new ClientHelloFuzz(), new RdpFuzz()];

    public string Name => name;

    /// <summary>Inputs that were right.</summary>
    public long Taken { get; private set; }

    /// <summary>Inputs that were refused.</summary>
    public long Refused { get; private set; }

    /// <summary>Right inputs.</summary>
    protected abstract byte[][] Seeds { get; }

    /// <summary>The parser.</summary>
    /// <returns><see cref="NeedMore"/>, the length of what is right, or a number below -1 for why it is refused.</returns>
    protected abstract int Read(ReadOnlySpan<byte> data);

    /// <summary>The same by a judge of its own, who may take his time.</summary>
    protected abstract int Judge(byte[] data);

    /// <summary>What was found in a right input, by the parser and by the judge; called when they agree on the number.</summary>
    protected abstract (string Ours, string Judges) Describe(byte[] data);

    /// <summary>Makes sums and lengths of an input right again, so that what is behind them is reached.</summary>
    protected virtual void Repair(Random random, Span<byte> data)
    {
    }

    /// <summary>Runs it.</summary>
    /// <param name="inputs">How many inputs.</param>
    /// <param name="seed">Where chance begins.</param>
    /// <returns>What is wrong; null = nothing.</returns>
    public string? Run(int inputs, int seed)
    {
        Random random = new(seed);
        (Taken, Refused) = (0, 0);
        foreach (byte[] good in Seeds)
        {
            if (Read(good) < 0) return Fault("a seed is refused", good);
        }

        for (int i = 0; i < 200; i++) Read(_buffer.AsSpan(0, Next(random)));
        for (int i = 0; i < inputs; i++)
        {
            Memory<byte> data = _buffer.AsMemory(0, Next(random));
            if (One(random, data.Span) is { } fault) return Fault(fault, data.Span);
        }

        return Taken == 0 || Refused == 0 ? $"{name}: {Taken} were right and {Refused} refused: nothing is proven" : null;
    }

    private string? One(Random random, ReadOnlySpan<byte> data)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        int whole = Read(data);
        int pieces = NeedMore;
        int step = random.Next(4) == 0 ? 1 : 1 + random.Next(40);
        for (int have = 0; pieces == NeedMore && have < data.Length; have = Math.Min(have + step, data.Length)) pieces = Read(data[..have]);
        if (pieces == NeedMore) pieces = Read(data);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (allocated != 0) return string.Create(CultureInfo.InvariantCulture, $"{allocated} bytes allocated");
        if (pieces != whole) return string.Create(CultureInfo.InvariantCulture, $"{whole} as a whole, {pieces} in pieces of {step}");

        byte[] copy = data.ToArray();
        int judged = Judge(copy);
        if (judged != whole) return string.Create(CultureInfo.InvariantCulture, $"{whole}, and the judge says {judged}");
        if (whole < NeedMore) Refused++;
        if (whole < 0) return null;
        Taken++;
        (string ours, string judges) = Describe(copy);
        return ours == judges ? null : $"'{ours}', and the judge says '{judges}'";
    }

    private string Fault(string what, ReadOnlySpan<byte> data) => $"{name}: {what}: {Convert.ToHexStringLower(data)}";

    private int Next(Random random)
    {
        byte[] good = Seeds[random.Next(Seeds.Length)];
        int length = Math.Min(_buffer.Length, good.Length);
        if (random.Next(20) == 0)
        {
            length = random.Next(300);
            random.NextBytes(_buffer.AsSpan(0, length));
            return length;
        }

        Span<byte> data = _buffer;
        good.AsSpan(0, length).CopyTo(data);
        for (int i = random.Next(4); i > 0; i--) data[random.Next(length)] = Change(random, data[random.Next(length)]);
        switch (random.Next(8))
        {
            case 0:
                length = random.Next(length + 1);
                break;
            case 1:
                // Something taken out.
                int at = random.Next(length), gone = Math.Min(1 + random.Next(4), length - at);
                data[(at + gone)..length].CopyTo(data[at..]);
                length -= gone;
                break;
            case 2:
                // Something twice, or followed by more.
                int more = Math.Min(random.Next(200), data.Length - length);
                good.AsSpan(random.Next(good.Length)).CopyTo(data[length..].Length >= good.Length ? data[length..] : new byte[good.Length]);
                length += more;
                break;
        }

        if (random.Next(2) == 0) Repair(random, data[..length]);
        return length;
    }

    private static byte Change(Random random, byte other) => random.Next(4) switch
    {
        0 => (byte)random.Next(256),
        1 => other,
        2 => (byte)(1 << random.Next(8)),
        _ => (byte)"\r\n .:0129afPU\u0000\u0001\u00ff"[random.Next(16)],
    };
}
