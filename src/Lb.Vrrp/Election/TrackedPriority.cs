namespace Lb.Vrrp;

/// <summary>Something tracked, as it is now.</summary>
/// <param name="Weight">-253 to 253; 0 = not well is a fault.</param>
/// <param name="IsWell">Whether it is well.</param>
/// <param name="Reverse">Takes well for not well.</param>
/// <param name="Number">The number in a tracked file, which times the weight counts; null = it is no file.</param>
internal readonly record struct TrackedItem(int Weight, bool IsWell, bool Reverse = false, int? Number = null);

/// <summary>The effective priority: the configured one and the weights of what is tracked (keepalived.conf: <c>track_script</c>, <c>track_file</c>). Pure.</summary>
internal static class TrackedPriority
{
    // keepalived: so much below zero that no priority could stand it.
    private const long FaultShare = -254;

    /// <summary>Computes it.</summary>
    /// <param name="configured">1 to 255. 255 stays: an owner has no lesser claim (RFC 9568 5.2.4).</param>
    /// <param name="items">
    /// What is tracked. A weight below 0 counts while it is not well, one above 0 while it is. A file without a weight is well while it holds 0.
    /// </param>
    /// <param name="isFault">Something without a weight is not well, or a file's number times its weight is -254 or less (keepalived).</param>
    /// <returns>1 to 254, or 255.</returns>
    public static byte Of(byte configured, ReadOnlySpan<TrackedItem> items, out bool isFault)
    {
        isFault = false;
        long priority = configured;
        foreach (TrackedItem item in items)
        {
            if (item.Weight != 0 && item.Number is { } number)
            {
                long share = (long)(item.Reverse ? -item.Weight : item.Weight) * number;
                priority += share;
                isFault |= share <= FaultShare;
                continue;
            }

            bool isWell = (item.Number is null ? item.IsWell : item.Number == 0) != item.Reverse;
            if (item.Weight == 0) isFault |= !isWell;
            else if (isWell == item.Weight > 0) priority += item.Weight;
        }

        return configured == 255 ? (byte)255 : (byte)Math.Clamp(priority, 1, 254);
    }
}
