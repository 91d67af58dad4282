using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Lb.Transport;

/// <summary>Reads <see cref="TransportOptions.CpuAffinity"/>: <c>none</c>, <c>auto</c> or <c>0-3,8</c>. Pure.</summary>
internal static class CpuList
{
    /// <param name="text">The setting.</param>
    /// <param name="allowed">Processors that this process may use; empty = not known here.</param>
    /// <param name="processors">Loop n keeps to processor n of them, counted round; empty: no loop keeps to any.</param>
    /// <param name="error">What is wrong with it.</param>
    public static bool TryRead(string text, IReadOnlyList<int> allowed, [NotNullWhen(true)] out IReadOnlyList<int>? processors, [NotNullWhen(false)] out string? error)
    {
        processors = null;
        error = null;
        text = text.Trim();
        if (text.Equals("none", StringComparison.OrdinalIgnoreCase))
        {
            processors = [];
            return true;
        }

        if (allowed.Count == 0)
        {
            error = "this system can't keep threads to processors; set none";
            return false;
        }

        if (text.Equals("auto", StringComparison.OrdinalIgnoreCase))
        {
            processors = allowed;
            return true;
        }

        List<int> list = [];
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Trim().Split('-');
            if (ends.Length > 2 || !int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
                || !int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last) || last < first || last > 4095)
            {
                error = "must be none, auto, or a list of processors such as 0-3,8";
                return false;
            }

            for (int i = first; i <= last; i++)
            {
                if (!allowed.Contains(i))
                {
                    error = string.Create(CultureInfo.InvariantCulture, $"processor {i} is not one that this process may use: {string.Join(',', allowed)}");
                    return false;
                }

                list.Add(i);
            }
        }

        processors = list;
        return true;
    }
}
