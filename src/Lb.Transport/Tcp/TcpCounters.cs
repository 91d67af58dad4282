namespace Lb.Transport;

/// <summary>
/// What one loop counts for one gateway. Only its loop writes, so plain additions suffice; other threads read whole 64-bit words, at most a moment old.
/// </summary>
internal sealed class TcpCounters
{
    public long Total;
    public long BytesIn;
    public long BytesOut;
    public long Retries;
    public long Redispatches;
    public readonly long[] Ends = new long[Enum.GetValues<RelayEnd>().Length];
}
