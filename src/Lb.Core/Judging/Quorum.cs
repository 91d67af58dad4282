namespace Lb;

/// <summary>Whether enough weight is usable: keepalived's quorum with hysteresis. Pure.</summary>
internal static class Quorum
{
    /// <summary>
    /// Judges the weight that is usable now. A lost quorum is regained at quorum + hysteresis, one that is held is lost below quorum − hysteresis and
    /// with the last server. At the start it counts as lost before.
    /// </summary>
    /// <param name="held">The verdict before; false at the start.</param>
    /// <param name="usableWeight">Sum of the weights of the usable servers.</param>
    /// <param name="quorum">The weight needed; 0 = none, the quorum is always held.</param>
    /// <param name="hysteresis">0 or more.</param>
    public static bool IsHeld(bool held, long usableWeight, int quorum, int hysteresis)
    {
        if (quorum == 0) return true;
        return usableWeight > 0 && usableWeight >= (long)quorum + (held ? -hysteresis : hysteresis);
    }
}
