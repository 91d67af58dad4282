namespace Lb;

/// <summary>
/// Counts what each source has open and how often it comes, and says when one has enough: a bounded table, in which the source that has been idle for the
/// longest time makes room. Any thread; no allocation once the table has grown.
/// </summary>
/// <remarks>
/// The table is cut into stripes with a lock each, held for some 50 ns: asked once for a connection, not for its bytes, and two loops meet at the same
/// stripe at the same moment next to never.
/// </remarks>
public sealed class SourceLimiter
{
    // A stripe of few places would be full long before the table is.
    private const int MostStripes = 64, LeastOfStripe = 1024;
    private readonly SourceStripe[] _stripes;
    private readonly int _mask;
    private readonly int _mask6;
    private readonly long _second;
    private long _untracked;
    private long _refused;

    /// <summary>Makes it.</summary>
    /// <param name="options">The limits; read once, here.</param>
    /// <param name="timestampsPerSecond">Units of the timestamps that it will be given: <see cref="TimeProvider.TimestampFrequency"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value of the options is outside its range.</exception>
    public SourceLimiter(PerSourceOptions options, long timestampsPerSecond)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(timestampsPerSecond, 1);
        List<ConfigurationError> errors = [];
        Rules.Run(new PerSourceRules(), "PerSource", options, errors);
        if (errors.Count > 0) throw new ArgumentOutOfRangeException(nameof(options), errors[0].ToString());
        (_mask, _mask6, _second) = (options.Mask, options.Mask6, timestampsPerSecond);
        long period = Math.Max(1, (long)(options.Period.TotalSeconds * timestampsPerSecond));
        int stripes = Math.Clamp(options.TableSize / LeastOfStripe, 1, MostStripes);
        _stripes = [.. Enumerable.Range(0, stripes).Select(i => new SourceStripe((options.TableSize + i) / stripes, options.MaxConnections, options.Rate, period))];
    }

    /// <summary>Sources in the table.</summary>
    public int Sources => _stripes.Sum(static s => s.Count);

    /// <summary>Connections that were too many or too fast.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Connections let in without being counted, because every source in the table had something open.</summary>
    public long Untracked => Volatile.Read(ref _untracked);

    /// <summary>Asks for one more connection of a source, and counts it when it may come.</summary>
    /// <param name="source">The client; one without an address is never limited.</param>
    /// <param name="now">A timestamp.</param>
    /// <param name="wait">When it comes too fast: the time after which there is room again.</param>
    /// <returns><see cref="SourceVerdict.Accepted"/>: call <see cref="Leave"/> when it ends.</returns>
    public SourceVerdict Enter(in PeerAddress source, long now, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        if (source.IsEmpty) return SourceVerdict.Accepted;
        SourceNetwork network = SourceNetwork.Of(in source, _mask, _mask6);
        SourceVerdict? verdict = StripeOf(in network).Enter(in network, now, out long units);
        if (verdict is null)
        {
            Interlocked.Increment(ref _untracked);
            return SourceVerdict.Accepted;
        }

        if (verdict == SourceVerdict.Accepted) return SourceVerdict.Accepted;
        Interlocked.Increment(ref _refused);
        wait = TimeSpan.FromSeconds((double)units / _second);
        return verdict.Value;
    }

    /// <summary>A connection that was accepted has ended.</summary>
    /// <param name="source">The client.</param>
    public void Leave(in PeerAddress source)
    {
        if (source.IsEmpty) return;
        SourceNetwork network = SourceNetwork.Of(in source, _mask, _mask6);
        StripeOf(in network).Leave(in network);
    }

    /// <summary>What a source has open now.</summary>
    /// <param name="source">The client.</param>
    public int Connections(in PeerAddress source)
    {
        SourceNetwork network = SourceNetwork.Of(in source, _mask, _mask6);
        return StripeOf(in network).Connections(in network);
    }

    // The upper bits; the stripe's own table goes by the lower ones.
    private SourceStripe StripeOf(in SourceNetwork network) => _stripes[(int)((uint)network.GetHashCode() * (ulong)_stripes.Length >> 32)];
}

/// <summary>What is said of one more connection of a source.</summary>
public enum SourceVerdict
{
    /// <summary>It may come, and is counted.</summary>
    Accepted,

    /// <summary>The source has as many connections as it may.</summary>
    TooMany,

    /// <summary>The source opens connections faster than it may.</summary>
    TooFast,
}
