namespace Lb.Transport;

/// <summary>
/// Makes the end of a connection silent, as HAProxy's <c>silent-drop</c> does: a socket in repair mode (CAP_NET_ADMIN) sends nothing when it is closed. Without
/// the right the reset gets a time to live of 1, so that it ends at the first router; a client on the same network still sees it. Linux.
/// </summary>
internal static class SilentClose
{
    private const int Repair = 19, LevelV4 = 0, TimeToLive = 2, HopLimit = 16;

    /// <summary>To be called right before the close.</summary>
    public static void Prepare(int descriptor)
    {
        if (Libc.SetOption(descriptor, Libc.LevelTcp, Repair, 1) == 0) return;
        _ = Libc.SetOption(descriptor, LevelV4, TimeToLive, 1);
        _ = Libc.SetOption(descriptor, Libc.LevelV6, HopLimit, 1);
    }
}
