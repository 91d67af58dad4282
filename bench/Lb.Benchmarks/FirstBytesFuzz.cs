using System.Globalization;
using Lb.Transport.Tests;

namespace Lb.Benchmarks;

/// <summary>Long runs of what the tests do shortly: bytes of any kind at the parsers of a connection's first bytes, each judged once more in the plainest way.</summary>
internal static class FirstBytesFuzz
{
    public static int Run(string name, string[] args)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        int inputs = args.Length > 0 ? int.Parse(args[0], culture) : 1_000_000;
        FuzzTarget target = FuzzTarget.All.Single(t => t.Name == name);
        long began = TimeProvider.System.GetTimestamp();
        string? failure = target.Run(inputs, args.Length > 1 ? int.Parse(args[1], culture) : 1);
        TimeSpan time = TimeProvider.System.GetElapsedTime(began);
        Console.WriteLine(string.Create(culture, $"{name}: {inputs} inputs in {time.TotalSeconds:F1} s, {target.Taken} right, {target.Refused} refused"));
        Console.WriteLine(failure ?? "pass");
        return failure is null ? 0 : 1;
    }
}
