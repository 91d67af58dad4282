namespace Lb.Vrrp;

/// <summary>The times of RFC 9568 6.1 and RFC 3768 6.1, exact to a tick.</summary>
internal static class VrrpTimes
{
    /// <summary>Skew_Time: what a Backup waits longer the lower its priority is, so that the best one comes first.</summary>
    /// <param name="version">2: (256 - priority) / 256 s; 3: (256 - priority) / 256 of the interval.</param>
    /// <param name="priority">1 to 255.</param>
    /// <param name="interval">Interval of the Active.</param>
    public static TimeSpan Skew(int version, byte priority, TimeSpan interval)
        => (version == 2 ? TimeSpan.FromSeconds(1) : interval) * (256 - priority) / 256;

    /// <summary>Active_Down_Interval: after this long without an advert the Active is dead.</summary>
    /// <param name="settings">Tells version and how many adverts may be missing.</param>
    /// <param name="priority">Effective priority.</param>
    /// <param name="interval">Interval of the Active.</param>
    public static TimeSpan Down(VrrpSettings settings, byte priority, TimeSpan interval)
        => (interval * settings.DownTimerAdverts) + Skew(settings.Version, priority, interval);

    /// <summary>Compares addresses as unsigned numbers in network order (RFC 9568 6.4.3); of equal ones the port decides, for nodes on one host.</summary>
    public static int Compare(in PeerAddress a, in PeerAddress b)
    {
        Span<byte> first = stackalloc byte[16];
        Span<byte> second = stackalloc byte[16];
        int order = first[..a.WriteBytes(first)].SequenceCompareTo(second[..b.WriteBytes(second)]);
        return order != 0 ? order : a.Port.CompareTo(b.Port);
    }
}
