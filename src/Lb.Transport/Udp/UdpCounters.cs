namespace Lb.Transport;

/// <summary>
/// What one loop counts for one UDP gateway. Only its loop writes, so plain additions suffice; other threads read whole 64-bit words, at most a moment old.
/// </summary>
internal sealed class UdpCounters
{
    public long Sessions;
    public long DatagramsIn;
    public long DatagramsOut;
    public long BytesIn;
    public long BytesOut;
    public long Redispatches;
    public readonly long[] Ends = new long[Enum.GetValues<UdpEnd>().Length];
    public readonly long[] Drops = new long[Enum.GetValues<UdpDrop>().Length];
}
