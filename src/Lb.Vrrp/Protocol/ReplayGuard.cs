namespace Lb.Vrrp;

/// <summary>Remembers the last sequence of each sender of authenticated adverts. Not thread-safe: the driver's. Allocates nothing after it was made.</summary>
/// <param name="senders">How many are remembered: one more than that forgets the oldest, whose old adverts would count again.</param>
internal sealed class ReplayGuard(int senders = ReplayGuard.OnALink)
{
    /// <summary>With multicast, where nobody says how many there are: more than one virtual router has nodes.</summary>
    public const int OnALink = 64;

    private readonly Mark[] _marks = new Mark[Math.Max(1, senders)];
    private long _uses;

    /// <summary>True when a sequence is above its sender's last one; then it becomes the last one. Only called for adverts whose HMAC is right.</summary>
    public bool Admit(in PeerAddress source, ulong sequence, VrrpAuthentication authentication, DateTimeOffset utc)
    {
        if (authentication.Replay == VrrpReplay.None) return true;
        ref Mark mark = ref Find(source);
        bool isKnown = mark.Used > 0 && mark.Source == source;

        // A mark outside the window keeps out only what the window keeps out already; forgotten, it lets back in a sender whose clock was set back.
        if (isKnown && authentication.Replay == VrrpReplay.Time && !VrrpHmac.IsWithin(mark.Sequence, utc, authentication.Window)) isKnown = false;
        if (isKnown && !VrrpHmac.IsAfter(sequence, mark.Sequence)) return false;
        mark = new Mark { Source = source, Sequence = sequence, Used = ++_uses };
        return true;
    }

    // The sender's own place, else the one that was used longest ago.
    private ref Mark Find(in PeerAddress source)
    {
        int oldest = 0;
        for (int i = 0; i < _marks.Length; i++)
        {
            if (_marks[i].Used > 0 && _marks[i].Source == source) return ref _marks[i];
            if (_marks[i].Used < _marks[oldest].Used) oldest = i;
        }

        return ref _marks[oldest];
    }

    private struct Mark
    {
        public PeerAddress Source;
        public ulong Sequence;
        public long Used;
    }
}
