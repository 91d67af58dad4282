using System.Globalization;
using Lb.Peers;

namespace Lb.HealthBench;

/// <summary>What the command line asks for.</summary>
internal sealed record Options
{
    public const string Usage = """
        usage: dotnet run -c Release --project bench/health -- [options]

          --servers N        servers, each on a loopback address of its own, 100 to 60000, default 10000
          --rounds N         1 to 20, default 3
          --seconds N        length of one measurement, 2 to 60, default 10
          --warmup N         seconds before measuring lb (the JIT compiles in tiers), 2 to 120, default 20; the others get 5
          --checker-cpu N    processor of whoever checks, default 0
          --other-cpu N      processor of the servers and of this program, default 1
          --out FILE         the results file, default bench/results/DATE-health.md; "-" = print only
          --strict           a missed goal makes the exit code 1
        """;

    public int Servers { get; private init; } = 10_000;

    public int Rounds { get; private init; } = 3;

    public int Seconds { get; private init; } = 10;

    public int Warmup { get; private init; } = 20;

    public int CheckerCpu { get; private init; }

    public int OtherCpu { get; private init; } = 1;

    public string? Out { get; private init; }

    public bool Strict { get; private init; }

    public static Options Parse(IReadOnlyList<string> args)
    {
        Options options = new();
        for (int i = 0; i < args.Count; i++)
        {
            string name = args[i];
            string Value() => i + 1 < args.Count ? args[++i] : throw new BenchException($"{name} wants a value\n{Usage}");
            options = name switch
            {
                "--servers" => options with { Servers = Number(name, Value(), 100, 60_000) },
                "--rounds" => options with { Rounds = Number(name, Value(), 1, 20) },
                "--seconds" => options with { Seconds = Number(name, Value(), 2, 60) },
                "--warmup" => options with { Warmup = Number(name, Value(), 2, 120) },
                "--checker-cpu" => options with { CheckerCpu = Number(name, Value(), 0, 4095) },
                "--other-cpu" => options with { OtherCpu = Number(name, Value(), 0, 4095) },
                "--out" => options with { Out = Value() },
                "--strict" => options with { Strict = true },
                _ => throw new BenchException($"unknown option {name}\n{Usage}"),
            };
        }

        return options;
    }

    public string Describe() => $"--servers {Servers} --rounds {Rounds} --seconds {Seconds} --warmup {Warmup}";

    private static int Number(string option, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : throw new BenchException($"{option}: {text} is no whole number from {least} to {most}");
}
