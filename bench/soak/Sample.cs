using System.Globalization;

namespace Lb.Soak;

/// <summary>The gateway's figures at one moment.</summary>
/// <param name="At">Since the start.</param>
/// <param name="Open">Connections open.</param>
/// <param name="Total">Connections ever accepted.</param>
/// <param name="Bytes">Bytes relayed.</param>
/// <param name="Descriptors">Of the process.</param>
/// <param name="Resident">Resident memory, bytes.</param>
/// <param name="Heap">Managed heap after a full collection, bytes.</param>
/// <param name="Ends">How connections ended.</param>
internal sealed record Sample(TimeSpan At, long Open, long Total, long Bytes, long Descriptors, long Resident, long Heap, string Ends)
{
    public static Sample Parse(TimeSpan at, string line)
    {
        string[] words = line.Split(' ');
        long Number(int i) => long.Parse(words[i], CultureInfo.InvariantCulture);
        return new Sample(at, Number(0), Number(1), Number(2), Number(3), Number(4), Number(5), words[6]);
    }
}
