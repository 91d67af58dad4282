namespace Lb.Transport;

/// <summary>
/// One loop's share of a gateway's connections. The kernel spreads new connections by a hash of their addresses, and a few long-lived ones fall unevenly: a
/// loop that has too many gives a fresh one to the loop that has the fewest. Members are for the loop's thread unless they say otherwise.
/// </summary>
internal sealed class LoopShare
{
    // Ends, each worth 32, less a 32nd with every accept: as many ends as accepts hold it at 1024. Above half of that connections are short, chance evens
    // out, and a hand-over costs more than it brings.
    private const int OneEnd = 32;
    private const int Short = 512;
    private const int MostEnds = 2048;

    private readonly LoopShare[] _all;
    private int _open;
    private int _coming;
    private int _ends;

    private LoopShare(LoopShare[] all) => _all = all;

    /// <summary>Connections that it has or is about to get. Any thread.</summary>
    public int Load => Volatile.Read(ref _open) + Volatile.Read(ref _coming);

    /// <summary>Makes the shares of so many loops.</summary>
    public static LoopShare[] Make(int count)
    {
        LoopShare[] all = new LoopShare[count];
        for (int i = 0; i < count; i++) all[i] = new LoopShare(all);
        return all;
    }

    /// <summary>A connection has been accepted here: the loop that is to have it, or -1 to keep it.</summary>
    /// <param name="total">Connections of all loops.</param>
    public int Relief(int total)
    {
        if (_all.Length == 1) return -1;
        _ends -= _ends >> 5;
        int mean = total / _all.Length;
        if (_open <= (_ends > Short ? mean + (mean >> 2) + 8 : mean + (mean >> 3) + 1)) return -1;
        int least = -1, load = _open;
        for (int i = 0; i < _all.Length; i++)
        {
            if (_all[i].Load >= load) continue;
            load = _all[i].Load;
            least = i;
        }

        if (least >= 0) Interlocked.Increment(ref _all[least]._coming);
        return least;
    }

    /// <summary>A connection is served here.</summary>
    public void Opened() => _open++;

    /// <summary>One that another loop has given is here.</summary>
    public void Came() => Interlocked.Decrement(ref _coming);

    /// <summary>A connection has ended.</summary>
    public void Closed()
    {
        _open--;
        _ends = Math.Min(MostEnds, _ends + OneEnd);
    }
}
